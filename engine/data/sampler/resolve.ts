import { EngineError } from '../../api/errors.ts';
import { batchCount, cutPlan, listPlan } from './plans.ts';
import {
  type BatchSampler,
  isBatchSampler,
  isForeignSampler,
  isIndex,
  isIndexList,
  isSampler,
  type Sampler,
  walkForeign,
} from './sampler.ts';

/** Reads a `sampler` option: ours, an iterable of sample numbers, or a fixed list of them. */
export function readSampler(value: unknown, datasetLength: number): Sampler {
  if (isSampler(value)) return value;
  if (isForeignSampler(value)) {
    return { length: value.length ?? datasetLength, order: (key) => walkForeign(value, key, isIndex) };
  }
  throw new EngineError(
    'data.sampler.kind',
    `'sampler' must have order({seed, pass}) and length, or be an iterable of sample numbers; it is ${describe(value)}.`,
    {},
  );
}

/** Reads a `batch_sampler` option: ours, or an iterable of lists of sample numbers with a length. */
export function readBatchSampler(value: unknown): BatchSampler {
  if (isBatchSampler(value)) return value;
  if (isForeignSampler(value)) {
    const batchSize = 'batch_size' in value && typeof value.batch_size === 'number' ? value.batch_size : undefined;
    const dropLast = 'drop_last' in value && value.drop_last === true;
    const length = value.length ?? walkForeign(value, { seed: 0, pass: 0 }, isIndexList).length;
    return {
      length,
      batch_size: batchSize,
      drop_last: dropLast,
      plan: (key) => listPlan(walkForeign(value, key, isIndexList)),
    };
  }
  throw new EngineError(
    'data.sampler.kind',
    `'batch_sampler' must have plan({seed, pass}) and length, or be an iterable of lists of sample numbers; it is ${describe(value)}.`,
    {},
  );
}

export function batchesOf(sampler: Sampler, batchSize: number, dropLast: boolean): BatchSampler {
  return {
    length: batchCount(sampler.length, batchSize, dropLast),
    batch_size: batchSize,
    drop_last: dropLast,
    plan: (key) => cutPlan(sampler.order(key), batchSize, dropLast),
  };
}

function describe(value: unknown): string {
  return typeof value === 'object' && value !== null ? `a ${value.constructor.name}` : JSON.stringify(value);
}
