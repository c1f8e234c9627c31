import { EngineError } from '../../api/errors.ts';
import { ListDataset } from '../dataset/combine.ts';
import { isMapDataset, isStreamDataset, type MapDataset, type StreamDataset } from '../dataset/dataset.ts';
import { requireWhole } from '../options.ts';
import { RandomSampler, SequentialSampler } from '../sampler/basic.ts';
import { batchesOf, readBatchSampler, readSampler } from '../sampler/resolve.ts';
import type { BatchSampler } from '../sampler/sampler.ts';
import type { WorkerRecipe } from '../worker/recipe.ts';

export interface DataLoaderOptions {
  /** Map dataset (length and get), stream dataset (samples), or a list of samples. */
  readonly dataset: unknown;
  readonly batch_size?: number | null;
  readonly shuffle?: boolean | null;
  readonly sampler?: unknown;
  readonly batch_sampler?: unknown;
  /** Threads that read and collate samples beside the training; 0 reads them in the training process. */
  readonly num_workers?: number;
  readonly collate_fn?: unknown;
  readonly drop_last?: boolean;
  /** Batches read ahead of the trainer for each worker (or, without workers, of an asynchronous dataset); 2 when absent. */
  readonly prefetch_factor?: number | null;
  /** Keeps the workers from pass to pass until the training ends; true when absent. False ends them with each pass. */
  readonly persistent_workers?: boolean | null;
  /** Seconds to wait for a batch of the workers, 0 for ever. */
  readonly timeout?: number;
  /** Seed of order and augmentations; the run's seed when absent. */
  readonly seed?: number | null;
  /**
   * A stream that says where it stands (state_dict) is asked so after every so many batches of each reader; 1 when absent. With more,
   * a resume reads again what came after.
   */
  readonly snapshot_every_n_steps?: number | null;
  /** Accepted for configs written for PyTorch: TensorFlow.js has no pinned memory. */
  readonly pin_memory?: boolean;
  /** How workers make the dataset again, where the loader is built in code; a config needs none. */
  readonly worker_recipe?: WorkerRecipe | null;
}

export const loaderOptionNames: readonly (keyof DataLoaderOptions)[] = [
  'dataset',
  'batch_size',
  'shuffle',
  'sampler',
  'batch_sampler',
  'num_workers',
  'collate_fn',
  'drop_last',
  'prefetch_factor',
  'seed',
  'pin_memory',
  'persistent_workers',
  'timeout',
  'snapshot_every_n_steps',
  'worker_recipe',
];

export function readDataset(value: unknown): MapDataset | StreamDataset {
  if (isMapDataset(value) || isStreamDataset(value)) return value;
  if (Array.isArray(value)) return new ListDataset({ samples: value });
  throw new EngineError(
    'data.dataset',
    `DataLoader: 'dataset' must have length and get(index), or samples(), or be a list; it is ${describeDataset(value)}.`,
    {},
  );
}

function describeDataset(value: unknown): string {
  if (value === undefined) return 'missing';
  if (value === null) return 'null';
  return typeof value === 'object' ? `an instance of ${value.constructor?.name ?? 'a class'}` : `a ${typeof value}`;
}

export function readTimeout(value: number | undefined): number {
  const timeout = value ?? 0;
  if (typeof timeout === 'number' && timeout >= 0) return timeout;
  throw new EngineError('options.invalid', `DataLoader: 'timeout' is in seconds, 0 or more; it is ${timeout}.`, {});
}

/** The batches that `sampler`, `batch_sampler`, `batch_size`, `shuffle` and `drop_last` ask for. */
export function chooseBatches(dataset: MapDataset, options: DataLoaderOptions): BatchSampler {
  if (options.batch_sampler != null) {
    const clash = [
      options.batch_size != null && options.batch_size !== 1 ? 'batch_size' : undefined,
      options.shuffle === true ? 'shuffle' : undefined,
      options.sampler != null ? 'sampler' : undefined,
      options.drop_last === true ? 'drop_last' : undefined,
    ].filter((name) => name !== undefined);
    if (clash.length > 0) throw exclusive('batch_sampler', clash);
    return readBatchSampler(options.batch_sampler);
  }
  if (options.sampler != null && options.shuffle === true) throw exclusive('sampler', ['shuffle']);
  const batchSize = requireWhole('DataLoader', 'batch_size', options.batch_size ?? 1, 1);
  const source = { data_source: dataset };
  const standard = () => (options.shuffle === true ? new RandomSampler(source) : new SequentialSampler(source));
  if (dataset.length === 0 && options.sampler == null) return batchesOf(new SequentialSampler(source), batchSize, true);
  const sampler = options.sampler == null ? standard() : readSampler(options.sampler, dataset.length);
  checkSizes(options.sampler, batchSize);
  return batchesOf(sampler, batchSize, options.drop_last ?? false);
}

/** A sampler that arranges whole batches (BucketSampler) must be cut where it means its batches to end. */
function checkSizes(sampler: unknown, batchSize: number): void {
  const own: unknown = typeof sampler === 'object' && sampler !== null ? Reflect.get(sampler, 'batch_size') : undefined;
  if (typeof own !== 'number' || own === batchSize) return;
  throw new EngineError(
    'data.loader.options',
    `DataLoader: batch_size is ${batchSize}, but its sampler arranges batches of ${own}. Set both to the same number.`,
    { batch_size: batchSize, sampler: own },
  );
}

/** A stream has its own order. */
export function refuseSamplers(options: DataLoaderOptions): undefined {
  const clash = ['sampler', 'batch_sampler'].filter((key) => Reflect.get(options, key) != null);
  if (options.shuffle === true) clash.push('shuffle');
  if (clash.length > 0) throw exclusive('a dataset that is read in a row', clash);
  return undefined;
}

function exclusive(one: string, others: readonly string[]): EngineError {
  return new EngineError(
    'data.loader.options',
    `DataLoader: ${one} excludes ${others.join(', ')}. Remove one of them.`,
    { one, others },
  );
}
