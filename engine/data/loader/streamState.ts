import { EngineError } from '../../api/errors.ts';
import type { StreamDataset } from '../dataset/dataset.ts';
import { nameOf } from '../dataset/stateful.ts';
import type { Shard } from '../sampler/shard.ts';

/** Where one reader of a stream stood after a batch. JSON. */
export interface ReaderState {
  readonly worker: number;
  /** Number of the batch after it, as counted on this rank. */
  readonly next: number;
  /** Who gave the state: what `samples()` gave, or the dataset. */
  readonly holder: 'iterator' | 'dataset';
  readonly state: unknown;
}

/** Where a rank stood in a stream that says where it stands: what a checkpoint's data cursor holds of it. JSON. */
export interface StreamState {
  /** Name of the dataset's class. */
  readonly dataset: string;
  /** Whether every reader goes through the whole stream, so that one state is as good as another, or gets its share. */
  readonly reads: 'whole' | 'share';
  readonly batch_size: number;
  readonly world_size: number;
  readonly workers: number;
  readonly readers: readonly ReaderState[];
}

/** How a pass over a stream is cut, and where in it reading begins: a batch as counted on this rank. */
export interface StreamPlace {
  readonly batchSize: number;
  readonly shard: Shard;
  readonly start: number;
  readonly workers: number;
}

export function readsOf(dataset: StreamDataset, worldSize: number): StreamState['reads'] {
  return dataset.canShard === true && (worldSize === 1 || dataset.length !== undefined) ? 'share' : 'whole';
}

/** The state after a batch, `before` being the one before it. */
export function stateAfter(
  before: StreamState | undefined,
  reader: ReaderState | undefined,
  dataset: StreamDataset,
  { batchSize, shard, workers }: StreamPlace,
): StreamState | undefined {
  if (reader === undefined) return before;
  const reads = readsOf(dataset, shard.worldSize);
  const others = reads === 'whole' ? [] : (before?.readers ?? []).filter(({ worker }) => worker !== reader.worker);
  return {
    dataset: nameOf(dataset),
    reads,
    batch_size: batchSize,
    world_size: shard.worldSize,
    workers,
    readers: [...others, reader].sort((a, b) => a.worker - b.worker),
  };
}

/**
 * A saved state, if readers can go on from it at `place`; else why they cannot, and they begin at the beginning. Throws
 * `data.stream.resume` for the state of another dataset.
 */
export function fitState(
  saved: StreamState | undefined,
  dataset: object,
  place: StreamPlace,
): { readonly state?: StreamState; readonly problem?: string } {
  if (saved === undefined || place.start === 0) return {};
  const name = nameOf(dataset);
  if (saved.dataset !== name) {
    throw new EngineError(
      'data.stream.resume',
      `The checkpoint holds the place in a stream of class ${saved.dataset}, but the training loader reads a ${name}. Go on with the dataset that the run had, or begin a new run (load_pretrained takes the weights along).`,
      { saved: saved.dataset, dataset: name },
    );
  }
  if (!('samples' in dataset)) return {};
  const worldSize = place.shard.worldSize;
  const reads = readsOf(dataset as StreamDataset, worldSize);
  if (reads !== saved.reads) return { problem: 'the dataset says something else about canShard or length' };
  if (reads === 'whole') {
    const samples = Math.max(...saved.readers.map(({ next }) => next)) * saved.batch_size * saved.world_size;
    if (samples <= place.start * place.batchSize * worldSize) return { state: saved };
    return { problem: 'it stands after the place to go on from' };
  }
  const [before, now] = [
    [saved.batch_size, saved.world_size, saved.workers],
    [place.batchSize, worldSize, place.workers],
  ].map(([batch, processes, workers]) => `batches of ${batch}, ${processes} processes, ${workers} workers`);
  return before === now ? { state: saved } : { problem: `it is that of ${before}; now there are ${now}` };
}
