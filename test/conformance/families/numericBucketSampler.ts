import { z } from 'zod';
import { BucketSampler } from '../../../engine/data/index.ts';

const BucketCase = z.object({
  id: z.string(),
  durations: z.array(z.number()),
  num_buckets: z.number().int(),
  batch_size: z.number().int(),
  drop_last: z.boolean(),
  buckets: z.array(z.array(z.number().int())),
  length: z.number().int(),
  order_without_shuffle: z.array(z.number().int()),
});

/** Buckets, length and order as recorded; with shuffling, the same samples in batches of the same make-up. */
export const numericBucketSampler = {
  name: 'numeric_bucket_sampler',
  file: 'numeric_bucket_sampler.json',
  run(input: unknown): string | undefined {
    const vector = BucketCase.parse(input);
    const { durations, num_buckets, batch_size, drop_last } = vector;
    const options = { data_source: { length: durations.length, durations }, num_buckets, batch_size, drop_last };
    const sampler = new BucketSampler({ ...options, shuffle: false });
    const key = { seed: 1, pass: 0 };
    return (
      difference('buckets', sampler.buckets, vector.buckets) ??
      difference('length', sampler.length, vector.length) ??
      difference('order', Array.from(sampler.order(key)), vector.order_without_shuffle) ??
      difference('shuffled length', new BucketSampler(options).order(key).length, vector.length)
    );
  },
};

function difference(what: string, found: unknown, expected: unknown): string | undefined {
  const [left, right] = [JSON.stringify(found), JSON.stringify(expected)];
  return left === right ? undefined : `${what}: ${left} instead of ${right}`;
}
