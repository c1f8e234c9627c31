// Seconds that making a step's graph takes: recording it twice, comparing, and loading it into TensorFlow.

import { loadBackend } from '../../engine/backend/index.ts';
import { DataLoader, manualSeed } from '../../engine/index.ts';
import { standaloneEnvironment } from '../../engine/trainer/index.ts';
import type { Benchmark, Contest } from './benchmark.ts';
import { makeModel } from './peers/models.ts';
import { Prepared } from './peers/prepared.ts';
import { SlicedTrainer } from './peers/slicedTrainer.ts';
import { batchSize, type ModelName, modelNames, modelTitles, taskData } from './peers/tasks.ts';

function making(name: ModelName): Benchmark {
  return {
    name: `compile-${name}`,
    metric: `making the graph of a step, ${modelTitles[name]}`,
    unit: 's',
    // the first, which a user waits for, is the slowest: V8 has compiled nothing yet
    warmUps: 0,
    prepare: () => prepare(name),
  };
}

let backend: Promise<unknown> | undefined;

async function prepare(name: ModelName): Promise<Contest> {
  backend ??= loadBackend({ backend: 'tensorflow', threads: 1, interOpThreads: 1 });
  await backend;
  const data = new Prepared(taskData(name));
  return { ours: () => seconds(name, data) };
}

async function seconds(name: ModelName, data: Prepared): Promise<number> {
  manualSeed(1);
  const slices = { begin: () => Promise.resolve(), end: () => undefined };
  const loader = new DataLoader({ dataset: data, batch_size: batchSize });
  const model = makeModel(name, true);
  const trainer = new SlicedTrainer({ model, loader, steps: 4, compile: true, slices });
  let milliseconds = Number.NaN;
  trainer.attach({
    ...standaloneEnvironment(),
    until: { step: 2, epoch: 0 },
    compileListener: {
      compiled: (graph) => {
        milliseconds = graph.milliseconds;
      },
      refused: (reason) => {
        throw new Error(reason);
      },
    },
  });
  await trainer.fit();
  model.dispose();
  return milliseconds / 1000;
}

export const benchmarks: readonly Benchmark[] = modelNames.map(making);
