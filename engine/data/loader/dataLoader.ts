import { type CollateFunction, readCollate, toTensors } from '../collate/collate.ts';
import { DefaultCollate } from '../collate/defaultCollate.ts';
import { isMapDataset, type MapDataset, type StreamDataset } from '../dataset/dataset.ts';
import type { PassKey } from '../dataset/passKey.ts';
import { nameOf } from '../dataset/stateful.ts';
import { checkOptions, requireWhole } from '../options.ts';
import type { BatchSampler } from '../sampler/sampler.ts';
import { type Shard, type ShardedPlan, shardPlan } from '../sampler/shard.ts';
import type { WorkerBatch } from '../worker/protocol.ts';
import type { WorkerRecipe } from '../worker/recipe.ts';
import { workerPass } from '../worker/workerPass.ts';
import type { WorkerPool } from '../worker/workerPool.ts';
import { type Fetched, fetchSamples } from './fetch.ts';
import { InOrder } from './inOrder.ts';
import { type LoadedBatch, type Loader, type LoaderPass, type PassOptions, singleShard } from './loader.ts';
import {
  chooseBatches,
  type DataLoaderOptions,
  loaderOptionNames,
  readDataset,
  readTimeout,
  refuseSamplers,
} from './loaderOptions.ts';
import { type StreamCut, streamBatches } from './streamBatches.ts';
import { fitState, type ReaderState, type StreamState, stateAfter } from './streamState.ts';
import { streamWalk } from './walkReport.ts';
import { WorkerSource } from './workerSource.ts';

export type { DataLoaderOptions };

