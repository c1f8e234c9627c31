import { EngineError } from '../../api/errors.ts';
import type { BatchPlan, BatchSampler } from './sampler.ts';

export interface Shard {
  readonly rank: number;
  readonly worldSize: number;
  /**
   * `wrap`: for training; every rank gets the same number of full batches, samples of the start fill the end.
   * `uneven`: nothing is added; the last ranks may get a batch less. `exact`: for validation; every rank takes part in
   * the same number of steps, and each sample counts once (see `ShardedBatch.real`).
   */
  readonly mode: 'wrap' | 'uneven' | 'exact';
}

export interface ShardedBatch {
  readonly indices: readonly number[];
  /** How many of them count; 0 when the batch only keeps this rank in step with the others. */
  readonly real: number;
}

export interface ShardedPlan {
  readonly length: number;
  at(index: number): ShardedBatch;
}

/**
 * Rank i's batches: i, i+N, i+2N, … as accelerate's BatchSamplerShard deals them out. With `drop_last`, batches beyond
 * a multiple of N are dropped. Throws `data.shard.batch-size` when `wrap` meets batches without a fixed size.
 */
export function shardPlan(
  plan: BatchPlan,
  sampler: Pick<BatchSampler, 'batch_size' | 'drop_last'>,
  shard: Shard,
): ShardedPlan {
  if (shard.worldSize === 1) return { length: plan.length, at: (index) => whole(plan.at(index)) };
  if (shard.mode === 'exact') return exactPlan(plan, shard);
  if (sampler.drop_last === true) return strided(plan, shard, Math.floor(plan.length / shard.worldSize));
  if (shard.mode === 'uneven') {
    return strided(plan, shard, Math.ceil((plan.length - shard.rank) / shard.worldSize));
  }
  return wrappedPlan(plan, sampler.batch_size, shard);
}

function whole(indices: readonly number[]): ShardedBatch {
  return { indices, real: indices.length };
}

function strided(plan: BatchPlan, shard: Shard, length: number): ShardedPlan {
  return { length: Math.max(0, length), at: (index) => whole(plan.at(index * shard.worldSize + shard.rank)) };
}

function exactPlan(plan: BatchPlan, shard: Shard): ShardedPlan {
  return {
    length: Math.ceil(plan.length / shard.worldSize),
    at: (index) => {
      const number = index * shard.worldSize + shard.rank;
      return number < plan.length ? whole(plan.at(number)) : { indices: plan.at(0), real: 0 };
    },
  };
}

function wrappedPlan(plan: BatchPlan, batchSize: number | undefined, shard: Shard): ShardedPlan {
  if (batchSize === undefined) {
    throw new EngineError(
      'data.shard.batch-size',
      `The batch sampler has no 'batch_size', so its batches cannot be made even over ${shard.worldSize} processes. Set trainer.even_batches: false and drop_last: true on the sampler.`,
      { worldSize: shard.worldSize },
    );
  }
  // Samples of the first N batches, repeated, fill what the last batch and the missing ones lack.
  const filling: number[] = [];
  for (let i = 0; i < Math.min(shard.worldSize, plan.length); i++) filling.push(...plan.at(i));
  const lastNumber = plan.length - 1;
  const lack = lastNumber >= 0 ? batchSize - plan.at(lastNumber).length : 0;
  return {
    length: Math.ceil(plan.length / shard.worldSize),
    at: (index) => {
      const number = index * shard.worldSize + shard.rank;
      if (number < lastNumber) return whole(plan.at(number));
      const own = number === lastNumber ? plan.at(number) : [];
      const start = number === lastNumber ? 0 : lack + (number - lastNumber - 1) * batchSize;
      const added = Array.from(
        { length: batchSize - own.length },
        (_, i) => filling[(start + i) % filling.length] ?? 0,
      );
      return { indices: [...own, ...added], real: own.length };
    },
  };
}
