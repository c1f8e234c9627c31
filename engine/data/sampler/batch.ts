import type { PassKey } from '../dataset/passKey.ts';
import { checkOptions, requireWhole } from '../options.ts';
import { SequentialSampler } from './basic.ts';
import type { BatchPlan, BatchSampler, Sampler, SizedSource } from './sampler.ts';

export interface FixedBatchSamplerOptions {
  /** Or data_source alone, whose samples then come in order. */
  readonly sampler?: Sampler | null;
  readonly data_source?: SizedSource;
  readonly batch_size: number;
  readonly drop_last?: boolean;
}

/** Cuts a sampler's order into batches of one size (torch.utils.data.BatchSampler). */
export class FixedBatchSampler implements BatchSampler {
  readonly batch_size: number;
  readonly drop_last: boolean;
  readonly #sampler: Sampler;

  constructor(options: FixedBatchSamplerOptions) {
    checkOptions('BatchSampler', options, ['sampler', 'data_source', 'batch_size', 'drop_last']);
    this.batch_size = requireWhole('BatchSampler', 'batch_size', options.batch_size, 1);
    this.drop_last = options.drop_last ?? false;
    this.#sampler = options.sampler ?? new SequentialSampler({ data_source: options.data_source ?? { length: 0 } });
  }

  get length(): number {
    return batchCount(this.#sampler.length, this.batch_size, this.drop_last);
  }

  plan(key: PassKey): BatchPlan {
    return cutPlan(this.#sampler.order(key), this.batch_size, this.drop_last);
  }
}

export function batchCount(samples: number, batchSize: number, dropLast: boolean): number {
  return dropLast ? Math.floor(samples / batchSize) : Math.ceil(samples / batchSize);
}

export function cutPlan(order: ArrayLike<number>, batchSize: number, dropLast: boolean): BatchPlan {
  return {
    length: batchCount(order.length, batchSize, dropLast),
    at: (index) => {
      const start = index * batchSize;
      const size = Math.max(0, Math.min(batchSize, order.length - start));
      return Array.from({ length: size }, (_, i) => order[start + i] ?? 0);
    },
  };
}

export function listPlan(batches: readonly (readonly number[])[]): BatchPlan {
  return { length: batches.length, at: (index) => batches[index] ?? [] };
}