/**
 * Batches of a dataset, with torch.utils.data.DataLoader's options and defaults. Order and augmentations depend only on
 * the seed, the number of the pass and the sample, never on `num_workers`; a pass can begin at any batch without reading
 * those before it (map datasets, and streams that can skip).
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
  readonly #timeout: number;
  readonly #seed: number | undefined;
  readonly #snapshotEvery: number;
  readonly #workers: WorkerSource;
  #tell: (text: string) => void = (text) => process.emitWarning(text);
  #defaultSeed = 0;
  #passes = 0;

  constructor(options: DataLoaderOptions) {
    checkOptions('DataLoader', options, loaderOptionNames);
    this.dataset = readDataset(options.dataset);
    this.drop_last = options.drop_last ?? false;
    this.num_workers = requireWhole('DataLoader', 'num_workers', options.num_workers ?? 0, 0);
    this.#readAhead =
      requireWhole('DataLoader', 'prefetch_factor', options.prefetch_factor ?? 2, 1) * Math.max(1, this.num_workers);
    this.#timeout = readTimeout(options.timeout);
    this.#seed = options.seed ?? undefined;
    this.#snapshotEvery = requireWhole('DataLoader', 'snapshot_every_n_steps', options.snapshot_every_n_steps ?? 1, 1);
    this.#collatesByDefault = options.collate_fn == null;
    const standard = new DefaultCollate();
    this.#collate = options.collate_fn == null ? (samples) => standard.call(samples) : readCollate(options.collate_fn);
    this.#batches = isMapDataset(this.dataset) ? chooseBatches(this.dataset, options) : refuseSamplers(options);
    this.batch_size =
      this.#batches === undefined
        ? requireWhole('DataLoader', 'batch_size', options.batch_size ?? 1, 1)
        : this.#batches.batch_size;
    const workers = {
      count: this.num_workers,
      hasCollate: !this.#collatesByDefault,
      length: isMapDataset(this.dataset) ? this.dataset.length : undefined,
      isPersistent: options.persistent_workers ?? true,
      onNote: (text: string) => this.#tell(text),
    };
    this.#workers = new WorkerSource(workers, options.worker_recipe ?? undefined);
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
    const notes = [...(this.#batches?.notes ?? [])];
    const refusal = this.num_workers === 0 ? undefined : this.#workers.refusal;
    if (refusal !== undefined) notes.push(this.#withoutWorkers(refusal));
    return notes;
  }

  setDefaultSeed(seed: number): void {
    this.#defaultSeed = seed;
  }

  /** How worker threads make the dataset again; one given as an option goes before it. */
  setWorkerRecipe(recipe: WorkerRecipe): void {
    this.#workers.setRecipe(recipe);
  }

  /** Where to say what turns out while reading; a warning of the process unless given. */
  setNoteSink(tell: (text: string) => void): void {
    this.#tell = tell;
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

  /** The batches of one pass from `start` on. Whoever iterates owns the tensors and frees them. */
  pass(options: PassOptions): LoaderPass {
    // samples by number need no state: there must be none of a stream
    if (this.#batches !== undefined) this.#cut(options, 1);
    return this.num_workers === 0 ? this.#ownPass(options) : this.#workerPass(options);
  }

  /** Ends the worker threads. The loader can be used again, which starts others. */
  dispose(): Promise<void> {
    return this.#workers.dispose();
  }

  /** Each iteration is a pass of its own, as in PyTorch; the trainer counts passes itself. */
  async *[Symbol.asyncIterator](): AsyncGenerator<unknown> {
    for await (const { batch } of this.pass({ pass: this.#passes++ })) yield batch;
  }

  #key({ pass }: PassOptions): PassKey {
    return { seed: this.#seed ?? this.#defaultSeed, pass };
  }

  #plan(key: PassKey, shard: Shard): ShardedPlan {
    const sampler = this.#batches;
    if (sampler === undefined) return { length: 0, at: () => ({ indices: [], real: 0 }) };
    return shardPlan(sampler.plan(key), sampler, shard);
  }

  #cut(options: PassOptions, workers: number): Omit<StreamCut, 'worker'> {
    const { start = 0, shard = singleShard } = options;
    const batchSize = this.batch_size ?? 1;
    const { state, problem } = fitState(options.stream, this.dataset, { batchSize, shard, start, workers });
    if (problem !== undefined) {
      this.#tell(`The checkpoint's place in the stream ${nameOf(this.dataset)} is not used: ${problem}.`);
    }
    const snapshotEvery = options.captures === true ? this.#snapshotEvery : 0;
    const place = { batchSize, dropLast: this.drop_last, shard, start };
    return { key: this.#key(options), ...place, resume: state, snapshotEvery };
  }

  #ownPass(options: PassOptions): LoaderPass {
    const { start = 0, shard = singleShard } = options;
    const { dataset } = this;
    if (!isMapDataset(dataset)) return this.#ownStream(dataset, options);
    const key = this.#key(options);
    const plan = this.#plan(key, shard);
    return new InOrder({
      start,
      end: plan.length,
      readAhead: this.#readAhead,
      read: (index) => {
        const { indices, real } = plan.at(index);
        const fetched = fetchSamples(dataset, indices, key, this.#collatesByDefault);
        if (fetched instanceof Promise) return fetched.then((value) => ({ indices, real, fetched: value }));
        return { indices, real, fetched };
      },
      finish: (index, { indices, real, fetched }) => ({ batch: this.#assemble(fetched), index, indices, real }),
    });
  }

  async *#ownStream(dataset: StreamDataset, options: PassOptions): AsyncGenerator<LoadedBatch, void, undefined> {
    const cut = { ...this.#cut(options, 1), worker: { id: 0, count: 1 } };
    const walk = streamWalk(dataset, (text) => this.#tell(text));
    const follow = this.#follow(cut, 1);
    for await (const { index, samples, real, reader } of streamBatches(dataset, cut, (...at) => walk.passed(...at))) {
      yield { batch: this.#collate(samples), index, indices: [], real, stream: follow(reader) };
    }
  }

  /** Gives the state after each batch, told what its reader said. */
  #follow(
    cut: Omit<StreamCut, 'worker'>,
    workers: number,
  ): (reader: ReaderState | undefined) => StreamState | undefined {
    const { dataset } = this;
    let state = cut.resume;
    return (reader) => {
      if (!isMapDataset(dataset)) state = stateAfter(state, reader, dataset, { ...cut, workers });
      return state;
    };
  }

  #assemble(fetched: Fetched): unknown {
    return fetched.kind === 'stacked' ? toTensors(fetched.value) : this.#collate(fetched.values);
  }

  async *#workerPass(options: PassOptions): AsyncGenerator<LoadedBatch, void, undefined> {
    const pool = await this.#workers.open((reason) => this.#tell(this.#withoutWorkers(reason)));
    if (pool === undefined) {
      yield* this.#ownPass(options);
      return;
    }
    let hasFailed = false;
    try {
      yield* this.#batches === undefined ? this.#streamFrom(pool, options) : this.#samplesFrom(pool, options);
    } catch (error) {
      hasFailed = true;
      throw error;
    } finally {
      await this.#workers.release(pool, hasFailed);
    }
  }

  async *#samplesFrom(pool: WorkerPool, options: PassOptions): AsyncGenerator<LoadedBatch, void, undefined> {
    const { start = 0, shard = singleShard } = options;
    const key = this.#key(options);
    const plan = this.#plan(key, shard);
    const ask = async (index: number) => {
      const { indices, real } = plan.at(index);
      return { index, indices, real, read: await pool.read(indices, key) };
    };
    const limits = { start, end: plan.length, limit: this.#readAhead, timeout: this.#timeout };
    for await (const { index, indices, real, read } of workerPass({ ...limits, ask })) {
      yield { batch: this.#finish(read), index, indices, real };
    }
  }

  async *#streamFrom(pool: WorkerPool, options: PassOptions): AsyncGenerator<LoadedBatch, void, undefined> {
    const cut = this.#cut(options, pool.size);
    const follow = this.#follow(cut, pool.size);
    const stream = pool.openStream(cut);
    const limits = { start: cut.start, end: Number.POSITIVE_INFINITY, limit: this.#readAhead, timeout: this.#timeout };
    try {
      for await (const read of workerPass({ ...limits, ask: (index) => stream.next(index) })) {
        const { index = 0, real = 0, reader } = read;
        yield { batch: this.#finish(read), index, indices: [], real, stream: follow(reader) };
      }
    } finally {
      stream.close();
    }
  }

  #finish({ kind, value }: WorkerBatch): unknown {
    return kind === 'samples' && Array.isArray(value) ? this.#collate(value) : toTensors(value);
  }

  #withoutWorkers(reason: string): string {
    return `num_workers is ${this.num_workers}, but samples are read in the training process: ${reason.replace(/\.$/, '')}.`;
  }
}
