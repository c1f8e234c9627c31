import { EngineError } from '../../api/errors.ts';
import { type CollateFunction, readCollate, toTensors } from '../collate/collate.ts';
import { DefaultCollate } from '../collate/defaultCollate.ts';
import { ListDataset } from '../dataset/combine.ts';
import { isMapDataset, isStreamDataset, type MapDataset, type StreamDataset } from '../dataset/dataset.ts';
import { checkOptions, requireWhole } from '../options.ts';
import { RandomSampler, SequentialSampler } from '../sampler/basic.ts';
import { batchesOf, readBatchSampler, readSampler } from '../sampler/resolve.ts';
import type { BatchSampler } from '../sampler/sampler.ts';
import { type Shard, type ShardedPlan, shardPlan } from '../sampler/shard.ts';
import { inOrder } from './inOrder.ts';
import { type LoadedBatch, type Loader, type PassOptions, singleShard } from './loader.ts';
import { streamPass } from './streamPass.ts';

export interface DataLoaderOptions {
  /** Map dataset (length and get), stream dataset (samples), or a list of samples. */
  readonly dataset: unknown;
  readonly batch_size?: number | null;
  readonly shuffle?: boolean | null;
  readonly sampler?: unknown;
  readonly batch_sampler?: unknown;
  /** Accepted. Samples are read in the training process; with an asynchronous dataset this many are read at a time. */
  readonly num_workers?: number;
  readonly collate_fn?: unknown;
  readonly drop_last?: boolean;
  /** Batches read ahead of the trainer when the dataset is asynchronous; 2 when absent. */
  readonly prefetch_factor?: number | null;
  /** Seed of the order; the run's seed when absent. */
  readonly seed?: number | null;
  /** Accepted for configs written for PyTorch; there is nothing to pin or to keep here. */
  readonly pin_memory?: boolean;
  readonly persistent_workers?: boolean;
  readonly timeout?: number;
}

const known = [
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
];

/**
 * Batches of a dataset, with torch.utils.data.DataLoader's options and defaults. The order depends only on the seed and
 * the number of the pass; a pass can begin at any batch without reading those before it (map datasets).
 */
export class DataLoader implements Loader {
  readonly dataset: MapDataset | StreamDataset;
  readonly batch_size: number | undefined;
  readonly drop_last: boolean;
  readonly num_workers: number;
  readonly #batches: BatchSampler | undefined;
  readonly #collate: CollateFunction;
  readonly #collatesByDefault: boolean;
  readonly #readAhead: number;
  readonly #seed: number | undefined;
  #defaultSeed = 0;
  #passes = 0;

  constructor(options: DataLoaderOptions) {
    checkOptions('DataLoader', options, known);
    this.dataset = readDataset(options.dataset);
    this.drop_last = options.drop_last ?? false;
    this.num_workers = requireWhole('DataLoader', 'num_workers', options.num_workers ?? 0, 0);
    this.#readAhead =
      requireWhole('DataLoader', 'prefetch_factor', options.prefetch_factor ?? 2, 1) * Math.max(1, this.num_workers);
    this.#seed = options.seed ?? undefined;
    this.#collatesByDefault = options.collate_fn == null;
    const standard = new DefaultCollate();
    this.#collate = options.collate_fn == null ? (samples) => standard.call(samples) : readCollate(options.collate_fn);
    this.#batches = isMapDataset(this.dataset) ? chooseBatches(this.dataset, options) : refuseSamplers(options);
    this.batch_size =
      this.#batches === undefined
        ? requireWhole('DataLoader', 'batch_size', options.batch_size ?? 1, 1)
        : this.#batches.batch_size;
  }

