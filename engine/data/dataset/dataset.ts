import { EngineError } from '../../api/errors.ts';
import { standsFor } from '../../base/overrides.ts';
import type { PassKey } from './passKey.ts';
import type { SampleContext } from './sampleContext.ts';

/**
 * Samples by number. `get` may be asynchronous; it must give the same sample for the same index and context. Whatever is
 * random in it comes from `context.random`; the context is absent when a sample is only looked at, outside training.
 */
export interface MapDataset<Sample = unknown> {
  readonly length: number;
  get(index: number, context?: SampleContext): Sample | Promise<Sample>;
  /**
   * As `get`, for the default collate, which only stacks: tensors may be `LateTensor`s. A class that derives from the one
   * which has it and overrides `get` alone is asked for `get`; so with `getBatch`.
   */
  getToStack?(index: number, context?: SampleContext): Sample | Promise<Sample>;
  /**
   * Many samples at once, already stacked the way the default collate would (nested host tensors): a faster way that
   * the loader takes when no other collate function was asked for.
   */
  readonly getBatch?: ((indices: readonly number[], key: PassKey) => unknown) | undefined;
}

/** Every `count`-th block of `block` samples, from block `index` on: what one worker thread of one process reads. */
export interface StreamShard {
  readonly block: number;
  readonly index: number;
  readonly count: number;
}

export interface StreamRequest extends PassKey {
  /** Number of the first sample wanted. Always 0 unless the dataset says `canSkip`, or goes on from a state. */
  readonly start: number;
  /** Which samples are wanted. Always all of them unless the dataset says `canShard`. */
  readonly shard: StreamShard;
}

/**
 * Samples in a row, for data without random access. The samples of a pass and their order are a function of the key.
 * Every process and worker thread reads all of it and keeps its share, and a resumed pass is read from its beginning,
 * unless the dataset can do better and says so:
 * - `state_dict` and `load_state_dict`, on the dataset or on what `samples` gives: says where it stands after the sample
 *   given last, and goes on there. The dataset's is loaded before `samples` is called and holds for that call alone,
 *   the iterator's after it, before the first sample. With `canShard` a state is that of one shard;
 * - `canSkip`: `samples` begins at sample number `request.start` without reading those before it;
 * - `canShard`: `samples` gives only samples whose number is `inShard(number, request.shard)`, so that the others need
 *   not be decoded. Over several processes this takes a known `length`.
 */
export interface StreamDataset<Sample = unknown> {
  samples(request: StreamRequest): AsyncIterable<Sample> | Iterable<Sample>;
  /** Number of samples, when known. */
  readonly length?: number;
  readonly canSkip?: boolean;
  readonly canShard?: boolean;
  state_dict?(): unknown;
  load_state_dict?(state: unknown): void;
}

export const wholeStream: StreamShard = { block: 1, index: 0, count: 1 };

/** Whether the sample with this number in the stream belongs to the shard. */
export function inShard(number: number, shard: StreamShard): boolean {
  return Math.floor(number / shard.block) % shard.count === shard.index;
}

/** Base of datasets with random access. */
export abstract class Dataset<Sample = unknown> implements MapDataset<Sample> {
  abstract readonly length: number;
  abstract get(index: number, context?: SampleContext): Sample | Promise<Sample>;

  /** Throws `data.index` unless 0 ≤ index < length. */
  protected checkIndex(index: number): void {
    if (Number.isInteger(index) && index >= 0 && index < this.length) return;
    throw new EngineError(
      'data.index',
      `${this.constructor.name} has ${this.length} samples; there is no sample ${index}.`,
      { index, length: this.length },
    );
  }
}

/** Base of datasets that are read in a row. */
export abstract class IterableDataset<Sample = unknown> implements StreamDataset<Sample> {
  abstract samples(request: StreamRequest): AsyncIterable<Sample> | Iterable<Sample>;
}

/** Whether `getBatch` may be called in place of `get`. */
export function givesBatches(dataset: MapDataset): boolean {
  return dataset.getBatch !== undefined && standsFor(dataset, 'getBatch', 'get');
}

/** The sample by `getToStack` where that may be called in place of `get`. */
export function sampleToStack(dataset: MapDataset, index: number, context?: SampleContext): unknown {
  const mayBeLate = dataset.getToStack !== undefined && standsFor(dataset, 'getToStack', 'get');
  return mayBeLate ? dataset.getToStack?.(index, context) : dataset.get(index, context);
}

export function isMapDataset(value: unknown): value is MapDataset {
  return (
    typeof value === 'object' &&
    value !== null &&
    'length' in value &&
    typeof value.length === 'number' &&
    'get' in value &&
    typeof value.get === 'function'
  );
}

export function isStreamDataset(value: unknown): value is StreamDataset {
  return typeof value === 'object' && value !== null && 'samples' in value && typeof value.samples === 'function';
}
