import * as tf from '@tensorflow/tfjs';
import { z } from 'zod';
import { EngineError } from '../../api/errors.ts';

export type Reduction = 'mean' | 'sum' | 'none';

export const reduction = z
  .enum(['mean', 'sum', 'none'])
  .default('mean')
  .describe('mean or sum over all elements, or none: a loss for each');

/** Weights of classes or elements: numbers from a config, or a tensor. */
export const weights = z
  .union(
    [z.array(z.number()), z.custom<tf.Tensor>((value) => value instanceof tf.Tensor)],
    'it must be a list of numbers, or a tensor',
  )
  .nullish();

export function reduce(values: tf.Tensor, how: Reduction): tf.Tensor {
  if (how === 'none') return values;
  return how === 'sum' ? tf.sum(values) : tf.mean(values);
}

/** Integers and booleans become float32; a float32 tensor passes unchanged. */
export function toFloat(value: tf.Tensor): tf.Tensor {
  return value.dtype === 'float32' ? value : tf.cast(value, 'float32');
}

export function weightTensor(value: z.output<typeof weights>): tf.Tensor | undefined {
  if (value === null || value === undefined) return undefined;
  return value instanceof tf.Tensor ? toFloat(value) : tf.tensor1d([...value], 'float32');
}

/** @throws EngineError `loss.shape` unless both shapes are equal: silent broadcasting hides mistakes */
export function requireSameShape(loss: string, input: tf.Tensor, target: tf.Tensor): void {
  if (tf.util.arraysEqual(input.shape, target.shape)) return;
  throw new EngineError(
    'loss.shape',
    `${loss} compares element by element, but the input has shape [${input.shape}] and the target [${target.shape}]. Reshape one of them.`,
    { loss, input: input.shape, target: target.shape },
  );
}

/**
 * A function of one tensor with a gradient of its own. `constants` take part in both directions and get no gradient;
 * they are kept until the backward pass.
 */
export function withGradient(
  input: tf.Tensor,
  constants: readonly tf.Tensor[],
  forward: (x: tf.Tensor, constants: readonly tf.Tensor[]) => tf.Tensor,
  backward: (dy: tf.Tensor, x: tf.Tensor, constants: readonly tf.Tensor[]) => tf.Tensor,
): tf.Tensor {
  const run = tf.customGrad((...args) => {
    const [x, save] = args;
    if (!(x instanceof tf.Tensor) || typeof save !== 'function')
      throw new Error('Internal error: unexpected arguments');
    save([x, ...constants]);
    return {
      value: forward(x, constants),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
        const [kept, ...rest] = saved;
        return backward(dy, kept ?? x, rest);
      },
    };
  });
  return run(input);
}

/** |x| with gradient 0 at 0, as PyTorch has it. */
export function absolute(x: tf.Tensor): tf.Tensor {
  return withGradient(
    x,
    [],
    (value) => tf.abs(value),
    (dy, value) => tf.mul(dy, tf.sign(value)),
  );
}

/** max(x, 0) that passes the gradient at 0, as PyTorch's clamp does. */
export function clampAtZero(x: tf.Tensor): tf.Tensor {
  return withGradient(
    x,
    [],
    (value) => tf.maximum(value, 0),
    (dy, value) => tf.mul(dy, tf.cast(tf.greaterEqual(value, 0), 'float32')),
  );
}

/** log(1 + exp(x)) without overflow. */
export function softplus(x: tf.Tensor): tf.Tensor {
  return withGradient(
    x,
    [],
    (value) => tf.add(tf.maximum(value, 0), tf.log1p(tf.exp(tf.neg(tf.abs(value))))),
    (dy, value) => tf.mul(dy, tf.sigmoid(value)),
  );
}
