import type { Shard } from '../sampler/shard.ts';
import type { WorkerRecipe } from '../worker/recipe.ts';
import type { StreamState } from './streamState.ts';

/** One batch on its way to the trainer. */
export interface LoadedBatch {
  readonly batch: unknown;
  /** Number of the batch within this rank's pass. */
  readonly index: number;
  /** Sample numbers, for messages; empty when the loader does not know them. */
  readonly indices: readonly number[];
  /** Samples that count; 0 when the batch only keeps this rank in step with the others. */
  readonly real: number;
  /** Where a stream stands after it, where the pass was asked for it and the stream can say so. */
  readonly stream?: StreamState | undefined;
}

export interface PassOptions {
  readonly pass: number;
  /** The first batch wanted, as counted on this rank. */
  readonly start?: number;
  readonly shard?: Shard;
  /** Whether batches come with the state of the stream. */
  readonly captures?: boolean;
  /** The state that came with the batch before `start`, to go on from. */
  readonly stream?: StreamState | undefined;
}

/** The batches of a pass, in order. */
export interface LoaderPass extends AsyncIterableIterator<LoadedBatch> {
  /** The next batch where nothing has to be waited for; undefined where `next` is to be asked, at the end too. */
  take?(): LoadedBatch | undefined;
}

/** What the trainer asks of a loader. The batches of a pass are a function of (seed, pass, shard). */
export interface Loader {
  readonly dataset: unknown;
  /** Batches in a pass before sharding; undefined when the data does not say. */
  readonly length: number | undefined;
  readonly batch_size: number | undefined;
  /** Batches of this rank in a pass. */
  passLength(shard?: Shard): number | undefined;
  pass(options: PassOptions): LoaderPass;
  /** What its options ask for and do not get, for the run's log. */
  readonly notes?: readonly string[];
  /** Used when the loader's own section states no seed. */
  setDefaultSeed?(seed: number): void;
  /** How worker threads make its dataset again. */
  setWorkerRecipe?(recipe: WorkerRecipe): void;
  /** Where to say what turns out while reading. */
  setNoteSink?(tell: (text: string) => void): void;
  /** Ends what it started: worker threads. */
  dispose?(): Promise<void>;
}

export const singleShard: Shard = { rank: 0, worldSize: 1, mode: 'wrap' };
