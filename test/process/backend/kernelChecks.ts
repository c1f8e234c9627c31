// How tests compare kernels with the plain ops that they stand in for.
import * as tf from '@tensorflow/tfjs';
import { expect } from 'vitest';
import { type NativeBinding, nativeBackendOf, withPlainKernels } from '../../../engine/backend/index.ts';

/** Values with both signs, the same at every call. */
export function noise(shape: number[], seed = 1): tf.Tensor {
  return tf.randomNormal(shape, 0, 1, 'float32', seed);
}

export function both(op: (x: tf.Tensor) => tf.Tensor, x: tf.Tensor): tf.Tensor[] {
  return withGradients([x], ([input]) => op(input as tf.Tensor));
}

/** The value and the gradient by each input, for an uneven gradient of the value. */
export function withGradients(inputs: tf.Tensor[], op: (inputs: tf.Tensor[]) => tf.Tensor): tf.Tensor[] {
  const value = op(inputs);
  const { grads } = tf.valueAndGrads((...args: tf.Tensor[]) => op(args))(inputs, noise(value.shape, 9));
  return [value, ...Object.values<tf.Tensor>(grads)];
}

/** Names of the native ops that `run` calls. */
export function opsOf(run: () => unknown): string[] {
  const backend = nativeBackendOf(tf);
  if (backend === undefined) throw new Error('this test needs the native backend');
  const { binding } = backend;
  const names: string[] = [];
  const executeOp: NativeBinding['executeOp'] = (name, ...rest) => {
    names.push(name);
    return binding.executeOp(name, ...rest);
  };
  Object.assign(backend, { binding: Object.create(binding, { executeOp: { value: executeOp } }) });
  try {
    run();
  } finally {
    Object.assign(backend, { binding });
  }
  return names;
}

/** The kernels and the plain ops give the same numbers. */
export function same(run: () => tf.Tensor[]): void {
  close(run(), withPlainKernels(run));
}

export function values(tensor: tf.Tensor): number[] {
  return [...tensor.dataSync()];
}

export function close(found: tf.Tensor[], wanted: tf.Tensor[]): void {
  expect(found.map(({ shape }) => shape)).toEqual(wanted.map(({ shape }) => shape));
  for (const [i, tensor] of found.entries()) {
    const expected = values(wanted[i] as tf.Tensor);
    const wrong = values(tensor).findIndex((value, place) => !isClose(value, expected[place] ?? Number.NaN));
    expect(
      wrong === -1 ? undefined : { tensor: i, place: wrong, found: values(tensor)[wrong], expected: expected[wrong] },
    ).toBe(undefined);
  }
}

function isClose(a: number, b: number): boolean {
  return (
    Object.is(a, b) ||
    a === b ||
    Math.abs(a - b) <= 1e-5 * Math.max(1, Math.abs(b)) ||
    (Number.isNaN(a) && Number.isNaN(b))
  );
}
