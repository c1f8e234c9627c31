import * as tf from '@tensorflow/tfjs';
import { EngineError } from '../../api/errors.ts';

/**
 * Which positions of padded sequences hold data.
 * @param lengths (N), whole numbers
 * @param maxLength length of the padded axis; by default the longest, which is read back from the device
 * @returns bool (N, maxLength)
 */
export function maskFromLengths(lengths: tf.Tensor1D | readonly number[], maxLength?: number): tf.Tensor2D {
  return tf.tidy(() => {
    const counts = lengths instanceof tf.Tensor ? tf.cast(lengths, 'int32') : tf.tensor1d([...lengths], 'int32');
    const width = maxLength ?? Math.max(0, ...counts.dataSync());
    const positions = tf.range(0, width, 1, 'int32');
    return tf.less(tf.expandDims(positions, 0), tf.expandDims(counts, 1)).as2D(counts.size, width);
  });
}

/**
 * The mean over each sample's unmasked positions, then the mean over samples: long and short samples count the same.
 * A sample without any unmasked position counts as 0.
 * @param loss (N, T) or (N, T, …); a mask of fewer axes applies to all that follow
 * @param mask (N, T) bool or numbers, 1 where data is
 */
export function maskedLoss(loss: tf.Tensor, mask: tf.Tensor): tf.Scalar {
  if (!tf.util.arraysEqual(loss.shape.slice(0, mask.rank), mask.shape)) {
    throw new EngineError(
      'loss.shape',
      `The mask has shape [${mask.shape}], which does not begin the loss's shape [${loss.shape}].`,
      { loss: loss.shape, mask: mask.shape },
    );
  }
  return tf.tidy(() => {
    const inner = loss.shape.slice(mask.rank);
    const expanded = tf.reshape(tf.cast(mask, 'float32'), [...mask.shape, ...inner.map(() => 1)]);
    const samples = loss.shape[0] ?? 1;
    const kept = tf.mul(loss, expanded).reshape([samples, -1]);
    const positions = tf.sum(tf.reshape(expanded, [samples, -1]), 1);
    const elements = tf.mul(
      positions,
      inner.reduce((product, size) => product * size, 1),
    );
    return tf.mean<tf.Scalar>(tf.div(tf.sum(kept, 1), tf.maximum(elements, 1)));
  });
}

/** Cuts an axis to `length`, or fills it with zeros up to it. */
export function trimOrPad(values: tf.Tensor, length: number, axis = 1): tf.Tensor {
  const at = axis < 0 ? values.rank + axis : axis;
  const size = values.shape[at];
  if (size === undefined) {
    throw new EngineError('loss.shape', `There is no axis ${axis} in shape [${values.shape}].`, {
      shape: values.shape,
      axis,
    });
  }
  if (size >= length) {
    const begin = values.shape.map(() => 0);
    return tf.slice(
      values,
      begin,
      values.shape.map((extent, index) => (index === at ? length : extent)),
    );
  }
  return tf.pad(
    values,
    values.shape.map((_, index): [number, number] => [0, index === at ? length - size : 0]),
  );
}

/** Whether any element is NaN. Reads one number back from the device. */
export async function containsNan(values: tf.Tensor): Promise<boolean> {
  const found = tf.tidy(() => tf.any(tf.isNaN(values)));
  const [answer] = await found.data();
  found.dispose();
  return answer === 1;
}
