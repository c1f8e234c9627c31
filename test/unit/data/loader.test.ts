import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, test } from 'vitest';
import {
  BucketSampler,
  ConcatDataset,
  DataLoader,
  Dataset,
  disposeBatch,
  type HostTensor,
  IterableDataset,
  type PassOptions,
  type Sampler,
  Subset,
} from '../../../engine/data/index.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

class Squares extends Dataset<{ x: number; name: string }> {
  readonly length: number;
  reads = 0;

  constructor(length: number) {
    super();
    this.length = length;
  }

  get(index: number) {
    this.checkIndex(index);
    this.reads++;
    return { x: index * index, name: `n${index}` };
  }
}

class Slow extends Dataset<number> {
  readonly length = 6;
  running = 0;
  most = 0;

  async get(index: number): Promise<number> {
    this.running++;
    this.most = Math.max(this.most, this.running);
    await new Promise((resolve) => setTimeout(resolve, (6 - index) * 2));
    this.running--;
    if (index === 5) throw new Error('no such file');
    return index;
  }
}

class Counter extends IterableDataset<number> {
  *samples(): Iterable<number> {
    for (let i = 0; i < 7; i++) yield i;
  }
}

/** What is added tells which way a sample was read. */
class Tens extends Dataset<number> {
  readonly length = 4;

  get(index: number): number {
    return 10 * index;
  }

  getToStack(index: number): number {
    return 10 * index + 100;
  }
}

class TensInBatches extends Tens {
  getBatch(indices: readonly number[]): HostTensor {
    return { data: Int32Array.from(indices, (index) => 10 * index + 1000), shape: [indices.length] };
  }
}

class OwnTens extends TensInBatches {
  override get(index: number): number {
    return super.get(index) + 1;
  }
}

class OwnSubset extends Subset {
  override get(index: number): unknown {
    return Number(super.get(index)) + 2;
  }
}

test.each([
  ['samples to stack', new Tens(), [100, 110, 120, 130]],
  ['batches', new TensInBatches(), [1000, 1010, 1020, 1030]],
  ['its own samples', new OwnTens(), [1, 11, 21, 31]],
  ['samples to stack of a part', new Subset({ dataset: new Tens(), indices: [3, 1] }), [130, 110]],
  ['batches of a part', new Subset({ dataset: new TensInBatches(), indices: [3, 1] }), [1030, 1010]],
  ['own samples of a part', new Subset({ dataset: new OwnTens(), start: 2 }), [21, 31]],
  ['samples of a part of its own', new OwnSubset({ dataset: new TensInBatches(), start: 2 }), [22, 32]],
  [
    'samples to stack of several',
    new ConcatDataset({ datasets: [new Tens(), new OwnTens()] }),
    [100, 110, 120, 130, 1, 11, 21, 31],
  ],
])('a dataset gives its fastest way, unless a class overrides get alone: %s', async (_, dataset, expected) => {
  const loader = new DataLoader({ dataset, batch_size: 8 });
  for await (const { batch } of loader.pass({ pass: 0 })) {
    expect([...(batch as tf.Tensor).dataSync()]).toEqual(expected);
    disposeBatch(batch);
  }
});

test('batches are stacked tensors, text stays a list, nothing leaks', async () => {
  const before = tf.memory().numTensors;
  const loader = new DataLoader({ dataset: new Squares(5), batch_size: 2 });
  expect(loader.length).toBe(3);
  const seen: unknown[] = [];
  for await (const { batch } of loader.pass({ pass: 0 })) {
    const { x, name } = batch as { x: tf.Tensor1D; name: string[] };
    expect(x.dtype).toBe('int32');
    seen.push([x.arraySync(), name]);
    disposeBatch(batch);
  }
  expect(seen).toEqual([
    [
      [0, 1],
      ['n0', 'n1'],
    ],
    [
      [4, 9],
      ['n2', 'n3'],
    ],
    [[16], ['n4']],
  ]);
  expect(tf.memory().numTensors).toBe(before);
});

