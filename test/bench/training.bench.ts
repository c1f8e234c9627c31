// Training steps a second: our Trainer, eager and compiled, against a hand-written TensorFlow.js loop, tf.Model.fit, and, where
// a Python has them (run.ts says which), PyTorch's plain loop, PyTorch at its best, a loop written after AccelHydra's
// description and Keras' fit. Every side is a process of its own with the same number of threads and runs slices of the
// same number of steps, in turns.
import type { Sides, Tournament, TournamentRow } from './benchmark.ts';
import { SideProcess } from './peers/sideProcess.ts';
import { type ModelName, modelNames, modelTitles } from './peers/tasks.ts';

/** Whom the compiled Trainer is compared with, and what they are called. */
const peers = {
  eager: 'our eager Trainer',
  loop: 'hand-written TensorFlow.js loop, tf.train.adam',
  fit: 'tf.Model.fit',
  pytorch: "PyTorch's plain loop",
  best: 'PyTorch, channels_last and fused Adam',
  accelhydra: "a loop written after AccelHydra's description, with accelerate",
  keras: "Keras' fit",
} as const;

const rivalsOfEager = ['loop', 'fit', 'pytorch'] as const;

function tournament(model: ModelName, threads: number): Tournament {
  return {
    name: `training-${model}-${threads}`,
    rounds: 9,
    warmUps: 2,
    prepare: () => prepare(model, threads),
  };
}

async function prepare(model: ModelName, threads: number): Promise<Sides> {
  const ready: SideProcess[] = [];
  for (const side of ['compiled', ...Object.keys(peers)]) {
    const started = await SideProcess.start(side, model, threads);
    if (started.missing === undefined) ready.push(started);
    else process.stdout.write(`training-${model}-${threads}: ${side} left out: ${started.missing}\n`);
  }
  return {
    run: new Map(ready.map((side) => [side.name, () => side.slice()])),
    rows: rowsOf(model, threads, new Set(ready.map(({ name }) => name))),
    dispose: () => {
      for (const side of ready) side.end();
    },
  };
}

function rowsOf(model: ModelName, threads: number, present: ReadonlySet<string>): TournamentRow[] {
  const scene = `${modelTitles[model]}, ${threads} ${threads === 1 ? 'thread' : 'threads'}`;
  const rows: TournamentRow[] = [];
  const add = (ours: string, peer: keyof typeof peers, reading: string, unit: string) => {
    if (!present.has(ours) || !present.has(peer)) return;
    const suffix = reading === 'wall' ? '' : `-${reading}`;
    rows.push({
      name: `training-${model}-${threads}-${ours}-vs-${peer}${suffix}`,
      metric: `${scene}: ${ours} Trainer against ${peers[peer]}`,
      ours,
      peer,
      reading,
      unit,
    });
  };
  const addSpeeds = (ours: string, rivals: readonly (keyof typeof peers)[]) => {
    for (const peer of rivals) add(ours, peer, 'wall', 'samples/s');
    // what other programs disturb less; with several threads it would count their waiting for each other
    if (threads === 1) for (const peer of rivals) add(ours, peer, 'cpu', 'samples/CPU s');
  };
  addSpeeds('compiled', Object.keys(peers) as (keyof typeof peers)[]);
  addSpeeds('eager', rivalsOfEager);
  add('compiled', 'eager', 'memory', 'MiB at most');
  return rows;
}

/** An epoch begins with a rehearsal of the step, so these slices are long. */
const overheadStretch = 8;
/** What is compared is the Trainer's JavaScript: V8 compiles it for good only after some thousand steps. */
const overheadWarmUps = 5;

function overhead(model: ModelName): Tournament {
  return {
    name: `training-overhead-${model}`,
    rounds: 15,
    warmUps: overheadWarmUps,
    prepare: async () => {
      const both = await SideProcess.start('overhead', model, 1, overheadStretch);
      if (both.missing !== undefined) {
        process.stdout.write(`training-overhead-${model} left out: ${both.missing}\n`);
        return { run: new Map(), rows: [], dispose: () => undefined };
      }
      return {
        run: new Map([
          ['compiled', () => both.slice()],
          ['bare', () => both.slice('bare')],
          ['fed', () => both.slice('fed')],
        ]),
        rows: [
          ...overheadRows(model, 'fed', 'the calls of its graph in a loop over the loader'),
          ...overheadRows(model, 'bare', 'the bare calls of its graph, without any data'),
        ],
        dispose: () => both.end(),
      };
    },
  };
}

function overheadRows(model: ModelName, peer: 'fed' | 'bare', title: string): TournamentRow[] {
  const metric = `${modelTitles[model]}, 1 thread: compiled Trainer against ${title}`;
  const name = `training-overhead-${model}${peer === 'fed' ? '' : '-without-data'}`;
  return [
    { metric, name, ours: 'compiled', peer, reading: 'wall', unit: 'samples/s' },
    { metric, name: `${name}-cpu`, ours: 'compiled', peer, reading: 'cpu', unit: 'samples/CPU s' },
  ];
}

/** Two threads say how a net gains from them; a batch has 64 samples throughout. */
export const tournaments: readonly Tournament[] = [
  ...[1, 2].flatMap((threads) => modelNames.map((model) => tournament(model, threads))),
  overhead('mlp'),
  overhead('cnn'),
];
