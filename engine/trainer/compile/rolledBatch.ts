import * as tf from '@tensorflow/tfjs';
import { isPlainObject } from '../../data/index.ts';

/**
 * Another batch of the same form: every tensor's rows moved on by one, the first last. Nothing has to be loaded for it,
 * and what held for the rows together (valid labels, matching targets) still holds. Tensors are the caller's.
 */
export function rolledBatch(batch: unknown, made: tf.Tensor[]): unknown {
  if (batch instanceof tf.Tensor) {
    const [rows = 0] = batch.shape;
    if (batch.rank === 0 || rows < 2) return batch;
    const rolled = tf.tidy(() => tf.concat([tf.slice(batch, [1], [rows - 1]), tf.slice(batch, [0], [1])]));
    made.push(rolled);
    return rolled;
  }
  if (Array.isArray(batch)) {
    if (batch.length > 0 && typeof batch[0] !== 'object') return batch;
    return batch.map((item: unknown) => rolledBatch(item, made));
  }
  if (!isPlainObject(batch)) return batch;
  return Object.fromEntries(Object.entries(batch).map(([key, item]) => [key, rolledBatch(item, made)]));
}