test('starting at batch n reads nothing before it', async () => {
  const dataset = new Squares(1000);
  const loader = new DataLoader({ dataset, batch_size: 10, shuffle: true, seed: 9 });
  const all = await indicesOf(loader, { pass: 4 });
  dataset.reads = 0;
  expect(await indicesOf(loader, { pass: 4, start: 98 })).toEqual(all.slice(98));
  expect(dataset.reads).toBe(20);
});

test('asynchronous samples arrive in order, read ahead, and a failure names its sample', async () => {
  const dataset = new Slow();
  const loader = new DataLoader({ dataset, batch_size: 1, num_workers: 2 });
  const seen: number[] = [];
  const run = async () => {
    for await (const { batch, index } of loader.pass({ pass: 0 })) {
      seen.push(index);
      disposeBatch(batch);
    }
  };
  await expect(run()).rejects.toThrow('Sample 5 of the dataset could not be read: no such file');
  expect(seen).toEqual([0, 1, 2, 3, 4]);
  expect(dataset.most).toBe(5);
});

test('a batch that is ready can be taken at once; one that is to be waited for comes in its turn', async () => {
  const ready = new DataLoader({ dataset: new Squares(3), batch_size: 2 }).pass({ pass: 0 });
  const [first, second] = [ready.take?.(), ready.take?.()];
  expect([first?.index, first?.indices, second?.index, second?.indices]).toEqual([0, [0, 1], 1, [2]]);
  expect(ready.take?.()).toBeUndefined();
  expect(await ready.next()).toEqual({ value: undefined, done: true });
  const slow = new DataLoader({ dataset: new Slow(), batch_size: 2 }).pass({ pass: 0 });
  expect(slow.take?.()).toBeUndefined();
  const { value } = await slow.next();
  expect([value?.index, value?.indices]).toEqual([0, [0, 1]]);
  await slow.return?.();
  expect(await slow.next()).toEqual({ value: undefined, done: true });
  for (const loaded of [first, second, value]) disposeBatch(loaded?.batch);
});

test('a read that fails ahead of its turn waits for it, however slow the reader of batches is', async () => {
  const unhandled: unknown[] = [];
  const note = (reason: unknown): unknown => unhandled.push(reason);
  process.on('unhandledRejection', note);
  try {
    const seen: number[] = [];
    const run = async () => {
      for await (const { batch, index } of new DataLoader({ dataset: new Slow(), batch_size: 1, num_workers: 2 }).pass({
        pass: 0,
      })) {
        seen.push(index);
        disposeBatch(batch);
        await new Promise((resolve) => setTimeout(resolve, 15));
      }
    };
    await expect(run()).rejects.toThrow('no such file');
    expect(seen).toEqual([0, 1, 2, 3, 4]);
    expect(unhandled).toEqual([]);
  } finally {
    process.off('unhandledRejection', note);
  }
});

test.each([
  { id: 'one process', rank: 0, worldSize: 1, batches: [[0, 1], [2, 3], [4, 5], [6]] },
  {
    id: 'first of two',
    rank: 0,
    worldSize: 2,
    batches: [
      [0, 1],
      [4, 5],
    ],
  },
  {
    id: 'second of two is filled from the start',
    rank: 1,
    worldSize: 2,
    batches: [
      [2, 3],
      [6, 0],
    ],
  },
])('a stream is dealt out to $id', async ({ rank, worldSize, batches }) => {
  const loader = new DataLoader({ dataset: new Counter(), batch_size: 2 });
  const got: number[][] = [];
  for await (const { batch } of loader.pass({ pass: 0, shard: { rank, worldSize, mode: 'wrap' } })) {
    got.push((batch as tf.Tensor1D).arraySync());
    disposeBatch(batch);
  }
  expect(got).toEqual(batches);
});

