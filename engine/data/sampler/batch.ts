import type { PassKey } from '../dataset/passKey.ts';
import { checkOptions, requireWhole } from '../options.ts';
import { SequentialSampler } from './basic.ts';
import { batchCount, cutPlan } from './plans.ts';
import { readSampler } from './resolve.ts';
import { type BatchPlan, type BatchSampler, requireSource, type Sampler, type SizedSource } from './sampler.ts';

export interface FixedBatchSamplerOptions {
  /** Also an iterable of sample numbers. Without it the samples of data_source come in order. */
  readonly sampler?: Sampler | Iterable<number> | null;
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
    this.#sampler =
      options.sampler == null
        ? new SequentialSampler({ data_source: requireSource('BatchSampler', options.data_source) })
        : readSampler(options.sampler, options.data_source?.length ?? 0);
  }

  get length(): number {
    return batchCount(this.#sampler.length, this.batch_size, this.drop_last);
  }

  plan(key: PassKey): BatchPlan {
    return cutPlan(this.#sampler.order(key), this.batch_size, this.drop_last);
  }
}
