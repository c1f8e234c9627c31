import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { EngineError } from '../../../engine/api/errors.ts';
import { DataLoader, type DataLoaderOptions, disposeBatch, type PassOptions } from '../../../engine/data/index.ts';
import {
  HostThreadCollate,
  type NoisyOptions,
  noisy,
  numbers,
  ThreadCollate,
} from '../../fixtures/data/workerDatasets.ts';
import { threads } from '../../support/threads.ts';

const module = pathToFileURL(join(import.meta.dirname, '..', '..', 'fixtures', 'data', 'workerDatasets.ts')).href;
const loaders: DataLoader[] = [];

beforeAll(async () => {
  await tf.setBackend('cpu');
});

afterEach(async () => {
  for (const loader of loaders.splice(0)) await loader.dispose();
  expect(threads.alive).toBe(0);
});

function noisyLoader(options: NoisyOptions, more: Partial<DataLoaderOptions> = {}): DataLoader {
  const loader = new DataLoader({
    dataset: noisy({ ...options, needsTensorflow: false }),
    batch_size: 4,
    shuffle: true,
    seed: 11,
    num_workers: 2,
    worker_recipe: { module, export: 'noisy', argument: options },
    ...more,
  });
  loaders.push(loader);
  return loader;
}

async function read(loader: DataLoader, options: PassOptions = { pass: 0 }): Promise<unknown[]> {
  const seen: unknown[] = [];
  for await (const { batch, index, indices, real } of loader.pass(options)) {
    const values: unknown[] = [];
    for (const value of Object.values(batch as object))
      values.push(value instanceof tf.Tensor ? value.arraySync() : value);
    seen.push([index, [...indices], real, values]);
    disposeBatch(batch);
  }
  return seen;
}

test.each([1, 2, 3])('%i workers give what none gives, pass by pass and from any batch', async (num_workers) => {
  const own = noisyLoader({}, { num_workers: 0 });
  const shared = noisyLoader({}, { num_workers, prefetch_factor: 3 });
  for (const pass of [0, 1]) expect(await read(shared, { pass })).toEqual(await read(own, { pass }));
  const shard = { rank: 1, worldSize: 2, mode: 'wrap' } as const;
  expect(await read(shared, { pass: 2, start: 2, shard })).toEqual(await read(own, { pass: 2, start: 2, shard }));
});

test('noise belongs to seed, pass and sample', async () => {
  const noises = async (seed: number, pass: number) => {
    const rows = await read(noisyLoader({ length: 4 }, { seed, shuffle: false, num_workers: 0 }), { pass });
    return JSON.stringify(rows);
  };
  const first = await noises(1, 0);
  expect(await noises(1, 0)).toBe(first);
  expect(await noises(1, 1)).not.toBe(first);
  expect(await noises(2, 0)).not.toBe(first);
});

test('threads stay from pass to pass, or end with each', async () => {
  const kept = noisyLoader({ length: 4 });
  await read(kept);
  expect(threads.alive).toBe(2);
  await kept.dispose();
  expect(threads.alive).toBe(0);
  await read(kept);
  expect(threads.alive).toBe(2);
  await kept.dispose();
  const fresh = noisyLoader({ length: 4 }, { persistent_workers: false });
  await read(fresh);
  expect(threads.alive).toBe(0);
});

test('a pass that is left early leaves no thread behind, and threads that are kept go on', async () => {
  const fresh = noisyLoader({ waits: 1 }, { persistent_workers: false });
  for await (const batch of fresh) {
    disposeBatch(batch);
    break;
  }
  expect(threads.alive).toBe(0);
  const kept = noisyLoader({ waits: 1 });
  for await (const batch of kept) {
    disposeBatch(batch);
    break;
  }
  expect(await read(kept)).toEqual(await read(noisyLoader({}, { num_workers: 0 })));
});

test('batches come in order however the threads finish, and an error when its turn comes', async () => {
  const loader = noisyLoader({ length: 12, waits: 4, failAt: 9 }, { batch_size: 1, shuffle: false, num_workers: 3 });
  const seen: number[] = [];
  const error = await failure(async () => {
    for await (const { batch, index } of loader.pass({ pass: 0 })) {
      seen.push(index);
      disposeBatch(batch);
    }
  });
  expect(seen).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  expect(error).toMatchObject({
    code: 'data.sample',
    message: 'Sample 9 of the dataset could not be read: sample file 9.png is damaged',
    details: { index: 9, stack: expect.stringMatching(/RangeError: sample file[\s\S]*workerDatasets\.ts/) },
  });
  expect(threads.alive).toBe(0);
});

test('reading ahead is bounded', async () => {
  const asked: number[] = [];
  const loader = noisyLoader({ length: 40 }, { batch_size: 1, shuffle: false, prefetch_factor: 3 });
  const { batchSampler } = loader;
  const plan = batchSampler?.plan({ seed: 0, pass: 0 });
  if (batchSampler === undefined || plan === undefined) throw new Error('no batches');
  batchSampler.plan = () => ({
    length: plan.length,
    at: (index) => {
      asked.push(index);
      return plan.at(index);
    },
  });
  let used = 0;
  for await (const batch of loader) {
    used++;
    expect(asked.length - used).toBeLessThanOrEqual(6);
    disposeBatch(batch);
  }
  expect(used).toBe(40);
});