test('iterating anew is another pass', async () => {
  const loader = new DataLoader({ dataset: new Squares(30), batch_size: 30, shuffle: true });
  const orders: unknown[] = [];
  for (let pass = 0; pass < 2; pass++)
    for await (const batch of loader) orders.push((batch as { name: string[] }).name);
  expect(orders[0]).not.toEqual(orders[1]);
});

test('samplers and batch samplers may be plain iterables', async () => {
  const dataset = new Squares(6);
  expect(await indicesOf(new DataLoader({ dataset, batch_size: 2, sampler: [5, 3, 1] }), { pass: 0 })).toEqual([
    [5, 3],
    [1],
  ]);
  expect(await indicesOf(new DataLoader({ dataset, batch_sampler: [[5], [3, 1]] }), { pass: 0 })).toEqual([
    [5],
    [3, 1],
  ]);
});

test.each([
  {
    id: 'batch_sampler with batch_size',
    options: { batch_sampler: [[0]], batch_size: 4 },
    message: /excludes batch_size/,
  },
  { id: 'sampler with shuffle', options: { sampler: [0], shuffle: true }, message: /excludes shuffle/ },
  { id: 'a batch size of zero', options: { batch_size: 0 }, message: /at least 1/ },
  { id: 'an unknown option', options: { suffle: true }, message: /Did you mean 'shuffle'/ },
  { id: 'no dataset', options: { dataset: undefined }, message: /'dataset' must have/ },
])('refuses $id', ({ options, message }) => {
  expect(() => new DataLoader({ dataset: new Squares(3), ...options })).toThrow(message);
});

test('null samplers mean none, as AccelHydra writes them', () => {
  expect(new DataLoader({ dataset: new Squares(3), batch_size: 2, batch_sampler: null, sampler: null }).length).toBe(2);
});

async function indicesOf(loader: DataLoader, options: PassOptions): Promise<number[][]> {
  const result: number[][] = [];
  for await (const { batch, indices } of loader.pass(options)) {
    result.push([...indices]);
    disposeBatch(batch);
  }
  return result;
}

/** Counts what it is asked for. */
class CountingSampler implements Sampler {
  readonly length: number;
  orders = 0;
  readonly #reads: { count: number };

  constructor(length: number, reads: { count: number }) {
    this.length = length;
    this.#reads = reads;
  }

  order(): ArrayLike<number> {
    this.orders++;
    const reads = this.#reads;
    return new Proxy({ length: this.length } as ArrayLike<number>, {
      get: (target, key) => {
        if (key === 'length') return target.length;
        reads.count++;
        return Number(key);
      },
    });
  }
}

test.each([0, 1, 500, 99_998])(
  'beginning at batch %i asks dataset and sampler for nothing but what follows',
  async (start) => {
    const reads = { count: 0 };
    const dataset = new Squares(1_000_000);
    const sampler = new CountingSampler(dataset.length, reads);
    const loader = new DataLoader({ dataset, batch_size: 10, sampler });
    const pass = loader.pass({ pass: 0, start, shard: { rank: 0, worldSize: 1, mode: 'wrap' } });
    for (const index of [start, start + 1]) {
      const { value } = await pass.next();
      expect(value?.indices[0]).toBe(index * 10);
      disposeBatch(value?.batch);
    }
    expect([sampler.orders, reads.count, dataset.reads]).toEqual([1, 20, 20]);
  },
);

test('a sampler that arranges batches must have the size of the batches', () => {
  const dataset = { length: 8, durations: [1, 2, 3, 4, 5, 6, 7, 8], get: (index: number) => index };
  const sampler = new BucketSampler({ data_source: dataset, num_buckets: 2, batch_size: 4 });
  expect(() => new DataLoader({ dataset, sampler, batch_size: 2 })).toThrow(/batch_size is 2, but .* batches of 4/);
  expect(new DataLoader({ dataset, sampler, batch_size: 4 }).length).toBe(2);
});
