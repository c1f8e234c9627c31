import { EngineError } from '../../api/errors.ts';
import type { PassKey } from '../dataset/passKey.ts';
import { checkOptions, requireWhole } from '../options.ts';
import { passRandom } from './basic.ts';
import { checkDurations, type Sampler, type SizedSource } from './sampler.ts';

export interface DurationSource extends SizedSource {
  /** One number for each sample, in the dataset's own unit. */
  readonly durations: ArrayLike<number>;
}

export interface BucketSamplerOptions {
  readonly data_source: DurationSource;
  readonly num_buckets: number;
  /** Must equal the loader's batch_size: the sampler gives sample numbers, the loader cuts them. */
  readonly batch_size: number;
  readonly shuffle?: boolean;
  readonly drop_last?: boolean;
  readonly seed?: number | null;
}

/**
 * AccelHydra's BucketSampler: samples of similar duration come in the same batch. Bucket borders are the linear
 * percentiles of the durations; each bucket gives its full batches first, what is left over is pooled in bucket order;
 * `shuffle` mixes inside buckets and the order of batches, by (seed, pass).
 */
export class BucketSampler implements Sampler {
  readonly buckets: readonly (readonly number[])[];
  readonly batch_size: number;
  readonly drop_last: boolean;
  readonly length: number;
  readonly #shuffle: boolean;
  readonly #seed: number;

  constructor(options: BucketSamplerOptions) {
    checkOptions('BucketSampler', options, [
      'data_source',
      'num_buckets',
      'batch_size',
      'shuffle',
      'drop_last',
      'seed',
    ]);
    const { durations } = options.data_source;
    if (durations === undefined || durations.length !== options.data_source.length) {
      throw new EngineError(
        'data.sampler.durations',
        `BucketSampler needs a dataset with 'durations', one number for each of its ${options.data_source.length} samples; it has ${durations === undefined ? 'none' : durations.length}.`,
        { length: options.data_source.length },
      );
    }
    checkDurations('BucketSampler', durations);
    this.batch_size = requireWhole('BucketSampler', 'batch_size', options.batch_size, 1);
    this.drop_last = options.drop_last ?? false;
    this.#shuffle = options.shuffle ?? true;
    this.#seed = options.seed ?? 0;
    this.buckets = assignBuckets(durations, requireWhole('BucketSampler', 'num_buckets', options.num_buckets, 1));
    this.length = this.drop_last ? Math.floor(durations.length / this.batch_size) * this.batch_size : durations.length;
  }

  order(key: PassKey): ArrayLike<number> {
    const random = passRandom('bucket', key, this.#seed);
    const batches: Int32Array[] = [];
    const leftovers: number[] = [];
    for (const bucket of this.buckets) {
      const members = Int32Array.from(bucket);
      if (this.#shuffle) random.shuffle(members);
      const full = Math.floor(members.length / this.batch_size) * this.batch_size;
      for (let start = 0; start < full; start += this.batch_size)
        batches.push(members.subarray(start, start + this.batch_size));
      leftovers.push(...members.subarray(full));
    }
    for (let start = 0; start < leftovers.length; start += this.batch_size) {
      const rest = leftovers.slice(start, start + this.batch_size);
      if (rest.length === this.batch_size || !this.drop_last) batches.push(Int32Array.from(rest));
    }
    return this.#join(batches, random);
  }

  #join(batches: readonly Int32Array[], random: ReturnType<typeof passRandom>): Int32Array {
    const numbers = Int32Array.from({ length: batches.length }, (_, i) => i);
    // A short batch stays last: in the middle it would shift the borders at which the loader cuts.
    const short = batches.at(-1)?.length === this.batch_size ? 0 : 1;
    if (this.#shuffle) random.shuffle(numbers.subarray(0, Math.max(0, batches.length - short)));
    const order = new Int32Array(this.length);
    let start = 0;
    for (const number of numbers) {
      const batch = batches[number];
      if (batch === undefined) continue;
      order.set(batch, start);
      start += batch.length;
    }
    return order;
  }
}

function assignBuckets(durations: ArrayLike<number>, count: number): number[][] {
  const buckets: number[][] = Array.from({ length: count }, () => []);
  if (durations.length === 0) return buckets;
  const sorted = Float64Array.from(durations).sort();
  const thresholds = Array.from({ length: count }, (_, i) => percentile(sorted, ((i + 1) * 100) / count));
  for (let index = 0; index < durations.length; index++) {
    const value = durations[index] ?? 0;
    const place = count === 1 ? 0 : thresholds.filter((threshold) => value >= threshold).length;
    buckets[Math.min(place, count - 1)]?.push(index);
  }
  return buckets;
}

/** Linear interpolation between closest ranks, as NumPy computes it (its lerp keeps the ends exact). */
function percentile(sorted: Float64Array, percent: number): number {
  const position = (percent / 100) * (sorted.length - 1);
  const below = Math.min(Math.floor(position), sorted.length - 1);
  const low = sorted[below] ?? 0;
  const high = sorted[Math.min(below + 1, sorted.length - 1)] ?? low;
  const part = position - below;
  return part < 0.5 ? low + (high - low) * part : high - (high - low) * (1 - part);
}
