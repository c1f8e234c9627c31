import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import type { Benchmark, Duel } from './benchmark.ts';

/** Processes that are measured in turn: chance in one of them, such as what V8 chose to compile, is not the result. */
const processes = 4;

/** `ours`: the Trainer with what it does by default. `eager`: with `compile: false`, op by op as the loop. */
type Side = 'ours' | 'eager';

/**
 * The Trainer against the shortest loop that trains the same model with the same parts, in turns of a few steps. By the wall's clock, and by the processor's time, which other programs disturb less.
 */
function trainerAgainstLoop(name: string, side: Side, metric: string, clock: 'wall' | 'cpu'): Benchmark {
  return {
    name: `trainer-${side === 'eager' ? 'eager-' : ''}overhead-${name}${clock === 'cpu' ? '-cpu' : ''}`,
    metric: side === 'eager' ? `${metric}, compile: false` : metric,
    unit: clock === 'cpu' ? 'samples/CPU s' : 'samples/s',
    rounds: 15 * processes,
    warmUps: 2 * processes,
    prepare: () => prepare(name, side, clock),
  };
}

async function prepare(model: string, side: Side, clock: string): Promise<Duel> {
  const children: ChildProcess[] = [];
  for (let one = 0; one < processes; one++) children.push(await start(model, side, clock));
  let turn = 0;
  return {
    both: async () => {
      const child = children[turn++ % children.length];
      if (child === undefined) throw new Error('no process to measure');
      return ask(child);
    },
    dispose: () => {
      for (const child of children) child.disconnect();
    },
  };
}

async function start(model: string, side: Side, clock: string): Promise<ChildProcess> {
  const file = join(import.meta.dirname, 'peers', 'benchSide.ts');
  const child = fork(file, [model, side, clock], { execArgv: [...process.execArgv, '--expose-gc'] });
  await nextMessage(child);
  return child;
}

/** The speed of both sides over some turns of each. */
async function ask(child: ChildProcess): Promise<{ ours: number; peer: number }> {
  const answer = nextMessage(child);
  child.send('run');
  return (await answer) as { ours: number; peer: number };
}

function nextMessage(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null) => reject(new Error(`benchSide.ts ended with ${code}`));
    child.once('exit', onExit);
    child.once('message', (message) => {
      child.off('exit', onExit);
      resolve(message);
    });
  });
}

const models = [
  ['mlp', 'training an MLP, batch 64, one thread'],
  ['cnn', 'training a small CNN, batch 64, one thread'],
] as const;

export const benchmarks: readonly Benchmark[] = models.flatMap(([model, metric]) =>
  (['ours', 'eager'] as const).flatMap((side) =>
    (['wall', 'cpu'] as const).map((clock) => trainerAgainstLoop(model, side, metric, clock)),
  ),
);
