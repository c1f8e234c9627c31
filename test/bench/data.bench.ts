// What a loader feeds against what a model eats that trains as compiled as the Trainer trains it.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import sharp from 'sharp';
import { loadBackend } from '../../engine/backend/index.ts';
import { fetchSamples } from '../../engine/data/loader/fetch.ts';
import {
  Conv2d,
  DataLoader,
  DefaultCollate,
  disposeBatch,
  Flatten,
  formatIdx,
  type ImageFolder,
  Linear,
  MaxPool2d,
  type Module,
  manualSeed,
  ReLU,
  Sequential,
} from '../../engine/index.ts';
import { movedDigits, photographs, plainDigits, smallPictures } from '../fixtures/data/benchDatasets.ts';
import type { Benchmark, Contest } from './benchmark.ts';
import { Prepared } from './peers/prepared.ts';
import { slicedTraining } from './peers/slicedTrainer.ts';
import { smallCnn } from './peers/smallNets.ts';

const recipes = pathToFileURL(join(import.meta.dirname, '../fixtures/data/benchDatasets.ts')).href;
const folder = mkdtempSync(join(tmpdir(), 'data-bench-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

interface Task {
  readonly batchSize: number;
  /** Of a round. */
  readonly batches: number;
  /** Batches to take before anything is measured. */
  readonly warmUp: number;
  /** Of an input. */
  readonly shape: readonly number[];
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
    batches: 100,
    warmUp: 0,
    shape: [28, 28, 1],
    loader: (workers) => loaderOf(movedDigits(files), 'movedDigits', files, 64, workers),
    model: () => smallCnn(),
  };
}

/** JPEG files of 32 × 32, decoded in each pass or kept. */
function pictureTask(cache_mb: number): () => Promise<Task> {
  return async () => {
    const options = { root: await photographFolder('pictures', 32, 32, 1024), cache_mb };
    return {
      batchSize: 64,
      batches: 60,
      warmUp: cache_mb > 0 ? 60 : 0,
      shape: [32, 32, 3],
      loader: (workers) => loaderOf(smallPictures(options), 'smallPictures', options, 64, workers),
      model: () => smallCnn(3, 32),
    };
  };
}

async function photographTask(): Promise<Task> {
  const root = await photographFolder('photographs', 500, 375, 64);
  return {
    batchSize: 16,
    batches: 8,
    warmUp: 0,
    shape: [112, 112, 3],
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
async function* endless(loader: DataLoader): AsyncGenerator<unknown, never> {
  for (let pass = 0; ; pass++) for await (const { batch } of loader.pass({ pass })) yield batch;
}

/** Samples a second of taking batches and putting them away: what a loader can feed. */
async function feeding(task: Task, batches: AsyncGenerator<unknown, never>): Promise<number> {
  const started = performance.now();
  for (let i = 0; i < task.batches; i++) disposeBatch((await batches.next()).value);
  return (task.batches * task.batchSize) / ((performance.now() - started) / 1000);
}

/** Samples a second of the Trainer, fed by this loader. */
async function eating(task: Task, loader: DataLoader): Promise<() => Promise<number>> {
  await loadBackendOnce();
  manualSeed(1);
  const { batches: steps, batchSize } = task;
  const slice = slicedTraining({ model: task.model(), loader, steps, compile: 'auto' });
  return async () => (steps * batchSize) / (await slice());
}

/** Noise in memory, a few batches of it. */
function preparedLoader({ batchSize, shape }: Task): DataLoader {
  const rows = 4 * batchSize;
  const size = shape.reduce((product, length) => product * length, rows);
  const dataset = new Prepared({
    inputs: Float32Array.from({ length: size }, (_, i) => Math.sin(i * 0.37)),
    inputShape: shape,
    labels: Int32Array.from({ length: rows }, (_, i) => i % 4),
    labelShape: [],
  });
  return new DataLoader({ dataset, batch_size: batchSize });
}

/** The loader alone against the model alone: above 1.2 the model never waits for data, given a core for it. */
async function feedAgainstModel(makeTask: () => Promise<Task>, workers: number): Promise<Contest> {
  const task = await makeTask();
  const peer = await eating(task, preparedLoader(task));
  const loader = task.loader(workers);
  const batches = endless(loader);
  // the first passes decode what later ones find in the cache
  for (let i = 0; i < 4 + task.warmUp; i++) disposeBatch((await batches.next()).value);
  return { ours: () => feeding(task, batches), peer, dispose: () => loader.dispose() };
}

/** Training fed by worker threads against training fed by its own thread. */
async function trainingFed(makeTask: () => Promise<Task>): Promise<Contest> {
  const task = await makeTask();
  const threaded = task.loader(2);
  const [ours, peer] = [await eating(task, threaded), await eating(task, task.loader(0))];
  return { ours, peer, dispose: () => threaded.dispose() };
}

/** What crossing a thread costs where there is nothing to be done: milliseconds a batch of 64 plain digits. */
async function overhead(): Promise<Contest> {
  await loadBackendOnce();
  const files = digitFiles();
  const loaders = [2, 0].map((workers) => loaderOf(plainDigits(files), 'plainDigits', files, 64, workers));
  const [shared, own] = loaders.map(endless);
  const count = 200;
  const time = async (batches: AsyncGenerator<unknown, never> | undefined): Promise<number> => {
    const started = performance.now();
    for (let i = 0; i < count; i++) disposeBatch((await batches?.next())?.value);
    return (performance.now() - started) / count;
  };
  return { ours: () => time(shared), peer: () => time(own), dispose: () => loaders[0]?.dispose() };
}

/** Microseconds of the processor, all threads together, for each of so many things. */
async function processorTime(count: number, work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / count;
}

/** An image from its file to its place in a batch, augmented, against what sharp takes to decode it. */
async function imageTime(): Promise<Contest> {
  const root = await photographFolder('pictures', 32, 32, 1024);
  const dataset: ImageFolder = smallPictures({ root, cache_mb: 0 });
  const collate = new DefaultCollate();
  let pass = 0;
  const ours = async () => {
    const key = { seed: 1, pass: pass++ };
    for (let start = 0; start < dataset.length; start += 64) {
      const indices = Array.from({ length: 64 }, (_, i) => start + i);
      const fetched = await fetchSamples(dataset, indices, key, true);
      if (fetched.kind === 'samples') collate.host(fetched.values);
    }
  };
  const peer = async () => {
    for (const [path] of dataset.samples) await sharp(path).raw().toBuffer();
  };
  return { ours: () => processorTime(dataset.length, ours), peer: () => processorTime(dataset.length, peer) };
}

/** Both sides as they are in a training that lasts: a thread's code takes some passes over the data until it is as fast as it gets. */
const steady = { warmUps: 4, rounds: 9 };

export const benchmarks: readonly Benchmark[] = [
  {
    name: 'data-feed-digits',
    ...steady,
    metric: 'two workers, random affine, 28×28 / small CNN alone, compiled',
    unit: 'samples/s',
    prepare: () => feedAgainstModel(digitTask, 2),
  },
  {
    name: 'data-feed-digits-without-workers',
    ...steady,
    metric: 'no workers, random affine, 28×28 / small CNN alone, compiled',
    unit: 'samples/s',
    prepare: () => feedAgainstModel(digitTask, 0),
  },
  {
    name: 'data-feed-pictures',
    ...steady,
    metric: 'two workers, JPEG 32×32, crop, flip, jitter / small CNN alone, compiled',
    unit: 'samples/s',
    prepare: () => feedAgainstModel(pictureTask(0), 2),
  },
  {
    name: 'data-feed-pictures-kept',
    ...steady,
    metric: 'two workers, JPEG 32×32 kept decoded, crop, flip, jitter / small CNN alone, compiled',
    unit: 'samples/s',
    prepare: () => feedAgainstModel(pictureTask(100), 2),
  },
  {
    name: 'data-feed-photographs',
    ...steady,
    metric: 'two workers, JPEG 500×375 to 112×112 / CNN of four layers alone, compiled',
    unit: 'samples/s',
    prepare: () => feedAgainstModel(photographTask, 2),
  },
  {
    name: 'data-image-cpu',
    metric: "a JPEG of 32×32 from its file into a batch, augmented, in this process / sharp's decoding alone",
    unit: 'CPU µs',
    prepare: imageTime,
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
