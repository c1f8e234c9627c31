import { expect, test } from 'vitest';
import {
  BucketSampler,
  ConcatDataset,
  DataLoader,
  DistributedSampler,
  DynamicBatchSampler,
  FixedBatchSampler,
  ListDataset,
  RandomSampler,
  SequentialSampler,
  SortedDynamicBatchSampler,
  Subset,
  SubsetRandomSampler,
  TaskGroupedIteratingBatchSampler,
  TaskGroupedSequentialBatchSampler,
  TaskIteratingSampler,
  WeightedRandomSampler,
} from '../../../engine/data/index.ts';

const source = { length: 20 };

test('sequential and random orders cover every sample once', () => {
  const key = { seed: 3, pass: 0 };
  expect([...asList(new SequentialSampler({ data_source: source }).order())]).toEqual(range(20));
  const order = asList(new RandomSampler({ data_source: source }).order(key));
  expect(order).not.toEqual(range(20));
  expect([...order].sort((a, b) => a - b)).toEqual(range(20));
});

test('a random order depends on seed and pass alone', () => {
  const order = (seed: number, pass: number) =>
    asList(new RandomSampler({ data_source: source }).order({ seed, pass }));
  expect(order(1, 5)).toEqual(order(1, 5));
  expect(order(1, 5)).not.toEqual(order(1, 6));
  expect(order(1, 5)).not.toEqual(order(2, 5));
});

test('num_samples beyond the data begins another permutation', () => {
  const order = asList(new RandomSampler({ data_source: source, num_samples: 50 }).order({ seed: 1, pass: 0 }));
  expect(order).toHaveLength(50);
  expect([...order.slice(20, 40)].sort((a, b) => a - b)).toEqual(range(20));
});

test('parts of a dataset and datasets joined pass lengths on', () => {
  const timed = (...durations: number[]) => Object.assign(new ListDataset({ samples: durations }), { durations });
  const part = new Subset({ dataset: timed(1, 2, 3), indices: [2, 0] });
  expect(part.durations).toEqual([3, 1]);
  expect(new ConcatDataset({ datasets: [part, timed(5)] }).durations).toEqual([3, 1, 5]);
  const untimed = new ListDataset({ samples: [1] });
  expect(new ConcatDataset({ datasets: [part, untimed] }).durations).toBeUndefined();
  expect(new Subset({ dataset: untimed }).durations).toBeUndefined();
});

test('weights decide how often a sample is drawn', () => {
  const drawn = asList(
    new WeightedRandomSampler({ weights: [1, 0, 3], num_samples: 4000 }).order({ seed: 1, pass: 0 }),
  );
  const share = (index: number) => drawn.filter((value) => value === index).length / drawn.length;
  expect(share(1)).toBe(0);
  expect(share(2)).toBeCloseTo(0.75, 1);
  const distinct = asList(
    new WeightedRandomSampler({ weights: [1, 0, 3, 1], num_samples: 3, replacement: false }).order({
      seed: 1,
      pass: 0,
    }),
  );
  expect([...distinct].sort()).toEqual([0, 2, 3]);
  expect(() => new WeightedRandomSampler({ weights: [1, 0], num_samples: 2, replacement: false })).toThrow(/only 1/);
  expect(() => new WeightedRandomSampler({ weights: [1, 2], num_samples: 2, data_source: { length: 1 } })).toThrow(
    /there are 2 weights, but only 1 samples/,
  );
});

test('a bucket sampler keeps batches inside buckets and the short batch last', () => {
  const durations = Array.from({ length: 23 }, (_, i) => (i * 7) % 23);
  const sampler = new BucketSampler({ data_source: { length: 23, durations }, num_buckets: 3, batch_size: 4 });
  const order = asList(sampler.order({ seed: 1, pass: 2 }));
  expect([...order].sort((a, b) => a - b)).toEqual(range(23));
  const bucketOf = (index: number) => sampler.buckets.findIndex((bucket) => bucket.includes(index));
  const pure = range(5).filter((batch) => new Set(order.slice(batch * 4, batch * 4 + 4).map(bucketOf)).size === 1);
  // 8, 8 and 7 samples: five full batches of one bucket; the three left over make the short one.
  expect(sampler.buckets.map((bucket) => bucket.length)).toEqual([8, 7, 8]);
  expect(pure).toHaveLength(5);
  expect(asList(sampler.order({ seed: 1, pass: 3 }))).not.toEqual(order);
});

test('durations that are missing, or none, are told', () => {
  const data_source = { length: 5, durations: [1, 2] };
  expect(() => new BucketSampler({ data_source, num_buckets: 2, batch_size: 1 })).toThrow(/durations/);
  for (const wrong of [Number.NaN, -1, Number.POSITIVE_INFINITY]) {
    const odd = { length: 3, durations: [1, 2, wrong] };
    const says = `the duration of sample 2 is ${wrong}`;
    expect(() => new BucketSampler({ data_source: odd, num_buckets: 2, batch_size: 1 })).toThrow(says);
    expect(() => new DynamicBatchSampler({ data_source: odd, batch_length_threshold: 9 })).toThrow(says);
  }
});

