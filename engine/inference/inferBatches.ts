import { type FileHandle, mkdir, open, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { EngineError } from '../api/errors.ts';
import { disposeBatch, type Loader, singleShard } from '../data/index.ts';
import { type BatchInference, type InferenceModel, type MetricTotal, nameOf } from './modelContract.ts';

export interface InferBatchesOptions {
  readonly model: InferenceModel & object;
  readonly loader: Loader;
  /** The config's `infer_args`, passed to the model. */
  readonly arguments: Readonly<Record<string, unknown>>;
  /** Folder that gets predictions.jsonl and metrics.json; files of an earlier time are replaced. */
  readonly outputDir: string;
  /** Said in metrics.json beside the metrics: the checkpoint, its step. */
  readonly facts: Readonly<Record<string, unknown>>;
  readonly onProgress: (done: number, total: number | undefined) => void;
  readonly signal?: AbortSignal | undefined;
}

export interface InferenceResult {
  readonly outputDir: string;
  readonly samples: number;
  readonly metrics: Readonly<Record<string, number>>;
  readonly elapsedMs: number;
}

const PREDICTIONS = 'predictions.jsonl';
const METRICS = 'metrics.json';

/**
 * Runs a model over all batches of a loader, writing one line a sample ({index, …prediction}) and the means of the
 * metrics. Files appear under their names only when all is done. Throws 'inference.no-batches' for a model without
 * `infer_batch`, 'inference.batch-failed' with the batch's number, 'inference.stopped' when the signal fires.
 */
export async function inferBatches(options: InferBatchesOptions): Promise<InferenceResult> {
  const { model, loader, outputDir, onProgress, signal } = options;
  const infer = model.infer_batch?.bind(model);
  if (infer === undefined) {
    throw new EngineError(
      'inference.no-batches',
      `${nameOf(model)} cannot be run over a data set: give it a method infer_batch(batch, options) that returns {predictions, totals}.`,
      { model: nameOf(model) },
    );
  }
  const started = performance.now();
  await mkdir(outputDir, { recursive: true });
  const beside = join(outputDir, `.${PREDICTIONS}.${process.pid}`);
  const file = await open(beside, 'w');
  const totals = new Map<string, MetricTotal>();
  let done = 0;
  try {
    for await (const loaded of loader.pass({ pass: 0, shard: singleShard })) {
      if (signal?.aborted)
        throw new EngineError('inference.stopped', `Stopped after ${done} samples; nothing was written.`);
      const result = await inferOne(() => infer(loaded.batch, options.arguments), loaded.batch, loaded.index);
      await writeLines(file, result.predictions, loaded.indices);
      for (const [name, total] of Object.entries(result.totals)) add(totals, name, total);
      done += result.predictions.length;
      onProgress(done, lengthOf(loader.dataset));
    }
    await file.sync();
  } catch (error) {
    await file.close();
    await rm(beside, { force: true });
    throw error;
  } finally {
    await loader.dispose?.();
  }
  await file.close();
  await rename(beside, join(outputDir, PREDICTIONS));
  const means = Object.fromEntries([...totals].map(([name, { sum, count }]) => [name, sum / Math.max(1, count)]));
  const metrics = { ...means, ...model.finish_metrics?.(means) };
  const elapsedMs = performance.now() - started;
  await writeMetrics(outputDir, { ...options.facts, samples: done, elapsed_ms: Math.round(elapsedMs), metrics });
  return { outputDir, samples: done, metrics, elapsedMs };
}

function lengthOf(dataset: unknown): number | undefined {
  const length: unknown = typeof dataset === 'object' && dataset !== null ? Reflect.get(dataset, 'length') : undefined;
  return typeof length === 'number' ? length : undefined;
}

async function inferOne(
  infer: () => BatchInference | Promise<BatchInference>,
  batch: unknown,
  index: number,
): Promise<BatchInference> {
  const engine = tf.engine();
  engine.startScope('infer_batch');
  try {
    return await infer();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new EngineError(
      'inference.batch-failed',
      `infer_batch failed in batch ${index}: ${reason}`,
      { index },
      { cause: error },
    );
  } finally {
    engine.endScope();
    disposeBatch(batch);
  }
}

async function writeLines(file: FileHandle, predictions: readonly object[], indices: readonly number[]): Promise<void> {
  const lines = predictions.map(
    (prediction, row) => `${JSON.stringify({ index: indices[row] ?? null, ...prediction })}\n`,
  );
  await file.write(lines.join(''));
}

function add(totals: Map<string, MetricTotal>, name: string, { sum, count }: MetricTotal): void {
  const before = totals.get(name);
  totals.set(name, { sum: (before?.sum ?? 0) + sum, count: (before?.count ?? 0) + count });
}

async function writeMetrics(outputDir: string, content: object): Promise<void> {
  const beside = join(outputDir, `.${METRICS}.${process.pid}`);
  await writeFile(beside, `${JSON.stringify(content, null, 2)}\n`, { flush: true });
  await rename(beside, join(outputDir, METRICS));
}
