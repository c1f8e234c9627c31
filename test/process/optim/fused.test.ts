import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { EngineError } from '../../../engine/api/errors.ts';
import { loadBackend } from '../../../engine/backend/index.ts';
import {
  AdamW,
  CrossEntropyLoss,
  clipGradNorm,
  type NamedParameter,
  type Optimizer,
} from '../../../engine/optim/index.ts';
import { numericClipGradNorm } from '../../conformance/families/numericClipGradNorm.ts';
import { numericLosses } from '../../conformance/families/numericLosses.ts';
import { makeOptimizer, numericOptimizers } from '../../conformance/families/numericOptimizers.ts';
import { numericCases } from '../../support/numeric.ts';

/**
 * The same results on whatever backend this machine is best at: with native TensorFlow its fused operations do the work,
 * and must agree with the composed ones.
 */
let native = false;

beforeAll(async () => {
  native = (await loadBackend({ threads: 1 })).name === 'tensorflow';
});

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const clean of cleanups.splice(0)) clean();
});

interface OptimizerCase {
  readonly id: string;
  readonly name: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly initial: number[][];
  readonly grads: number[][][];
}

const optimizerCases = numericCases<OptimizerCase>('optimizers.json');
/** Those whose fused operation in TensorFlow would give other results. */
const composedOnly = new Set(['RMSprop', 'Adamax', 'NAdam', 'RAdam']);

function build(name: string, params: object, initial: number[][]): { optimizer: Optimizer; weight: NamedParameter } {
  const weight = { name: 'weight', variable: tf.tidy(() => tf.variable(tf.tensor2d(initial))) };
  const optimizer = makeOptimizer(`accelhydra.optim.${name}`, [weight], params);
  cleanups.push(() => {
    optimizer.dispose();
    weight.variable.dispose();
  });
  return { optimizer, weight };
}

function step(optimizer: Optimizer, gradient: number[][] | undefined): void {
  tf.tidy(() => optimizer.step(new Map([['weight', tf.tensor2d(gradient ?? [])]])));
}

test.each(optimizerCases)('$name $params gives what PyTorch gives', async (vector) => {
  expect(await numericOptimizers.run(vector)).toBeUndefined();
});

test.each(optimizerCases)('$name $params: fused equals composed', ({ name, params, initial, grads }) => {
  const one = build(name, params, initial);
  const other = build(name, { ...params, fused: false }, initial);
  for (const gradient of grads) {
    step(one.optimizer, gradient);
    step(other.optimizer, gradient);
  }
  const damped = name === 'SGD' && (params.dampening ?? 0) !== 0;
  expect(one.optimizer.isFused).toBe(native && !composedOnly.has(name) && !damped);
  expect(other.optimizer.isFused).toBe(false);
  const difference = tf.tidy(() => tf.max(tf.abs(tf.sub(one.weight.variable, other.weight.variable))).dataSync()[0]);
  expect(difference).toBeLessThan(3e-6);
});

test.each(optimizerCases)('$name $params leaks no tensor', ({ name, params, initial, grads }) => {
  const before = tf.memory().numTensors;
  const { optimizer, weight } = build(name, params, initial);
  step(optimizer, grads[0]);
  const warm = tf.memory().numTensors;
  for (const gradient of grads) step(optimizer, gradient);
  expect(tf.memory().numTensors).toBe(warm);
  optimizer.dispose();
  weight.variable.dispose();
  expect(tf.memory().numTensors).toBe(before);
});