test.each([
  {
    id: 'is ended by its dataset',
    options: { exitAt: 1 },
    more: {},
    code: 'data.worker.died',
    text: /ended by itself \(exit code 7\) while it read samples .*\. Look for process\.exit\(\) there/,
  },
  {
    id: 'hangs',
    options: { hangAt: 1 },
    more: { timeout: 0.3 },
    code: 'data.worker.timeout',
    text: /Batch 0 did not come/,
  },
  {
    id: 'uses TensorFlow',
    options: { tensorflowAt: 1 },
    more: {},
    code: 'data.sample',
    text: /tf\.tensor1d was used.*num_workers: 0/,
  },
  {
    id: 'gives a function',
    options: { functionAt: 1 },
    more: { collate_fn: new ThreadCollate() },
    code: 'data.worker.value',
    text: /field '1\.call' is a function/,
  },
])('a thread that $id is told of, and gone', async ({ options, more, code, text }) => {
  const loader = noisyLoader({ length: 4, ...options }, { shuffle: false, ...more });
  const error = await failure(() => read(loader));
  expect(error.code).toBe(code);
  expect(error.message).toMatch(text);
  expect(threads.alive).toBe(0);
});

test.each([
  { id: 'cannot be made', options: { needsTensorflow: true }, text: /tf\.scalar was used/ },
  { id: 'is another one there', options: { differs: true }, text: /has 24 samples, but made again .* it has 25/ },
])('a dataset that $id in a thread is read in the training process, which is told', async ({ options, text }) => {
  const told: string[] = [];
  const loader = noisyLoader(options);
  loader.setNoteSink((note) => told.push(note));
  expect(await read(loader)).toEqual(await read(noisyLoader({}, { num_workers: 0 })));
  await read(loader);
  expect(told).toHaveLength(1);
  expect(told[0]).toMatch(text);
  expect(loader.notes[0]).toMatch(text);
});

test('without a recipe there are no threads, and a note says why', async () => {
  const loader = noisyLoader({}, { worker_recipe: null });
  expect(loader.notes).toEqual([expect.stringMatching(/^num_workers is 2, but .* worker_recipe\.$/)]);
  await read(loader);
  expect(threads.alive).toBe(0);
});

test('collating happens in the thread when it makes host tensors, here when it makes tensors', async () => {
  const threadOf = async (isHost: boolean) => {
    const loader = noisyLoader(
      {},
      {
        collate_fn: isHost ? new HostThreadCollate() : new ThreadCollate(),
        worker_recipe: { module, export: 'withCollate', argument: { dataset: {}, isHost } },
      },
    );
    const { value } = await loader.pass({ pass: 0 }).next();
    const batch = value?.batch as { readonly thread: number };
    disposeBatch(batch);
    return batch.thread;
  };
  expect(await threadOf(false)).toBe(0);
  expect(await threadOf(true)).toBeGreaterThan(0);
});

test.each([
  { id: 'plain', argument: {} },
  { id: 'that can skip', argument: { canSkip: true } },
  { id: 'that can shard', argument: { canShard: true, hasLength: true } },
  { id: 'that can both', argument: { canSkip: true, canShard: true, hasLength: true } },
])('a stream $id gives the same batches with workers, on each rank, from any start', async ({ argument }) => {
  const options = { total: 29, ...argument };
  const make = (num_workers: number, dataset = numbers(options)) => {
    const loader = new DataLoader({
      dataset,
      batch_size: 3,
      num_workers,
      seed: 5,
      worker_recipe: { module, export: 'numbers', argument: options },
    });
    loaders.push(loader);
    return loader;
  };
  const plain = make(0, numbers({ total: 29 }));
  const shared = make(2);
  const own = make(0);
  for (const mode of ['wrap', 'uneven', 'exact'] as const) {
    for (const [rank, worldSize] of [
      [0, 1],
      [0, 2],
      [1, 2],
      [3, 4],
    ] as const) {
      for (const start of [0, 2]) {
        const pass = { pass: 1, start, shard: { rank, worldSize, mode } };
        const wanted = await read(plain, pass);
        expect(await read(own, pass)).toEqual(wanted);
        expect(await read(shared, pass)).toEqual(wanted);
      }
    }
  }
});

test('a stream that can skip and shard is asked for its share only', async () => {
  const dataset = numbers({ total: 1000, canSkip: true, canShard: true, hasLength: true });
  const loader = new DataLoader({ dataset, batch_size: 5 });
  await read(loader, { pass: 0, start: 98, shard: { rank: 1, worldSize: 2, mode: 'wrap' } });
  expect(dataset.reads).toBe(10);
});

async function failure(work: () => Promise<unknown>): Promise<EngineError> {
  try {
    await work();
  } catch (error) {
    if (error instanceof EngineError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}
