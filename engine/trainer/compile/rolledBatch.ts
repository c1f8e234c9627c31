import * as tf from '@tensorflow/tfjs';
import { isPlainObject } from '../../data/index.ts';
import { batchTensors } from './batchWatch.ts';

/**
 * Runs work on another batch of the same form, or on the batch itself where the work does not take that. The other one
 * has every tensor's rows moved on by one, the first last: nothing has to be loaded for it, and what held for the rows
 * together (valid labels, matching targets) still holds.
 */
export function onAnother<T>(batch: unknown, work: (batch: unknown, tensors: ReadonlyMap<string, tf.Tensor>) => T): T {
  const made = new Map<tf.Tensor, tf.Tensor>();
  const other = rolledBatch(batch, made);
  try {
    return work(other, batchTensors(other));
  } catch {
    return work(batch, batchTensors(batch));
  } finally {
    for (const tensor of made.values()) tensor.dispose();
  }
}

/** `made` takes the new tensors by the old: one that is there twice stays one. */
function rolledBatch(batch: unknown, made: Map<tf.Tensor, tf.Tensor>): unknown {
  if (batch instanceof tf.Tensor) {
    const [rows = 0] = batch.shape;
    if (batch.rank === 0 || rows < 2) return batch;
    let rolled = made.get(batch);
    if (rolled === undefined) {
      rolled = tf.tidy(() => tf.concat([tf.slice(batch, [1], [rows - 1]), tf.slice(batch, [0], [1])]));
      made.set(batch, rolled);
    }
    return rolled;
  }
  if (Array.isArray(batch)) {
    if (batch.length > 0 && typeof batch[0] !== 'object') return batch;
    return batch.map((item: unknown) => rolledBatch(item, made));
  }
  if (!isPlainObject(batch)) return batch;
  return Object.fromEntries(Object.entries(batch).map(([key, item]) => [key, rolledBatch(item, made)]));
}
