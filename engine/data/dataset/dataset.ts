import { EngineError } from '../../api/errors.ts';

/** Samples by number. `get` may be asynchronous; it must give the same sample for the same index. */
export interface MapDataset<Sample = unknown> {
  readonly length: number;
  get(index: number): Sample | Promise<Sample>;
  /**
   * Many samples at once, already stacked the way the default collate would (nested host tensors): a faster way that
   * the loader takes when no other collate function was asked for.
   */
  getBatch?(indices: readonly number[]): unknown;
}

/** Which pass over the data is wanted: with the seed, all that an order may depend on. */
export interface PassKey {
  readonly seed: number;
  readonly pass: number;
}

/** Samples in a row, for data without random access. Every rank reads all of it and keeps its share. */
export interface StreamDataset<Sample = unknown> {
  samples(key: PassKey): AsyncIterable<Sample> | Iterable<Sample>;
  /** When known. */
  readonly length?: number;
}

/** Base of datasets with random access. */
export abstract class Dataset<Sample = unknown> implements MapDataset<Sample> {
  abstract readonly length: number;
  abstract get(index: number): Sample | Promise<Sample>;

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
  abstract samples(key: PassKey): AsyncIterable<Sample> | Iterable<Sample>;
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