test('dynamic batches stay under the threshold and leave out what is too long', () => {
  const data_source = { length: 6, get_length: (index: number) => [5, 4, 20, 3, 6, 2][index] ?? 0 };
  const plain = new DynamicBatchSampler({ data_source, batch_length_threshold: 10 });
  expect(plain.batches).toEqual([[0, 1], [3, 4], [5]]);
  const sorted = new SortedDynamicBatchSampler({
    data_source,
    batch_length_threshold: 10,
    max_samples: 2,
    drop_last: true,
  });
  // The over-long sample closes the batch before it, so drop_last finds nothing to drop.
  expect(sorted.batches).toEqual([[5, 3], [1, 0], [4]]);
  const shuffled = new DynamicBatchSampler({ data_source, batch_length_threshold: 10, random_seed: 4 });
  const orders = range(8).map((pass) => JSON.stringify(range(3).map((i) => shuffled.plan({ seed: 0, pass }).at(i))));
  expect(new Set(orders).size).toBeGreaterThan(1);
  shuffled.set_epoch(2);
  expect(JSON.stringify(range(3).map((i) => shuffled.plan({ seed: 0, pass: 7 }).at(i)))).toBe(orders[2]);
});

const tasks = new ConcatDataset({
  datasets: { speech: new ListDataset({ samples: range(4) }), music: new ListDataset({ samples: range(2) }) },
});

test('tasks take turns by weight and go on over passes', () => {
  const sampler = new TaskIteratingSampler({
    data_source: tasks,
    shuffle: false,
    task_sampling_weights: { speech: 2 },
  });
  // Turns: speech, music, speech. Four draws a pass: speech 0, music 0, speech 1 | speech 2, then music 1, …
  expect(asList(sampler.order({ seed: 0, pass: 0 }))).toEqual([0, 4, 1, 2]);
  expect(asList(sampler.order({ seed: 0, pass: 1 }))).toEqual([5, 3, 0, 4]);
});

test('a task batch sampler never mixes tasks', () => {
  const sampler = new TaskGroupedIteratingBatchSampler({ data_source: tasks, batch_size: 2, seed: 1 });
  const plan = sampler.plan({ seed: 5, pass: 0 });
  const kinds = range(plan.length).map((i) => plan.at(i).map((index) => (index < 4 ? 'speech' : 'music')));
  expect(kinds).toEqual([
    ['speech', 'speech'],
    ['music', 'music'],
  ]);
  expect(() => new TaskIteratingSampler({ data_source: tasks, task_sampling_weights: { sing: 2 } })).toThrow(
    /speech, music/,
  );
});

test('a sequential task batch sampler ends each task with a short batch, or drops it', () => {
  const options = { data_source: tasks, batch_size: 3, shuffle: false };
  const plan = new TaskGroupedSequentialBatchSampler(options).plan({ seed: 0, pass: 0 });
  expect(range(plan.length).map((i) => plan.at(i))).toEqual([[0, 1, 2], [3], [4, 5]]);
  expect(new TaskGroupedSequentialBatchSampler({ ...options, drop_last: true }).length).toBe(1);
});

test('an option that does not exist is refused by name', () => {
  expect(() => new RandomSampler({ data_source: source, ...{ replacment: true } })).toThrow(/'replacement'/);
});

function range(length: number): number[] {
  return Array.from({ length }, (_, i) => i);
}

function asList(values: ArrayLike<number>): number[] {
  return Array.from(values);
}

test('a subset comes in random order, each once', () => {
  const sampler = new SubsetRandomSampler({ indices: [3, 7, 11, 15], data_source: source });
  const orders = range(12).map((pass) => asList(sampler.order({ seed: 1, pass })));
  for (const order of orders) expect([...order].sort((a, b) => a - b)).toEqual([3, 7, 11, 15]);
  expect(new Set(orders.map(String)).size).toBeGreaterThan(3);
  expect(() => new SubsetRandomSampler({ indices: [3, 20], data_source: source })).toThrow(/0 to 19; 20 is none/);
});

// torch.utils.data.DistributedSampler(range(10), 3, rank, shuffle=False, drop_last=…)
test.each([
  {
    id: 'wrapped to the start',
    drop_last: false,
    ranks: [
      [0, 3, 6, 9],
      [1, 4, 7, 0],
      [2, 5, 8, 1],
    ],
  },
  {
    id: 'cut',
    drop_last: true,
    ranks: [
      [0, 3, 6],
      [1, 4, 7],
      [2, 5, 8],
    ],
  },
])('a distributed sampler gives each rank as much, $id', ({ drop_last, ranks }) => {
  const data_source = { length: 10 };
  ranks.forEach((indices, rank) => {
    const sampler = new DistributedSampler({ data_source, num_replicas: 3, rank, shuffle: false, drop_last });
    expect(asList(sampler.order({ seed: 0, pass: 0 }))).toEqual(indices);
  });
  expect(new DistributedSampler({ data_source }).length).toBe(10);
  expect(() => new DistributedSampler({ data_source, num_replicas: 2, rank: 2 })).toThrow(/below num_replicas/);
});

test('samples that are too long for any batch are listed, and told', () => {
  const data_source = { length: 6, durations: [5, 4, 20, 3, 6, 21] };
  const sampler = new DynamicBatchSampler({ data_source, batch_length_threshold: 10 });
  expect(sampler.dropped).toEqual([2, 5]);
  expect(new DataLoader({ dataset: { ...data_source, get: () => 0 }, batch_sampler: sampler }).notes).toEqual([
    'DynamicBatchSampler leaves out 2 of 6 samples, each longer than batch_length_threshold 10: 2 (20), 5 (21).',
  ]);
});

test.each([
  { id: 'RandomSampler', make: () => new RandomSampler({} as never) },
  { id: 'SequentialSampler', make: () => new SequentialSampler({} as never) },
  { id: 'DynamicBatchSampler', make: () => new DynamicBatchSampler({ batch_length_threshold: 1 } as never) },
  { id: 'BatchSampler', make: () => new FixedBatchSampler({ batch_size: 2 }) },
])('$id without a dataset says how to give it', ({ make }) => {
  expect(make).toThrow(/needs 'data_source'/);
});
