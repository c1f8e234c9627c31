import * as tf from '@tensorflow/tfjs';
import { sizeOf } from '../../data/hostTensor.ts';
import { initialRandom } from './randomness.ts';

/** A trainable float32 variable; names come from where it stands in the module. */
export function parameter(shape: readonly number[], fill: (index: number) => number): tf.Variable {
  const values = Float32Array.from({ length: sizeOf(shape) }, (_, i) => fill(i));
  return tf.tidy(() => tf.variable(tf.tensor(values, [...shape], 'float32'), true));
}

/** Uniform in [-bound, bound), from the stream that `manualSeed` began. */
export function uniformParameter(shape: readonly number[], bound: number): tf.Variable {
  const random = initialRandom();
  return parameter(shape, () => (random.uniform() * 2 - 1) * bound);
}

export function normalParameter(shape: readonly number[], std = 1, mean = 0): tf.Variable {
  const random = initialRandom();
  return parameter(shape, () => random.normal() * std + mean);
}

export function constantParameter(shape: readonly number[], value: number): tf.Variable {
  return parameter(shape, () => value);
}

/**
 * PyTorch's default for linear and convolution layers, kaiming_uniform with a = √5: uniform in ±1/√fan_in, for the
 * weight and for the bias.
 */
export function fanInBound(fanIn: number): number {
  return fanIn > 0 ? 1 / Math.sqrt(fanIn) : 0;
}
