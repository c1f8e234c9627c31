import { EngineError } from '../../api/errors.ts';
import type { PassKey } from '../dataset/passKey.ts';
import { checkOptions, requireWhole } from '../options.ts';
import { passRandom } from './basic.ts';
import { listPlan } from './plans.ts';
import { type BatchPlan, type BatchSampler, checkDurations, requireSource, type SizedSource } from './sampler.ts';

export interface LengthSource extends SizedSource {
  /** The length of a sample, without loading it. */
  get_length?(index: number): number;
  readonly durations?: ArrayLike<number>;
}

export interface DynamicBatchSamplerOptions {
  readonly data_source: LengthSource;
  /** Largest sum of lengths in a batch; samples longer than this are left out. */
  readonly batch_length_threshold: number;
  /** Most samples in a batch, 0 for no limit. */
  readonly max_samples?: number;
  /** null keeps the order of the batches. */
  readonly random_seed?: number | null;
  readonly drop_last?: boolean;
}

/**
 * Batches by summed length rather than by count (AccelHydra's f5tts example). Batches are made once; `random_seed`
 * shuffles their order anew each pass. It has no `batch_size`, so a trainer needs even_batches: false and drop_last.
 */
export class DynamicBatchSampler implements BatchSampler {
  readonly batches: readonly (readonly number[])[];
  readonly drop_last: boolean;
  /** Samples that are longer than the threshold by themselves, and so are in no batch. */
  readonly dropped: readonly number[];
  readonly notes: readonly string[];
  readonly #seed: number | undefined;
  #epoch: number | undefined;

  constructor(options: DynamicBatchSamplerOptions) {
    const owner = new.target.name;
    checkOptions(owner, options, ['data_source', 'batch_length_threshold', 'max_samples', 'random_seed', 'drop_last']);
    this.drop_last = options.drop_last ?? false;
    this.#seed = options.random_seed ?? undefined;
    const lengths = readLengths(owner, requireSource(owner, options.data_source));
    if (!(options.batch_length_threshold > 0)) {
      throw new EngineError('options.invalid', `${owner}: 'batch_length_threshold' must be above zero.`, {});
    }
    const threshold = options.batch_length_threshold;
    this.dropped = lengths.flatMap((length, index) => (length > threshold ? [index] : []));
    this.notes = this.dropped.length === 0 ? [] : [describeDropped(owner, this.dropped, lengths, threshold)];
    this.batches = fill(
      this.sampleOrder(lengths),
      lengths,
      threshold,
      requireWhole(owner, 'max_samples', options.max_samples ?? 0, 0),
      this.drop_last,
    );
  }

  /** In which order samples are put into batches. */
  protected sampleOrder(lengths: readonly number[]): readonly number[] {
    return lengths.map((_, index) => index);
  }

  get length(): number {
    return this.batches.length;
  }

  /** Pins the pass whose order is given; without it the loader's pass counts. */
  set_epoch(epoch: number): void {
    this.#epoch = epoch;
  }

  plan(key: PassKey): BatchPlan {
    if (this.#seed === undefined) return listPlan(this.batches);
    const order = passRandom('dynamic', { seed: this.#seed, pass: this.#epoch ?? key.pass }).permutation(
      this.batches.length,
    );
    return { length: order.length, at: (index) => this.batches[order[index] ?? 0] ?? [] };
  }
}

/** Sorts by length first, so that a batch holds samples of similar length. */
export class SortedDynamicBatchSampler extends DynamicBatchSampler {
  protected override sampleOrder(lengths: readonly number[]): readonly number[] {
    return lengths.map((_, index) => index).sort((a, b) => (lengths[a] ?? 0) - (lengths[b] ?? 0) || a - b);
  }
}

function describeDropped(
  owner: string,
  dropped: readonly number[],
  lengths: readonly number[],
  threshold: number,
): string {
  const shown = dropped.slice(0, 5).map((index) => `${index} (${lengths[index]})`);
  const more = dropped.length > shown.length ? ', …' : '';
  return `${owner} leaves out ${dropped.length} of ${lengths.length} samples, each longer than batch_length_threshold ${threshold}: ${shown.join(', ')}${more}.`;
}

function readLengths(owner: string, source: LengthSource): readonly number[] {
  const lengths =
    typeof source.get_length === 'function'
      ? Array.from({ length: source.length }, (_, index) => source.get_length?.(index) ?? 0)
      : source.durations;
  if (lengths !== undefined) {
    checkDurations(owner, lengths);
    return Array.from(lengths);
  }
  throw new EngineError('data.sampler.lengths', `${owner} needs a dataset with get_length(index) or 'durations'.`, {});
}

function fill(
  order: readonly number[],
  lengths: readonly number[],
  threshold: number,
  maxSamples: number,
  dropLast: boolean,
): number[][] {
  const batches: number[][] = [];
  let batch: number[] = [];
  let sum = 0;
  for (const index of order) {
    const length = lengths[index] ?? 0;
    if (sum + length <= threshold && (maxSamples === 0 || batch.length < maxSamples)) {
      batch.push(index);
      sum += length;
      continue;
    }
    if (batch.length > 0) batches.push(batch);
    batch = length <= threshold ? [index] : [];
    sum = length <= threshold ? length : 0;
  }
  if (!dropLast && batch.length > 0) batches.push(batch);
  return batches;
}
