import * as tf from '@tensorflow/tfjs';
import { EngineError } from '../api/errors.ts';
import type { Gradients } from './gradients.ts';
import { nativeBackend } from './nativeOps.ts';

export interface ClippedGradients {
  /** New tensors under the same names, the caller's to dispose. */
  readonly gradients: Map<string, tf.Tensor>;
  /** The norm of all gradients together before clipping, still on the device; the caller's to dispose. */
  readonly totalNorm: tf.Scalar;
}

/** PyTorch adds this to the norm so that a norm of 0 divides nothing by 0. */
const stabiliser = 1e-6;

/**
 * The norm over all gradients as if they were one vector, as a scalar on the device. Nothing is read back.
 * @param normType 2 by default; `Infinity` (or 'inf') for the largest magnitude
 */
export function gradientNorm(gradients: Gradients, normType: number | 'inf' = 2): tf.Scalar {
  const order = normType === 'inf' ? Number.POSITIVE_INFINITY : normType;
  if (!(order > 0)) {
    throw new EngineError('optim.clip.norm-type', `The norm type must be above 0 or 'inf', not ${normType}.`, {
      normType,
    });
  }
  return tf.tidy(() => {
    const values = [...gradients.values()];
    if (values.length === 0) return tf.scalar(0);
    if (order === Number.POSITIVE_INFINITY) {
      return tf.max<tf.Scalar>(tf.stack(values.map((gradient) => tf.max(tf.abs(gradient)))));
    }
    if (order === 2) return tf.sqrt<tf.Scalar>(sumOfSquares(values));
    const powers = values.map((gradient) => tf.sum<tf.Scalar>(tf.pow(tf.abs(gradient), order)));
    return tf.pow<tf.Scalar>(total(powers), 1 / order);
  });
}

/**
 * Scales all gradients together so that their norm is at most `maxNorm` (torch.nn.utils.clip_grad_norm_).
 * @param maxNorm null measures without clipping: the returned gradients are then the same values
 */
export function clipGradNorm(
  gradients: Gradients,
  maxNorm: number | null,
  normType: number | 'inf' = 2,
): ClippedGradients {
  const totalNorm = gradientNorm(gradients, normType);
  if (maxNorm === null) return { gradients: mapTensors(gradients, (gradient) => gradient.clone()), totalNorm };
  if (!(maxNorm >= 0)) {
    throw new EngineError('optim.clip.max-norm', `max_grad_norm must be a number from 0 up, or null, not ${maxNorm}.`, {
      maxNorm,
    });
  }
  const factor = tf.tidy(() => tf.minimum(tf.div(maxNorm, tf.add(totalNorm, stabiliser)), 1));
  const clipped = mapTensors(gradients, (gradient) => tf.mul(gradient, factor));
  factor.dispose();
  return { gradients: clipped, totalNorm };
}

/** Limits every element to [-value, value] (torch.nn.utils.clip_grad_value_). The results are the caller's to dispose. */
export function clipGradValue(gradients: Gradients, value: number): Map<string, tf.Tensor> {
  if (!(value >= 0)) {
    throw new EngineError('optim.clip.value', `Gradients can be clipped to a value from 0 up, not ${value}.`, {
      value,
    });
  }
  return mapTensors(gradients, (gradient) => tf.clipByValue(gradient, -value, value));
}

function mapTensors(gradients: Gradients, change: (gradient: tf.Tensor) => tf.Tensor): Map<string, tf.Tensor> {
  return new Map([...gradients].map(([name, gradient]) => [name, change(gradient)]));
}

function sumOfSquares(values: readonly tf.Tensor[]): tf.Scalar {
  const native = nativeBackend();
  if (native === undefined) return total(values.map((gradient) => tf.sum<tf.Scalar>(tf.square(gradient))));
  const { TF_ATTR_TYPE, TF_FLOAT } = native.binding;
  const attributes = [{ name: 'T', type: TF_ATTR_TYPE, value: TF_FLOAT }];
  // One operation per gradient instead of two; L2Loss is half the sum of squares.
  const halves = values.map((gradient) => native.executeSingleOutput('L2Loss', attributes, [gradient]).asScalar());
  return tf.mul<tf.Scalar>(total(halves), 2);
}

function total(scalars: readonly tf.Scalar[]): tf.Scalar {
  return scalars.length === 1 && scalars[0] !== undefined ? scalars[0] : tf.addN<tf.Scalar>([...scalars]);
}
