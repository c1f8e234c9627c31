import { EngineError } from '../../api/errors.ts';
import type { PassKey } from '../dataset/passKey.ts';

/**
 * Gives the sample numbers of a pass. The order is a function of (seed, pass) alone, so any place in it can be reached
 * again without walking there.
 */
export interface Sampler {
  readonly length: number;
  order(key: PassKey): ArrayLike<number>;
}

/** The batches of one pass, by number. */
export interface BatchPlan {
  readonly length: number;
  at(index: number): readonly number[];
}

export interface BatchSampler {
  /** Batches in a pass. */
  readonly length: number;
  /** Absent when batches differ in size; then they cannot be evened out between processes. */
  readonly batch_size?: number | undefined;
  readonly drop_last?: boolean | undefined;
  /** What a person should know of its batches, for the run's log: samples left out. */
  readonly notes?: readonly string[];
  plan(key: PassKey): BatchPlan;
}

/** What samplers need to know of a dataset. */
export interface SizedSource {
  readonly length: number;
}

/** Throws `data.sampler.source` where a sampler was not given its dataset. */
export function requireSource<T extends SizedSource>(owner: string, source: T | undefined | null): T {
  if (typeof source === 'object' && source !== null && typeof source.length === 'number') return source;
  throw new EngineError(
    'data.sampler.source',
    `${owner} needs 'data_source', a dataset with a length. In a dataloader section it is given by itself; in code pass it: new ${owner}({ data_source: dataset, … }).`,
    { owner },
  );
}

/** Throws `data.sampler.durations` for a sample whose duration is no number to sort and add up by. */
export function checkDurations(owner: string, durations: ArrayLike<number>): void {
  for (let index = 0; index < durations.length; index++) {
    const value = durations[index];
    if (typeof value === 'number' && value >= 0 && value < Number.POSITIVE_INFINITY) continue;
    throw new EngineError(
      'data.sampler.durations',
      `${owner}: the duration of sample ${index} is ${value}; each must be a number of at least 0. Correct the data or leave the sample out (an empty field of a CSV file counts as NaN).`,
      { owner, index },
    );
  }
}

export interface ForeignSampler {
  readonly length?: number;
  set_epoch?(epoch: number): void;
  [Symbol.iterator](): Iterator<unknown>;
}

export function isSampler(value: unknown): value is Sampler {
  return typeof value === 'object' && value !== null && 'order' in value && typeof value.order === 'function';
}

export function isBatchSampler(value: unknown): value is BatchSampler {
  return typeof value === 'object' && value !== null && 'plan' in value && typeof value.plan === 'function';
}

/** An iterable as PyTorch's samplers are, optionally with `set_epoch` and `length`. */
export function isForeignSampler(value: unknown): value is ForeignSampler {
  return typeof value === 'object' && value !== null && Symbol.iterator in value;
}

/**
 * Reads one pass of an iterable sampler. It is walked once a pass and kept, so that skipping inside the pass is free.
 * An endless iterable must state its `length`.
 */
export function walkForeign<T>(sampler: ForeignSampler, key: PassKey, check: (value: unknown) => value is T): T[] {
  sampler.set_epoch?.(key.pass);
  const values: T[] = [];
  const limit = sampler.length ?? Number.POSITIVE_INFINITY;
  for (const value of sampler) {
    if (values.length >= limit) break;
    if (!check(value)) {
      throw new EngineError(
        'data.sampler.item',
        `${sampler.constructor.name} gave ${JSON.stringify(value)} as item ${values.length}; a sampler gives sample numbers, a batch sampler lists of them.`,
        { item: values.length },
      );
    }
    values.push(value);
    if (values.length > 2 ** 31) {
      throw new EngineError(
        'data.sampler.endless',
        `${sampler.constructor.name} does not end and states no length.`,
        {},
      );
    }
  }
  return values;
}

export function isIndex(value: unknown): value is number {
  return typeof value === 'number';
}

export function isIndexList(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every(isIndex);
}
