import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadBackend } from '../../../engine/backend/index.ts';

const exceptions = ['uncaughtException', 'unhandledRejection'] as const;
const listening = exceptions.map((event) => new Set(process.listeners(event)));

beforeAll(async () => {
  await loadBackend({ backend: 'wasm' });
});
afterAll(async () => {
  await tf.setBackend('cpu');
  // Emscripten's, which other tests of this process must not be heard by
  for (const [i, event] of exceptions.entries())
    for (const listener of process.listeners(event))
      if (listening[i]?.has(listener) === false) process.off(event, listener);
});

/** Reproducible values from −1 to 1. */
function values(shape: readonly number[], seed: number): tf.Tensor {
  return tf.randomUniform([...shape], -1, 1, 'float32', seed);
}

/** The gradient on one backend, as numbers. */
async function on(backend: string, gradient: () => tf.Tensor): Promise<number[]> {
  await tf.setBackend(backend);
  const result = tf.tidy(gradient);
  const numbers = Array.from(await result.data());
  result.dispose();
  return numbers;
}

describe('what training needs works on WebAssembly as in plain JavaScript', () => {
  const image = (): tf.Tensor4D => values([2, 7, 6, 3], 1) as tf.Tensor4D;
  test.each<{ id: string; gradient: () => tf.Tensor }>([
    {
      id: 'the filter of a convolution that keeps the size',
      gradient: () =>
        tf.grad((filter) =>
          tf
            .conv2d(image(), filter as tf.Tensor4D, 1, 'same')
            .square()
            .sum(),
        )(values([3, 3, 3, 4], 2)),
    },
    {
      id: 'the filter of a convolution with strides',
      gradient: () =>
        tf.grad((filter) =>
          tf
            .conv2d(image(), filter as tf.Tensor4D, [2, 3], 'valid')
            .square()
            .sum(),
        )(values([3, 2, 3, 4], 3)),
    },
    {
      id: 'the filter of a convolution with strides and a border',
      gradient: () =>
        tf.grad((filter) =>
          tf
            .conv2d(image(), filter as tf.Tensor4D, 2, 'same')
            .square()
            .sum(),
        )(values([5, 5, 3, 2], 4)),
    },
    {
      id: 'the filter of a depthwise convolution',
      gradient: () =>
        tf.grad((filter) =>
          tf
            .depthwiseConv2d(image(), filter as tf.Tensor4D, 1, 'same')
            .square()
            .sum(),
        )(values([3, 3, 3, 1], 5)),
    },
    {
      id: 'rows that were gathered',
      gradient: () =>
        tf.grad((table) =>
          tf
            .gather(table, tf.tensor1d([2, 0, 2], 'int32'))
            .square()
            .sum(),
        )(values([4, 3], 6)),
    },
  ])('$id', async ({ gradient }) => {
    const expected = await on('cpu', gradient);
    const before = tf.memory().numTensors;
    const got = await on('wasm', gradient);
    expect(tf.memory().numTensors).toBe(before);
    expect(Math.max(...expected.map(Math.abs))).toBeGreaterThan(0);
    got.forEach((value, index) => {
      expect(value).toBeCloseTo(expected[index] ?? Number.NaN, 4);
    });
    expect(got).toHaveLength(expected.length);
  });
});
