import * as tf from '@tensorflow/tfjs';
import { type NativeBackend, nativeBackend } from '../nativeOps.ts';
import { labelError } from './classRows.ts';

/**
 * -log softmax(logits)[label] for each row. Labels must be in range; TensorFlow's own operation gives loss and gradient
 * at once where it runs.
 * @param logits (rows, classes)
 * @param labels int32 (rows)
 */
export function sparseRows(logits: tf.Tensor2D, labels: tf.Tensor1D, loss: string): tf.Tensor {
  const native = nativeBackend();
  const classes = logits.shape[1];
  if (native === undefined) return softRows(logits, tf.cast(tf.oneHot(labels, classes), 'float32'));
  return tf.customGrad((...args) => {
    const [x, save] = args;
    if (!(x instanceof tf.Tensor) || typeof save !== 'function')
      throw new Error('Internal error: unexpected arguments');
    const [value, slope] = nativeSparse(native, x, labels, classes, loss);
    save([slope]);
    return {
      value,
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => tf.mul(tf.expandDims(dy, 1), saved[0] ?? slope),
    };
  })(logits);
}

function nativeSparse(
  native: NativeBackend,
  logits: tf.Tensor,
  labels: tf.Tensor,
  classes: number,
  loss: string,
): readonly [tf.Tensor, tf.Tensor] {
  const { TF_ATTR_TYPE, TF_FLOAT, TF_INT32 } = native.binding;
  const attributes = [
    { name: 'T', type: TF_ATTR_TYPE, value: TF_FLOAT },
    { name: 'Tlabels', type: TF_ATTR_TYPE, value: TF_INT32 },
  ];
  try {
    const [value, slope] = native.executeMultipleOutputs(
      'SparseSoftmaxCrossEntropyWithLogits',
      attributes,
      [logits, labels],
      2,
    );
    if (value === undefined || slope === undefined) throw new Error('Internal error: TensorFlow gave no loss');
    return [value, slope];
  } catch (error) {
    const wrong = /label value of (-?\d+)/.exec(error instanceof Error ? error.message : '')?.[1];
    if (wrong === undefined) throw error;
    throw labelError(Number(wrong), classes, loss, error);
  }
}

/**
 * -Σ target · log softmax(logits) for each row. Targets need not sum to 1. A target of 0 counts as 0 even where a logit
 * is -∞.
 * @param logits (rows, classes)
 * @param target float32 (rows, classes); gets no gradient
 */
export function softRows(logits: tf.Tensor2D, target: tf.Tensor): tf.Tensor {
  return tf.customGrad((...args) => {
    const [x, save] = args;
    if (!(x instanceof tf.Tensor) || typeof save !== 'function')
      throw new Error('Internal error: unexpected arguments');
    const logarithms = tf.logSoftmax(x);
    save([logarithms, target]);
    const products = tf.where(tf.equal(target, 0), tf.zerosLike(target), tf.mul(target, logarithms));
    return {
      value: tf.neg(tf.sum(products, -1)),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
        const [kept = logarithms, weights = target] = saved;
        const slope = tf.sub(tf.mul(tf.exp(kept), tf.sum(weights, -1, true)), weights);
        return tf.mul(tf.expandDims(dy, 1), slope);
      },
    };
  })(logits);
}
