// Run by set-up in a process of its own, with the path of the library of kernels: it loads beside TensorFlow and computes, or
// this ends with its error.
import process from 'node:process';
import { DataType, nativeResult, QueuedSession } from '../backend/graph/index.ts';
import { loadBackend, nativeBinding } from '../backend/index.ts';

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
const library = { exports: {} };
process.dlopen(library, process.argv[2]);
const points = Array.from({ length: rounds }, () => gelu).flat();
const x = tf.tensor1d(points.map(([value]) => value));
const [y] = tf.backend().executeMultipleOutputs('AccelHydraGelu', [], [x], 1);
const values = await y.data();
points.forEach(([at, right], index) => {
  // the negation also holds for a value that is no number
  if (!(Math.abs(values[index] - right) < 1e-5))
    throw new Error(`they compute wrongly: GELU of ${at} gave ${values[index]} instead of ${right}`);
});
// a few numbers come back another way than many
for (const count of [1, 64]) {
  const squared = runGraph(library.exports, new Float32Array(count).fill(3));
  if (squared.length !== count || squared.some((value) => value !== 9))
    throw new Error(`graphs compute wrongly: 3 times 3 gave ${squared[0]}`);
}
process.stdout.write(`${JSON.stringify({ version: tensorflowVersion })}\n`);

/** x times x, by a graph on a thread of the library's. */
function runGraph(sessions, values) {
  const type = { kind: 'type', type: DataType.float };
  const binding = nativeBinding(tf);
  const session = new QueuedSession(binding, sessions, [
    { name: 'x', op: 'Placeholder', inputs: [], attributes: { dtype: type } },
    { name: 'y', op: 'Mul', inputs: ['x:0', 'x:0'], attributes: { T: type } },
  ]);
  const [result] = session.run([{ values, shape: [values.length], dtype: DataType.float }], 'x:0', 'y:0');
  session.dispose();
  return binding.tensorDataSync(nativeResult(binding, result).id);
}
