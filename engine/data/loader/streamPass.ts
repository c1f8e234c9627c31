import type { CollateFunction } from '../collate/collate.ts';
import type { Shard } from '../sampler/shard.ts';
import type { LoadedBatch } from './loader.ts';

export interface StreamCut {
  readonly batchSize: number;
  readonly dropLast: boolean;
  readonly shard: Shard;
  /** First batch wanted on this rank; those before it are read and thrown away, a stream has no other way. */
  readonly start: number;
}

/**
 * Batches of a stream. Every rank reads all samples; of each block of N batches rank i keeps the i-th, as accelerate's
 * IterableDatasetShard does. An unfinished last block is filled from the first block (`wrap`), or cut as it comes.
 */
export async function* streamPass(
  samples: AsyncIterable<unknown> | Iterable<unknown>,
  cut: StreamCut,
  collate: CollateFunction,
): AsyncGenerator<LoadedBatch, void, undefined> {
  const { batchSize, shard } = cut;
  const blockSize = batchSize * shard.worldSize;
  let first: readonly unknown[] | undefined;
  let block: unknown[] = [];
  let index = 0;
  const emit = (values: readonly unknown[], real: number): LoadedBatch => ({
    batch: collate(values),
    index,
    indices: [],
    real,
  });
  for await (const sample of samples) {
    block.push(sample);
    if (block.length < blockSize) continue;
    first ??= block;
    if (index >= cut.start) yield emit(mine(block, cut), batchSize);
    index++;
    block = [];
  }
  if (block.length === 0 || cut.dropLast || index < cut.start) return;
  const own = mine(block, cut);
  if (shard.worldSize === 1) yield emit(own, own.length);
  else if (shard.mode === 'wrap') yield emit(fill(own, block, first ?? block, cut), own.length);
  else if (own.length > 0) yield emit(own, own.length);
  else if (shard.mode === 'exact') yield emit(block.slice(0, batchSize), 0);
}

function mine(block: readonly unknown[], cut: StreamCut): readonly unknown[] {
  const start = cut.shard.rank * cut.batchSize;
  return block.slice(start, start + cut.batchSize);
}

function fill(
  own: readonly unknown[],
  block: readonly unknown[],
  source: readonly unknown[],
  cut: StreamCut,
): readonly unknown[] {
  const place = Math.max(0, cut.shard.rank * cut.batchSize - block.length);
  return [...own, ...Array.from({ length: cut.batchSize - own.length }, (_, i) => source[(place + i) % source.length])];
}
