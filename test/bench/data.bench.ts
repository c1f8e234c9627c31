import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as tf from '@tensorflow/tfjs';
import sharp from 'sharp';
import { loadBackend } from '../../engine/backend/index.ts';
import {
  Adam,
  Conv2d,
  CrossEntropyLoss,
  DataLoader,
  disposeBatch,
  Flatten,
  formatIdx,
  Linear,
  MaxPool2d,
  type Module,
  manualSeed,
  ReLU,
  Sequential,
} from '../../engine/index.ts';
import { installFastGradients } from '../../engine/trainer/model/fastGradients.ts';
import { movedDigits, photographs, plainDigits, smallPictures } from '../fixtures/data/benchDatasets.ts';
import type { Benchmark, Contest } from './benchmark.ts';

type Batch = readonly [images: tf.Tensor, labels: tf.Tensor];

const recipes = pathToFileURL(join(import.meta.dirname, '../fixtures/data/benchDatasets.ts')).href;
const folder = mkdtempSync(join(tmpdir(), 'data-bench-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

interface Task {
  readonly batchSize: number;
  readonly batches: number;
  /** Batches to take before anything is measured. */
  readonly warmUp: number;
  loader(workers: number): DataLoader;
  model(): Module;
}

function digitFiles() {
  const count = 8192;
  const images = join(folder, 'images');
  const labels = join(folder, 'labels');
  const pixels = Uint8Array.from({ length: count * 784 }, (_, i) => 127 + 127 * Math.sin(i * 0.37));
  writeFileSync(images, formatIdx([count, 28, 28], pixels));
  writeFileSync(
    labels,
    formatIdx(
      [count],
      Uint8Array.from({ length: count }, (_, i) => i % 10),
    ),
  );
  return { images, labels };
}

/** JPEG files with the detail of a photograph. */
async function photographFolder(name: string, width: number, height: number, count: number): Promise<string> {
  const root = join(folder, name);
  for (let i = 0; i < count; i++) {
    const pixels = Buffer.from(
      Array.from(
        { length: width * height * 3 },
        (_, at) => 128 + 90 * Math.sin(at * 0.001 * (i + 1)) + 12 * Math.sin(at * at * 0.37),
      ),
    );
    const classFolder = join(root, `class${i % 4}`);
    mkdirSync(classFolder, { recursive: true });
    await sharp(pixels, { raw: { width, height, channels: 3 } })
      .jpeg({ quality: 90 })
      .toFile(join(classFolder, `${i}.jpg`));
  }
  return root;
}

function loaderOf(dataset: unknown, name: string, argument: unknown, batch_size: number, num_workers: number) {
  const worker_recipe = { module: recipes, export: name, argument };
  return new DataLoader({ dataset, batch_size, shuffle: true, drop_last: true, seed: 1, num_workers, worker_recipe });
}

async function digitTask(): Promise<Task> {
  const files = digitFiles();
  return {
    batchSize: 64,
    batches: 60,
    warmUp: 0,
    loader: (workers) => loaderOf(movedDigits(files), 'movedDigits', files, 64, workers),
    model: () => smallCnn(1, 28),
  };
}

/** The small CNN of the benchmarks, for images of this size. */
function smallCnn(channels: number, size: number): Module {
  return new Sequential(
    new Conv2d({ in_channels: channels, out_channels: 8, kernel_size: 3, padding: 1 }),
    new ReLU(),
    new MaxPool2d({ kernel_size: 2 }),
    new Conv2d({ in_channels: 8, out_channels: 16, kernel_size: 3, padding: 1 }),
    new ReLU(),
    new MaxPool2d({ kernel_size: 2 }),
    new Flatten(),
    new Linear({ in_features: 16 * (size / 4) ** 2, out_features: 10 }),
  );
}

async function pictureTask(): Promise<Task> {
  const root = await photographFolder('pictures', 32, 32, 1024);
  return {
    batchSize: 64,
    batches: 30,
    warmUp: 40,
    loader: (workers) => loaderOf(smallPictures(root), 'smallPictures', root, 64, workers),
    model: () => smallCnn(3, 32),
  };
}

async function photographTask(): Promise<Task> {
  const root = await photographFolder('photographs', 500, 375, 64);
  return {
    batchSize: 16,
    batches: 8,
    warmUp: 0,
    loader: (workers) => loaderOf(photographs(root), 'photographs', root, 16, workers),
    model: () =>
      new Sequential(
        new Conv2d({ in_channels: 3, out_channels: 32, kernel_size: 3, stride: 2, padding: 1 }),
        new ReLU(),
        new Conv2d({ in_channels: 32, out_channels: 64, kernel_size: 3, stride: 2, padding: 1 }),
        new ReLU(),
        new Conv2d({ in_channels: 64, out_channels: 64, kernel_size: 3, padding: 1 }),
        new ReLU(),
        new MaxPool2d({ kernel_size: 2 }),
        new Conv2d({ in_channels: 64, out_channels: 128, kernel_size: 3, padding: 1 }),
        new ReLU(),
        new MaxPool2d({ kernel_size: 2 }),
        new Flatten(),
        new Linear({ in_features: 128 * 7 * 7, out_features: 4 }),
      ),
  };
}

let backend: Promise<unknown> | undefined;

function loadBackendOnce(): Promise<unknown> {
  backend ??= loadBackend({ threads: 1, interOpThreads: 1 });
  return backend;
}

/** Batches without end, pass after pass. */
async function* endless(loader: DataLoader): AsyncGenerator<Batch> {
  for (let pass = 0; ; pass++) for await (const { batch } of loader.pass({ pass })) yield batch as Batch;
}

/** Samples a second of taking batches and putting them away: what a loader can feed. */
async function feeding(task: Task, batches: AsyncGenerator<Batch>): Promise<number> {
  const started = performance.now();
  for (let i = 0; i < task.batches; i++) disposeBatch((await batches.next()).value);
  return (task.batches * task.batchSize) / ((performance.now() - started) / 1000);
}

/** Samples a second of training on batches: what the model eats. */
async function eating(task: Task, step: (batch: Batch) => Promise<void>, next: () => Promise<Batch>): Promise<number> {
  const started = performance.now();
  for (let i = 0; i < task.batches; i++) await step(await next());
  return (task.batches * task.batchSize) / ((performance.now() - started) / 1000);
}

async function prepareModel(task: Task): Promise<(batch: Batch) => Promise<void>> {
  await loadBackendOnce();
  installFastGradients();
  manualSeed(1);
  const model = task.model();
  const loss = new CrossEntropyLoss();
  const optimizer = new Adam(model.namedParameters(), { lr: 1e-6 });
  const parameters = model.namedParameters();
  const variables = parameters.map(({ variable }) => variable);
  return async ([images, labels]) => {
    const { value, grads } = tf.variableGrads(() => loss.call(model.call(images), labels) as tf.Scalar, variables);
    const gradients = new Map(
      parameters.flatMap(({ name, variable }) =>
        grads[variable.name] ? [[name, grads[variable.name] as tf.Tensor]] : [],
      ),
    );
    optimizer.step(gradients);
    // the device may run behind; what is eaten is what is done
    await value.data();
    tf.dispose([value, ...gradients.values()]);
  };
}

/** The loader alone against the model alone: above 1.2 the model never waits for data, given a core for it. */
async function feedAgainstModel(makeTask: () => Promise<Task>, workers: number): Promise<Contest> {
  const task = await makeTask();
  const step = await prepareModel(task);
  const loader = task.loader(workers);
  const batches = endless(loader);
  const ready: Batch[] = [];
  for (let i = 0; i < 4; i++) ready.push((await batches.next()).value);
  // the first passes decode what later ones find in the cache
  for (let i = 4; i < task.warmUp; i++) disposeBatch((await batches.next()).value);
  let turn = 0;
  return {
    ours: () => feeding(task, batches),
    peer: () => eating(task, step, async () => ready[turn++ % 4] as Batch),
    dispose: () => loader.dispose(),
  };
}

/** Training fed by worker threads against training fed by its own thread. */
async function trainingFed(makeTask: () => Promise<Task>): Promise<Contest> {
  const task = await makeTask();
  const step = await prepareModel(task);
  const loaders = [task.loader(2), task.loader(0)];
  const [shared, own] = loaders.map(endless);
  const trainOn = (batches: AsyncGenerator<Batch> | undefined) => () =>
    eating(
      task,
      async (batch) => {
        await step(batch);
        disposeBatch(batch);
      },
      async () => (await batches?.next())?.value,
    );
  return {
    ours: trainOn(shared),
    peer: trainOn(own),
    dispose: () => loaders[0]?.dispose(),
  };
}

/** What crossing a thread costs where there is nothing to be done: milliseconds a batch of 64 plain digits. */
async function overhead(): Promise<Contest> {
  await loadBackendOnce();
  const files = digitFiles();
  const loaders = [2, 0].map((workers) => loaderOf(plainDigits(files), 'plainDigits', files, 64, workers));
  const [shared, own] = loaders.map(endless);
  const count = 200;
  const time = async (batches: AsyncGenerator<Batch> | undefined): Promise<number> => {
    const started = performance.now();
    for (let i = 0; i < count; i++) disposeBatch((await batches?.next())?.value);
    return (performance.now() - started) / count;
  };
  return { ours: () => time(shared), peer: () => time(own), dispose: () => loaders[0]?.dispose() };
}

export const benchmarks: readonly Benchmark[] = [
  {
    name: 'data-feed-digits',
    metric: 'two workers, random affine, 28×28 / small CNN alone',
    unit: 'samples/s',
    prepare: () => feedAgainstModel(digitTask, 2),
  },
  {
    name: 'data-feed-digits-without-workers',
    metric: 'no workers, random affine, 28×28 / small CNN alone',
    unit: 'samples/s',
    prepare: () => feedAgainstModel(digitTask, 0),
  },
  {
    name: 'data-feed-pictures',
    metric: 'two workers, JPEG 32×32 kept decoded, crop, flip, jitter / small CNN alone',
    unit: 'samples/s',
    prepare: () => feedAgainstModel(pictureTask, 2),
  },
  {
    name: 'data-feed-photographs',
    metric: 'two workers, JPEG 500×375 to 112×112 / CNN of four layers alone',
    unit: 'samples/s',
    prepare: () => feedAgainstModel(photographTask, 2),
  },
  {
    name: 'data-training-digits',
    metric: 'training fed by two workers / by its own thread',
    unit: 'samples/s',
    prepare: () => trainingFed(digitTask),
  },
  {
    name: 'data-training-photographs',
    metric: 'training fed by two workers / by its own thread',
    unit: 'samples/s',
    prepare: () => trainingFed(photographTask),
  },
  {
    name: 'data-loader-overhead',
    metric: 'a batch of 64 plain digits, two workers / none',
    unit: 'ms',
    prepare: overhead,
  },
];