  get length(): number | undefined {
    if (this.#batches !== undefined) return this.#batches.length;
    const samples = this.dataset.length;
    if (samples === undefined || this.batch_size === undefined) return undefined;
    return this.drop_last ? Math.floor(samples / this.batch_size) : Math.ceil(samples / this.batch_size);
  }

  get batchSampler(): BatchSampler | undefined {
    return this.#batches;
  }

  get notes(): readonly string[] {
    if (this.num_workers === 0) return [];
    return [
      `num_workers is ${this.num_workers}: samples are read in the training process; a dataset whose get is asynchronous has up to ${this.#readAhead} batches under way.`,
    ];
  }

  setDefaultSeed(seed: number): void {
    this.#defaultSeed = seed;
  }

  /** Batches this rank gets in a pass. */
  passLength(shard: Shard = singleShard): number | undefined {
    if (this.#batches === undefined) {
      const length = this.length;
      if (length === undefined) return undefined;
      return this.drop_last ? Math.floor(length / shard.worldSize) : Math.ceil(length / shard.worldSize);
    }
    const { length, batch_size, drop_last } = this.#batches;
    return shardPlan({ length, at: () => [] }, { batch_size, drop_last }, shard).length;
  }

  #plan(pass: number, shard: Shard): ShardedPlan {
    const sampler = this.#batches;
    if (sampler === undefined) return { length: 0, at: () => ({ indices: [], real: 0 }) };
    return shardPlan(sampler.plan({ seed: this.#seed ?? this.#defaultSeed, pass }), sampler, shard);
  }

  /** The batches of one pass from `start` on. Whoever iterates owns the tensors and frees them. */
  pass(options: PassOptions): AsyncIterableIterator<LoadedBatch> {
    const { pass, start = 0, shard = singleShard } = options;
    const { dataset } = this;
    if (!isMapDataset(dataset)) {
      const key = { seed: this.#seed ?? this.#defaultSeed, pass };
      const cut = { batchSize: this.batch_size ?? 1, dropLast: this.drop_last, shard, start };
      return streamPass(dataset.samples(key), cut, this.#collate);
    }
    const plan = this.#plan(pass, shard);
    return inOrder({
      start,
      end: plan.length,
      readAhead: this.#readAhead,
      read: (index) => {
        const { indices, real } = plan.at(index);
        const fetched = this.#fetch(dataset, indices);
        if (fetched instanceof Promise) return fetched.then((value) => ({ indices, real, fetched: value }));
        return { indices, real, fetched };
      },
      finish: (index, { indices, real, fetched }) => ({ batch: this.#assemble(fetched), index, indices, real }),
    });
  }

  #fetch(dataset: MapDataset, indices: readonly number[]): Fetched | Promise<Fetched> {
    if (this.#collatesByDefault && dataset.getBatch !== undefined) {
      return { kind: 'stacked', value: dataset.getBatch(indices) };
    }
    const samples: unknown[] = [];
    let waits = false;
    for (const index of indices) {
      const sample = readSample(dataset, index);
      waits ||= sample instanceof Promise;
      samples.push(sample);
    }
    return waits
      ? Promise.all(samples).then((values) => ({ kind: 'samples', values }))
      : { kind: 'samples', values: samples };
  }

  #assemble(fetched: Fetched): unknown {
    return fetched.kind === 'stacked' ? toTensors(fetched.value) : this.#collate(fetched.values);
  }

  /** Each iteration is a pass of its own, as in PyTorch; the trainer counts passes itself. */
  async *[Symbol.asyncIterator](): AsyncGenerator<unknown> {
    for await (const { batch } of this.pass({ pass: this.#passes++ })) yield batch;
  }
}

type Fetched =
  | { readonly kind: 'stacked'; readonly value: unknown }
  | { readonly kind: 'samples'; readonly values: readonly unknown[] };

function readSample(dataset: MapDataset, index: number): unknown {
  try {
    const sample = dataset.get(index);
    return sample instanceof Promise
      ? sample.catch((error: unknown) => Promise.reject(sampleFailed(error, index)))
      : sample;
  } catch (error) {
    throw sampleFailed(error, index);
  }
}

function sampleFailed(error: unknown, index: number): EngineError {
  const reason = error instanceof Error ? error.message : String(error);
  return new EngineError(
    'data.sample',
    `Sample ${index} of the dataset could not be read: ${reason}`,
    { index },
    { cause: error },
  );
}

function readDataset(value: unknown): MapDataset | StreamDataset {
  if (isMapDataset(value) || isStreamDataset(value)) return value;
  if (Array.isArray(value)) return new ListDataset({ samples: value });
  throw new EngineError(
    'data.dataset',
    `DataLoader: 'dataset' must have length and get(index), or samples(), or be a list; it is ${value === undefined ? 'missing' : typeof value}.`,
    {},
  );
}

function chooseBatches(dataset: MapDataset, options: DataLoaderOptions): BatchSampler {
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
  return batchesOf(sampler, batchSize, options.drop_last ?? false);
}

function refuseSamplers(options: DataLoaderOptions): undefined {
  const clash = ['sampler', 'batch_sampler'].filter((key) => Reflect.get(options, key) != null);
  if (options.shuffle === true) clash.push('shuffle');
  if (clash.length > 0) throw exclusive('a dataset that is read in a row', clash);
  return undefined;
}

function exclusive(one: string, others: readonly string[]): EngineError {
  return new EngineError(
    'data.loader.options',
    `DataLoader: ${one} excludes ${others.join(', ')}. Remove one of them.`,
    {
      one,
      others,
    },
  );
}
