import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, test } from 'vitest';
import { loadBackend } from '../../../engine/backend/index.ts';
import { clipGradNorm, clipGradValue, gradientNorm } from '../../../engine/optim/index.ts';
import { numericClipGradNorm } from '../../conformance/families/numericClipGradNorm.ts';
import { numericCases } from '../../support/numeric.ts';

beforeAll(async () => {
  await loadBackend({ backend: 'cpu' });
});

test.each(numericCases<{ id: string; max_norm: number; norm_type: unknown }>('clip_grad_norm.json'))(
  'norm $norm_type clipped at $max_norm as recorded',
  async (vector) => {
    expect(await numericClipGradNorm.run(vector)).toBeUndefined();
  },
);

const gradients = () =>
  new Map([
    ['a', tf.tensor1d([3, 0])],
    ['b', tf.tensor1d([-4])],
  ]);

test('null measures and clips nothing', () => {
  tf.tidy(() => {
    const { gradients: same, totalNorm } = clipGradNorm(gradients(), null);
    expect(totalNorm.dataSync()[0]).toBe(5);
    expect([...same.values()].flatMap((gradient) => [...gradient.dataSync()])).toEqual([3, 0, -4]);
  });
});

test('the results are the only new tensors', () => {
  const given = gradients();
  const before = tf.memory().numTensors;
  const clipped = clipGradNorm(given, 1);
  expect(tf.memory().numTensors).toBe(before + 3);
  tf.dispose([clipped.totalNorm, ...clipped.gradients.values(), ...given.values()]);
});

test('no gradients have norm 0', () => {
  tf.tidy(() => {
    expect(gradientNorm(new Map()).dataSync()[0]).toBe(0);
  });
});

test('values are limited element by element', () => {
  tf.tidy(() => {
    const clipped = clipGradValue(gradients(), 2);
    expect([...clipped.values()].flatMap((gradient) => [...gradient.dataSync()])).toEqual([2, 0, -2]);
  });
});

test.each([
  { id: 'a negative limit', call: () => clipGradNorm(gradients(), -1) },
  { id: 'a norm type of 0', call: () => clipGradNorm(gradients(), 1, 0) },
  { id: 'a negative value', call: () => clipGradValue(gradients(), -1) },
])('$id is refused', ({ call }) => {
  expect(() => tf.tidy(() => void call())).toThrow(/from 0 up|above 0/);
});
