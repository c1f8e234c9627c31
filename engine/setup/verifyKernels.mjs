// Run by set-up in a process of its own, with the path of the library of kernels: it loads beside TensorFlow and computes, or
// this ends with its error.
import process from 'node:process';
import { loadBackend } from '../backend/index.ts';

/** x Φ(x), Φ the distribution function of the standard normal distribution. */
const gelu = [
  [-3, -0.00404969409489],
  [-2, -0.04550026389636],
  [-1, -0.15865525393146],
  [-0.5, -0.15426876936299],
  [0, 0],
  [0.5, 0.34573123063701],
  [1, 0.84134474606854],
  [2, 1.95449973610364],
  [3, 2.99595030590511],
];
/** Not a multiple of any vector's width: what is left over is computed apart. */
const rounds = 3;

const { tf, tensorflowVersion } = await loadBackend({ backend: 'tensorflow' });
process.dlopen({ exports: {} }, process.argv[2]);
const points = Array.from({ length: rounds }, () => gelu).flat();
const x = tf.tensor1d(points.map(([value]) => value));
const [y] = tf.backend().executeMultipleOutputs('AccelHydraGelu', [], [x], 1);
const values = await y.data();
points.forEach(([at, right], index) => {
  // the negation also holds for a value that is no number
  if (!(Math.abs(values[index] - right) < 1e-5))
    throw new Error(`they compute wrongly: GELU of ${at} gave ${values[index]} instead of ${right}`);
});
process.stdout.write(`${JSON.stringify({ version: tensorflowVersion })}\n`);
