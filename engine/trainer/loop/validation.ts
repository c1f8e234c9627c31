import * as tf from '@tensorflow/tfjs';
import type { Collective } from '../../api/training.ts';
import { disposeBatch, type LoadedBatch, type Loader } from '../../data/index.ts';
import { readScalar } from '../logging/metricLog.ts';
import type { HookTrace } from '../monitor/hookTrace.ts';

interface Sum {
  total: tf.Scalar;
  count: number;
}

/** Weighted means of a validation, kept on the device and joined over the ranks at the end. */
export class MetricSums {
  readonly #sums = new Map<string, Sum>();

  /** Tensors kept at present. */
  get size(): number {
    return this.#sums.size;
  }

  /** Adds means over `count` samples. */
  add(values: Readonly<Record<string, number | tf.Tensor>>, count: number): void {
    for (const [name, value] of Object.entries(values)) {
      const before = this.#sums.get(name);
      const total = tf.tidy(() => {
        const weighted = (typeof value === 'number' ? tf.scalar(value, 'float32') : value.toFloat().mean()).mul(count);
        return tf.keep((before === undefined ? weighted : weighted.add(before.total)).asScalar());
      });
      before?.total.dispose();
      this.#sums.set(name, { total, count: (before?.count ?? 0) + count });
    }
  }

  /** The means over all ranks. Ranks may have seen different names. */
  async means(collective: Collective): Promise<Record<string, number>> {
    const own: Record<string, readonly [number, number]> = {};
    for (const [name, { total, count }] of this.#sums) own[name] = [await readScalar(total), count];
    const all = collective.worldSize === 1 ? [own] : await collective.allGather(own);
    const means: Record<string, number> = {};
    for (const name of new Set(all.flatMap((sums) => Object.keys(sums)))) {
      const [total, count] = all.reduce(
        ([sum, weight], sums) => [sum + (sums[name]?.[0] ?? 0), weight + (sums[name]?.[1] ?? 0)],
        [0, 0],
      );
      if (count > 0) means[name] = total / count;
    }
    return means;
  }

  dispose(): void {
    for (const { total } of this.#sums.values()) total.dispose();
    this.#sums.clear();
  }
}

export interface ValidationPassOptions {
  readonly loader: Loader;
  readonly collective: Collective;
  /** Runs validation_step; what it makes is freed afterwards unless kept. */
  readonly step: (loaded: LoadedBatch) => void | Promise<void>;
  /** Where hooks are measured, while something grows. */
  readonly trace: () => HookTrace | undefined;
  /** Between batches; true ends the pass early. All ranks answer alike. */
  readonly pause: (index: number) => Promise<boolean>;
}

/**
 * One pass over the validation data, dealt out so that every rank runs the same number of steps and each sample counts
 * once. Gives false when it was ended early.
 */
export async function validationPass(options: ValidationPassOptions): Promise<boolean> {
  const { loader, collective } = options;
  const shard = { rank: collective.rank, worldSize: collective.worldSize, mode: 'exact' } as const;
  for await (const loaded of loader.pass({ pass: 0, shard })) {
    try {
      const trace = options.trace();
      const mark = trace?.enter();
      await inScope(() => options.step(loaded));
      if (mark !== undefined) trace?.leave('validation_step', mark);
    } finally {
      disposeBatch(loaded.batch);
    }
    if (await options.pause(loaded.index)) return false;
  }
  return true;
}

/** tf.tidy that also takes asynchronous work; what is not asynchronous ends before anything else can run. */
async function inScope(work: () => void | Promise<void>): Promise<void> {
  tf.engine().startScope('validation_step');
  let pending: void | Promise<void>;
  try {
    pending = work();
  } catch (error) {
    tf.engine().endScope();
    throw error;
  }
  try {
    if (pending instanceof Promise) await pending;
  } finally {
    tf.engine().endScope();
  }
}

interface HostRows {
  readonly shape: readonly number[];
  readonly dtype: tf.DataType;
  readonly values: Float32Array | Int32Array | Uint8Array;
}

/**
 * The rows (first axis) of all ranks' tensors, without the duplicates that keep ranks in step: the first `real` rows of
 * each rank, in rank order. Collective: every rank calls it.
 */
export async function gatherRows(
  tensors: Readonly<Record<string, tf.Tensor>>,
  real: number,
  collective: Collective,
): Promise<Record<string, tf.Tensor>> {
  const own: Record<string, HostRows> = {};
  for (const [name, tensor] of Object.entries(tensors)) {
    const rows = Math.min(real, tensor.shape[0] ?? 0);
    const size = tensor.size / Math.max(1, tensor.shape[0] ?? 1);
    const values = await tensor.data();
    own[name] = { shape: [rows, ...tensor.shape.slice(1)], dtype: tensor.dtype, values: values.slice(0, rows * size) };
  }
  const all = await collective.allGather(own);
  return Object.fromEntries(
    Object.keys(tensors).map((name) => [name, joinRows(all.flatMap((rank) => rank[name] ?? []))]),
  );
}

function joinRows(parts: readonly HostRows[]): tf.Tensor {
  const first = parts[0];
  const rows = parts.reduce((sum, part) => sum + (part.shape[0] ?? 0), 0);
  const shape = [rows, ...(first?.shape.slice(1) ?? [])];
  const values =
    first?.dtype === 'float32'
      ? new Float32Array(tf.util.sizeFromShape(shape))
      : new Int32Array(tf.util.sizeFromShape(shape));
  let place = 0;
  for (const part of parts) {
    values.set(part.values, place);
    place += part.values.length;
  }
  const dtype = first?.dtype ?? 'float32';
  return dtype === 'bool' ? tf.tensor(values, shape, 'int32').toBool() : tf.tensor(values, shape, dtype);
}