test('a fused optimizer goes on exactly from its saved state, and a snapshot stays as it was', () => {
  const { initial, grads } = optimizerCases.find(({ name }) => name === 'AdamW') ?? { initial: [[0]], grads: [] };
  const straight = build('AdamW', { lr: 0.01 }, initial);
  const stopped = build('AdamW', { lr: 0.01 }, initial);
  for (const gradient of grads.slice(0, 3)) {
    step(straight.optimizer, gradient);
    step(stopped.optimizer, gradient);
  }
  const { tensors, scalars } = stopped.optimizer.stateDict();
  const kept = stopped.weight.variable.arraySync() as number[][];
  const before = [...tensors.values()].map((tensor) => tensor.arraySync());
  step(stopped.optimizer, grads[3]);
  expect([...tensors.values()].map((tensor) => tensor.arraySync())).toEqual(before);
  const resumed = build('AdamW', { lr: 0.01 }, kept);
  resumed.optimizer.loadStateDict({ tensors, scalars: JSON.parse(JSON.stringify(scalars)) });
  for (const gradient of grads.slice(3)) {
    step(straight.optimizer, gradient);
    step(resumed.optimizer, gradient);
  }
  expect(resumed.weight.variable.arraySync()).toEqual(straight.weight.variable.arraySync());
  tf.dispose([...tensors.values()]);
});

test('a weight that was assigned between steps is the one that is updated', () => {
  const { optimizer, weight } = build('SGD', { lr: 0.5, momentum: 0.9 }, [[1]]);
  step(optimizer, [[1]]);
  tf.tidy(() => weight.variable.assign(tf.tensor2d([[10]])));
  step(optimizer, [[1]]);
  expect(weight.variable.dataSync()[0]).toBeCloseTo(10 - 0.5 * 1.9, 5);
});

test.each(numericCases<{ id: string; params: unknown }>('losses.json'))('$id $params', async (vector) => {
  expect(await numericLosses.run(vector)).toBeUndefined();
});

test.each(numericCases<{ id: string; norm_type: unknown }>('clip_grad_norm.json'))(
  'clip by norm $norm_type',
  async (vector) => {
    expect(await numericClipGradNorm.run(vector)).toBeUndefined();
  },
);

test('a label beyond the classes is found where the loss is computed', () => {
  const call = () =>
    tf.tidy(() => void new CrossEntropyLoss().call(tf.zeros([2, 3]), tf.tensor1d([0, 7], 'int32')).dataSync());
  expect(call).toThrow(EngineError);
  expect(call).toThrow(/label 7 outside 0 … 2/);
});

test('a whole step reads nothing back and leaks nothing', () => {
  const parameters = [
    { name: 'kernel', variable: tf.tidy(() => tf.variable(tf.randomNormal([8, 4], 0, 0.1, 'float32', 1))) },
    { name: 'bias', variable: tf.tidy(() => tf.variable(tf.zeros([4]))) },
  ];
  const [kernel, bias] = parameters;
  const optimizer = new AdamW(parameters, { lr: 0.05 });
  const loss = new CrossEntropyLoss({ label_smoothing: 0.1 });
  const x = tf.randomNormal([16, 8], 0, 1, 'float32', 2);
  const labels = tf.tidy(() => tf.argMax(x.slice([0, 0], [16, 4]), 1).toInt());
  const train = (): tf.Scalar => {
    const { value, grads } = tf.variableGrads(() =>
      loss.call(tf.add(tf.matMul(x, kernel?.variable ?? x), bias?.variable ?? x), labels).asScalar(),
    );
    const named = new Map(parameters.map(({ name, variable }) => [name, grads[variable.name] ?? variable]));
    const { gradients, totalNorm } = clipGradNorm(named, 1);
    optimizer.step(gradients);
    tf.dispose([grads, totalNorm, ...gradients.values()]);
    return value;
  };
  const first = train();
  const warm = tf.memory().numTensors;
  let last = train();
  for (let count = 0; count < 40; count++) {
    last.dispose();
    last = train();
  }
  expect(tf.memory().numTensors).toBe(warm + 1);
  expect(last.dataSync()[0]).toBeLessThan((first.dataSync()[0] ?? 0) * 0.7);
  optimizer.dispose();
  tf.dispose([first, last, x, labels, ...parameters.map(({ variable }) => variable)]);
});
