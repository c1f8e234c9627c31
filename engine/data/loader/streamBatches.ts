import { type StreamDataset, wholeStream } from '../dataset/dataset.ts';
import type { PassKey } from '../dataset/passKey.ts';
import type { Shard } from '../sampler/shard.ts';

export interface StreamCut {
  readonly key: PassKey;
  readonly batchSize: number;
  readonly dropLast: boolean;
  readonly shard: Shard;
  /** First batch wanted on this rank. */
  readonly start: number;
  /** Of this rank's batches only numbers id, id + count, …: the share of one worker thread. */
  readonly worker: { readonly id: number; readonly count: number };
}

export interface StreamBatch {
  /** Number of the batch within this rank's pass. */
  readonly index: number;
  readonly samples: readonly unknown[];
  /** How many of them count. */
  readonly real: number;
}

/**
 * The batches of a stream. Of each block of N batches rank i gets the i-th, as accelerate's IterableDatasetShard does.
 * An unfinished last block is filled from the first block (`wrap`), or cut as it comes; with `dropLast` it is dropped.
 * Which samples a batch holds does not depend on the number of workers, nor on whether the dataset can skip or shard.
 */
export function streamBatches(dataset: StreamDataset, cut: StreamCut): AsyncGenerator<StreamBatch, void, undefined> {
  const canShare = cut.shard.worldSize === 1 || dataset.length !== undefined;
  return dataset.canShard === true && canShare ? shardedBatches(dataset, cut) : dealtBatches(dataset, cut);
}

/** Reads everything and keeps this worker's share. */
async function* dealtBatches(dataset: StreamDataset, cut: StreamCut): AsyncGenerator<StreamBatch, void, undefined> {
  const { batchSize, start, worker } = cut;
  const blockSize = batchSize * cut.shard.worldSize;
  let index = dataset.canSkip === true ? start : 0;
  let first: readonly unknown[] | undefined;
  let block: unknown[] = [];
  const isMine = () => index >= start && index % worker.count === worker.id;
  for await (const sample of dataset.samples({ ...cut.key, start: index * blockSize, shard: wholeStream })) {
    block.push(sample);
    if (block.length < blockSize) continue;
    if (index === 0) first = block;
    if (isMine()) yield { index, samples: own(block, cut), real: batchSize };
    index++;
    block = [];
  }
  if (block.length === 0 || cut.dropLast || !isMine()) return;
  const source = async () => (index === 0 ? block : (first ?? firstSamples(dataset, cut, blockSize)));
  yield* lastBatch(index, own(block, cut), block.length, cut, source);
}

/** The dataset gives this worker's share alone. */
async function* shardedBatches(dataset: StreamDataset, cut: StreamCut): AsyncGenerator<StreamBatch, void, undefined> {
  const { batchSize, start, worker } = cut;
  const { rank, worldSize } = cut.shard;
  const blockSize = batchSize * worldSize;
  const { length } = dataset;
  const fullBlocks = length === undefined ? Number.POSITIVE_INFINITY : Math.floor(length / blockSize);
  const from = dataset.canSkip === true ? start : 0;
  const shard = { block: batchSize, index: worker.id * worldSize + rank, count: worldSize * worker.count };
  let index = from + ((((worker.id - from) % worker.count) + worker.count) % worker.count);
  let batch: unknown[] = [];
  if (index > fullBlocks) return;
  for await (const sample of dataset.samples({ ...cut.key, start: from * blockSize, shard })) {
    batch.push(sample);
    if (batch.length < batchSize || index >= fullBlocks) continue;
    if (index >= start) yield { index, samples: batch, real: batchSize };
    index += worker.count;
    batch = [];
  }
  const rest = length === undefined ? batch.length : length - fullBlocks * blockSize;
  const isLast = length === undefined || index === fullBlocks;
  if (rest === 0 || cut.dropLast || !isLast || index < start) return;
  yield* lastBatch(index, batch, rest, cut, () => firstSamples(dataset, cut, blockSize));
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
