import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import type { Benchmark, Contest } from './benchmark.ts';

/**
 * Pairs of processes that are measured in turn: where a process's code and data come to lie in memory makes it up to 5 %
 * faster or slower for as long as it lives, so one pair alone says little.
 */
const pairs = 4;

/** `ours`: the Trainer with what it does by default. `eager`: with `compile: false`, op by op as the loop. */
type Side = 'ours' | 'eager';

/**
 * The Trainer against the shortest loop that trains the same model with the same parts, in many short slices that take
 * turns. By the wall's clock, and by the processor's time, which other programs disturb less.
 */
function trainerAgainstLoop(name: string, side: Side, metric: string, clock: 'wall' | 'cpu'): Benchmark {
  return {
    name: `trainer-${side === 'eager' ? 'eager-' : ''}overhead-${name}${clock === 'cpu' ? '-cpu' : ''}`,
    metric: side === 'eager' ? `${metric}, compile: false` : metric,
    unit: clock === 'cpu' ? 'samples/CPU s' : 'samples/s',
    rounds: 15 * pairs,
    warmUps: 2 * pairs,
    prepare: () => prepare(name, side, clock),
  };
}

async function prepare(model: string, side: Side, clock: string): Promise<Contest> {
  const ours: ChildProcess[] = [];
  const peers: ChildProcess[] = [];
  for (let pair = 0; pair < pairs; pair++) {
    ours.push(await start(model, side, clock));
    peers.push(await start(model, 'peer', clock));
  }
  return {
    ours: inTurn(ours),
    peer: inTurn(peers),
    dispose: () => {
      for (const child of [...ours, ...peers]) child.disconnect();
    },
  };
}

/** Each call asks the next of the processes. */
function inTurn(sides: readonly ChildProcess[]): () => Promise<number> {
  let turn = 0;
  return () => {
    const side = sides[turn++ % sides.length];
    if (side === undefined) throw new Error('no process to measure');
    return ask(side);
  };
}

async function start(model: string, side: string, clock: string): Promise<ChildProcess> {
  const child = fork(join(import.meta.dirname, 'peers', 'benchSide.ts'), [model, side, clock]);
  await nextMessage(child);
  return child;
}

/** One slice: its speed, once the child stands ready for the next. */
async function ask(child: ChildProcess): Promise<number> {
  const answer = nextMessage(child);
  child.send('run');
  const speed = Number(await answer);
  await nextMessage(child);
  return speed;
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
