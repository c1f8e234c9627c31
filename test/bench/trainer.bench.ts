import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import type { Benchmark, Contest } from './benchmark.ts';

/** The Trainer with what it does by default against the shortest loop that trains the same model with the same parts. */
function trainerAgainstLoop(name: string, metric: string): Benchmark {
  return {
    name: `trainer-overhead-${name}`,
    metric,
    unit: 'samples/s',
    rounds: 15,
    warmUps: 2,
    prepare: () => prepare(name),
  };
}

async function prepare(model: string): Promise<Contest> {
  const sides = await Promise.all([start(model, 'ours'), start(model, 'peer')]);
  const [ours, peer] = sides;
  return {
    ours: () => ask(ours),
    peer: () => ask(peer),
    dispose: () => {
      for (const side of sides) side.disconnect();
    },
  };
}

async function start(model: string, side: string): Promise<ChildProcess> {
  const child = fork(join(import.meta.dirname, '..', 'fixtures', 'trainer', 'benchSide.ts'), [model, side]);
  await answerOf(child);
  return child;
}

async function ask(child: ChildProcess): Promise<number> {
  const answer = answerOf(child);
  child.send('run');
  return Number(await answer);
}

function answerOf(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null) => reject(new Error(`benchSide.ts ended with ${code}`));
    child.once('exit', onExit);
    child.once('message', (message) => {
      child.off('exit', onExit);
      resolve(message);
    });
  });
}

export const benchmarks: readonly Benchmark[] = [
  trainerAgainstLoop('mlp', 'training an MLP, batch 64, one thread'),
  trainerAgainstLoop('cnn', 'training a small CNN, batch 64, one thread'),
];
