import { expect, test } from 'vitest';
import { shardPlan } from '../../../engine/data/index.ts';

// What accelerate 1.x's BatchSamplerShard yields for range(samples) cut into batches (split_batches false).
test.each([
  {
    id: 'even batches',
    samples: 8,
    batch: 2,
    drop: false,
    even: true,
    ranks: [
      [
        [0, 1],
        [4, 5],
      ],
      [
        [2, 3],
        [6, 7],
      ],
    ],
  },
  {
    id: 'a missing batch is filled from the start',
    samples: 6,
    batch: 2,
    drop: false,
    even: true,
    ranks: [
      [
        [0, 1],
        [4, 5],
      ],
      [
        [2, 3],
        [0, 1],
      ],
    ],
  },
  {
    id: 'a short batch, then a missing one',
    samples: 5,
    batch: 2,
    drop: false,
    even: true,
    ranks: [
      [
        [0, 1],
        [4, 0],
      ],
      [
        [2, 3],
        [1, 2],
      ],
    ],
  },
  {
    id: 'a short last batch of the last rank',
    samples: 7,
    batch: 2,
    drop: false,
    even: true,
    ranks: [
      [
        [0, 1],
        [4, 5],
      ],
      [
        [2, 3],
        [6, 0],
      ],
    ],
  },
  {
    id: 'less data than one round',
    samples: 1,
    batch: 2,
    drop: false,
    even: true,
    ranks: [[[0, 0]], [[0, 0]]],
  },
  {
    id: 'drop last drops the unfinished round',
    samples: 7,
    batch: 2,
    drop: true,
    even: true,
    ranks: [[[0, 1]], [[2, 3]]],
  },
  {
    id: 'uneven: nothing is added',
    samples: 5,
    batch: 2,
    drop: false,
    even: false,
    ranks: [[[0, 1], [4]], [[2, 3]]],
  },
])('shards as accelerate does: $id', ({ samples, batch, drop, even, ranks }) => {
  const count = drop ? Math.floor(samples / batch) : Math.ceil(samples / batch);
  const plan = {
    length: count,
    at: (index: number) =>
      Array.from({ length: Math.min(batch, samples - index * batch) }, (_, i) => index * batch + i),
  };
  const got = [0, 1].map((rank) => {
    const shard = shardPlan(
      plan,
      { batch_size: batch, drop_last: drop },
      { rank, worldSize: 2, mode: even ? 'wrap' : 'uneven' },
    );
    return Array.from({ length: shard.length }, (_, i) => shard.at(i).indices);
  });
  expect(got).toEqual(ranks);
});

test('exact shards keep ranks in step and count every sample once', () => {
  const plan = { length: 3, at: (index: number) => (index === 2 ? [4] : [index * 2, index * 2 + 1]) };
  const shards = [0, 1].map((rank) => shardPlan(plan, { batch_size: 2 }, { rank, worldSize: 2, mode: 'exact' }));
  expect(shards.map((shard) => shard.length)).toEqual([2, 2]);
  expect(shards[0]?.at(1)).toEqual({ indices: [4], real: 1 });
  expect(shards[1]?.at(1)).toEqual({ indices: [0, 1], real: 0 });
});

test('batches without a size cannot be made even', () => {
  const plan = { length: 3, at: () => [0] };
  expect(() => shardPlan(plan, {}, { rank: 0, worldSize: 2, mode: 'wrap' })).toThrow(/even_batches: false/);
});
