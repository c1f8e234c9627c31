import { EngineError } from '../../api/errors.ts';
import { givesBatches, type MapDataset, sampleToStack } from '../dataset/dataset.ts';
import type { PassKey } from '../dataset/passKey.ts';
import { sampleContext } from '../dataset/sampleContext.ts';

/** Samples as the dataset gave them, or a batch that it stacked itself. */
export type Fetched =
  | { readonly kind: 'stacked'; readonly value: unknown }
  | { readonly kind: 'samples'; readonly values: readonly unknown[] };

/**
 * Reads the samples of a batch; by `getBatch` or `getToStack` where the dataset has it and `mayStack`. Throws (or rejects with)
 * `data.sample`, which names the sample.
 */
export function fetchSamples(
  dataset: MapDataset,
  indices: readonly number[],
  key: PassKey,
  mayStack: boolean,
): Fetched | Promise<Fetched> {
  if (mayStack && givesBatches(dataset)) {
    return { kind: 'stacked', value: readBatch(dataset, indices, key) };
  }
  const samples: unknown[] = [];
  let waits = false;
  for (const index of indices) {
    const sample = readSample(dataset, index, key, mayStack);
    waits ||= sample instanceof Promise;
    samples.push(sample);
  }
  return waits
    ? Promise.all(samples).then((values) => ({ kind: 'samples', values }))
    : { kind: 'samples', values: samples };
}

function readBatch(dataset: MapDataset, indices: readonly number[], key: PassKey): unknown {
  try {
    return dataset.getBatch?.(indices, key);
  } catch (error) {
    throw batchFailed(error, indices);
  }
}

function readSample(dataset: MapDataset, index: number, key: PassKey, mayStack: boolean): unknown {
  try {
    const context = sampleContext(key, index);
    const sample = mayStack ? sampleToStack(dataset, index, context) : dataset.get(index, context);
    return sample instanceof Promise
      ? sample.catch((error: unknown) => Promise.reject(sampleFailed(error, index)))
      : sample;
  } catch (error) {
    throw sampleFailed(error, index);
  }
}

function sampleFailed(error: unknown, index: number): EngineError {
  return new EngineError(
    'data.sample',
    `Sample ${index} of the dataset could not be read: ${reasonOf(error)}`,
    { index },
    { cause: error },
  );
}

function batchFailed(error: unknown, indices: readonly number[]): EngineError {
  const shown = `${indices.slice(0, 8).join(', ')}${indices.length > 8 ? ', …' : ''}`;
  return new EngineError(
    'data.sample',
    `The batch of samples ${shown} could not be read: ${reasonOf(error)}`,
    { indices },
    { cause: error },
  );
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
