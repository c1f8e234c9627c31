import { type StreamDataset, wholeStream } from '../dataset/dataset.ts';
import type { PassKey } from '../dataset/passKey.ts';
import type { Shard } from '../sampler/shard.ts';
import { type OpenStream, openStream } from './openStream.ts';
import { type ReaderState, readsOf, type StreamState } from './streamState.ts';

export interface StreamCut {
  readonly key: PassKey;
  readonly batchSize: number;
  readonly dropLast: boolean;
  readonly shard: Shard;
  /** First batch wanted on this rank. */
  readonly start: number;
  /** Of this rank's batches only numbers id, id + count, …: the share of one worker thread. */
  readonly worker: { readonly id: number; readonly count: number };
  /** A state that fits (see fitState), to go on from. */
  readonly resume: StreamState | undefined;
  /** The state of the stream is taken after every so many of a reader's batches; 0 for never. */
  readonly snapshotEvery: number;
}

export interface StreamBatch {
  /** Number of the batch within this rank's pass. */
  readonly index: number;
  readonly samples: readonly unknown[];
  /** How many of them count. */
  readonly real: number;
  /** Where the stream stands after it, where that was asked for and it can say so. */
  readonly reader?: ReaderState | undefined;
}

/** Hears of batches that are read only to get past them. */
export type OnWalk = (done: number, total: number) => void;

/**
 * The batches of a stream. Of each block of N batches rank i gets the i-th, as accelerate's IterableDatasetShard does.
 * An unfinished last block is filled from the first block (`wrap`), or cut as it comes; with `dropLast` it is dropped.
 * Which samples a batch holds does not depend on the number of workers, nor on whether the dataset can skip or shard.
 */
export function streamBatches(
  dataset: StreamDataset,
  cut: StreamCut,
  onWalk: OnWalk = () => undefined,
): AsyncGenerator<StreamBatch, void, undefined> {
  const isShared = readsOf(dataset, cut.shard.worldSize) === 'share';
  return isShared ? shardedBatches(dataset, cut, onWalk) : dealtBatches(dataset, cut, onWalk);
}

/** Reads everything and keeps this worker's share. */
async function* dealtBatches(
  dataset: StreamDataset,
  cut: StreamCut,
  onWalk: OnWalk,
): AsyncGenerator<StreamBatch, void, undefined> {
  const { batchSize, start, worker, resume } = cut;
  const blockSize = batchSize * cut.shard.worldSize;
  // every reader goes through the whole stream: the state that is furthest on is good for all
  const saved = resume?.readers.reduce((best, reader) => (reader.next > best.next ? reader : best));
  const walked = saved === undefined || resume === undefined ? 0 : saved.next * resume.batch_size * resume.world_size;
  const target = start * blockSize;
  let number = saved === undefined && dataset.canSkip === true ? target : walked;
  let index = start;
  const first: unknown[] = [];
  let block: unknown[] = [];
  const stream = openStream(dataset, { ...cut.key, start: number, shard: wholeStream }, saved);
  for await (const sample of stream) {
    if (number < blockSize) first.push(sample);
    if (number++ < target) {
      onWalk(Math.floor(number / blockSize), start);
      continue;
    }
    block.push(sample);
    if (block.length < blockSize) continue;
    if (index % worker.count === worker.id) {
      yield { index, samples: own(block, cut), real: batchSize, reader: capture(stream, cut, index) };
    }
    index++;
    block = [];
  }
  if (block.length === 0 || cut.dropLast || index % worker.count !== worker.id) return;
  const isFirstKnown = first.length === blockSize;
  const source = async () => (index === 0 ? block : isFirstKnown ? first : firstSamples(dataset, cut, blockSize));
  yield* lastBatch(index, own(block, cut), block.length, cut, source);
}

/** The dataset gives this worker's share alone. */
async function* shardedBatches(
  dataset: StreamDataset,
  cut: StreamCut,
  onWalk: OnWalk,
): AsyncGenerator<StreamBatch, void, undefined> {
  const { batchSize, start, worker } = cut;
  const { rank, worldSize } = cut.shard;
  const blockSize = batchSize * worldSize;
  const { length } = dataset;
  const fullBlocks = length === undefined ? Number.POSITIVE_INFINITY : Math.floor(length / blockSize);
  const saved = cut.resume?.readers.find((reader) => reader.worker === worker.id);
  const from = saved?.next ?? (dataset.canSkip === true ? start : 0);
  const shard = { block: batchSize, index: worker.id * worldSize + rank, count: worldSize * worker.count };
  let index = from + ((((worker.id - from) % worker.count) + worker.count) % worker.count);
  let batch: unknown[] = [];
  if (index > fullBlocks) return;
  const stream = openStream(dataset, { ...cut.key, start: from * blockSize, shard }, saved);
  for await (const sample of stream) {
    batch.push(sample);
    if (batch.length < batchSize || index >= fullBlocks) continue;
    if (index >= start) yield { index, samples: batch, real: batchSize, reader: capture(stream, cut, index) };
    else onWalk(index + 1, start);
    index += worker.count;
    batch = [];
  }
  const rest = length === undefined ? batch.length : length - fullBlocks * blockSize;
  const isLast = length === undefined || index === fullBlocks;
  if (rest === 0 || cut.dropLast || !isLast || index < start) return;
  yield* lastBatch(index, batch, rest, cut, () => firstSamples(dataset, cut, blockSize));
}

function capture(stream: OpenStream, { worker, snapshotEvery }: StreamCut, index: number): ReaderState | undefined {
  const isDue = snapshotEvery > 0 && (Math.floor(index / worker.count) + 1) % snapshotEvery === 0;
  const captured = isDue ? stream.capture() : undefined;
  return captured && { worker: worker.id, next: index + 1, ...captured };
}

async function* lastBatch(
  index: number,
  samples: readonly unknown[],
  blockLength: number,
  cut: StreamCut,
  source: () => Promise<readonly unknown[]>,
): AsyncGenerator<StreamBatch, void, undefined> {
  const { batchSize } = cut;
  const { rank, worldSize, mode } = cut.shard;
  if (worldSize > 1 && mode === 'wrap') {
    const filling = await source();
    const place = Math.max(0, rank * batchSize - blockLength);
    const added = Array.from(
      { length: batchSize - samples.length },
      (_, i) => filling[(place + i) % Math.max(1, filling.length)],
    );
    yield { index, samples: [...samples, ...added], real: samples.length };
  } else if (samples.length > 0) {
    yield { index, samples, real: samples.length };
  } else if (worldSize > 1 && mode === 'exact') {
    yield { index, samples: (await source()).slice(0, batchSize), real: 0 };
  }
}

async function firstSamples(dataset: StreamDataset, cut: StreamCut, count: number): Promise<readonly unknown[]> {
  const samples: unknown[] = [];
  for await (const sample of dataset.samples({ ...cut.key, start: 0, shard: wholeStream })) {
    samples.push(sample);
    if (samples.length >= count) break;
  }
  return samples;
}

function own(block: readonly unknown[], cut: StreamCut): readonly unknown[] {
  const start = cut.shard.rank * cut.batchSize;
  return block.slice(start, start + cut.batchSize);
}
