import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, test } from 'vitest';
import { EngineError } from '../../../engine/api/errors.ts';
import { loadBackend } from '../../../engine/backend/index.ts';
import {
  BCEWithLogitsLoss,
  builtinOptim,
  CrossEntropyLoss,
  containsNan,
  GaussianNLLLoss,
  IdentityWrapper,
  LossSumWrapper,
  MSELoss,
  maskedLoss,
  maskFromLengths,
  NLLLoss,
  trimOrPad,
} from '../../../engine/optim/index.ts';
import { numericLosses } from '../../conformance/families/numericLosses.ts';
import { firstDifference, flatten, type NestedNumbers, toTensor } from '../../conformance/families/numericValues.ts';
import { numericCases } from '../../support/numeric.ts';

beforeAll(async () => {
  await loadBackend({ backend: 'cpu' });
});

interface LossCase {
  readonly id: string;
  readonly name: string;
  readonly params: unknown;
  readonly loss: NestedNumbers;
}

function failureOf(action: () => unknown): EngineError {
  try {
    action();
  } catch (error) {
    if (error instanceof EngineError) return error;
    throw error;
  }
  throw new Error('It should have failed.');
}

test.each(numericCases<LossCase>('losses.json'))('$id $params gives value and gradient as recorded', async (vector) => {
  expect(await numericLosses.run(vector)).toBeUndefined();
});

test('a wrong loss would be noticed', async () => {
  const vector = numericCases<LossCase>('losses.json').find(({ loss }) => typeof loss === 'number');
  const loss = typeof vector?.loss === 'number' ? vector.loss * 1.0001 : Number.NaN;
  expect(await numericLosses.run({ ...vector, loss })).toMatch(/^loss: value 0/);
});

test.each(
  numericCases<{
    id: string;
    name: string;
    params: object;
    inputs: NestedNumbers[];
    loss: NestedNumbers;
    grads: NestedNumbers[];
    which: number[];
  }>('losses_of_three.json'),
)('$id $params gives value and gradients as recorded', ({ name, params, inputs, loss: expected, grads, which }) => {
  const found = builtinOptim[`torch.nn.${name}`];
  if (typeof found !== 'function') throw new Error(`no ${name}`);
  const loss: { call(...tensors: tf.Tensor[]): tf.Tensor } = Reflect.construct(found, [params]);
  tf.tidy(() => {
    const tensors = inputs.map((input) => toTensor(input));
    expect(firstDifference(loss.call(...tensors).dataSync(), flatten(expected), 1e-5, 0.1)).toBeUndefined();
    const varied = which.map((index) => tensors[index] ?? tf.scalar(0));
    const slopes = tf.grads((...some: tf.Tensor[]) =>
      tf.sum(loss.call(...tensors.map((tensor, index) => some[which.indexOf(index)] ?? tensor))),
    )(varied);
    for (const [index, gradient] of grads.entries()) {
      const actual = slopes[index]?.dataSync() ?? [];
      expect(firstDifference(actual, flatten(gradient), 2e-5, 0.1)).toBeUndefined();
    }
  });
});

test.each([
  { id: 'cross entropy', loss: new CrossEntropyLoss({ label_smoothing: 0.1 }), labels: true },
  { id: 'binary cross entropy', loss: new BCEWithLogitsLoss(), labels: false },
  { id: 'squares', loss: new MSELoss(), labels: false },
])('$id leaks no tensor, forward or backward', ({ loss, labels }) => {
  const x = tf.randomNormal([4, 3]);
  const target = labels ? tf.tensor1d([0, 1, 2, 0], 'int32') : tf.zeros([4, 3]);
  const before = tf.memory().numTensors;
  const { value, grads } = tf.valueAndGrads((tensor: tf.Tensor) => loss.call(tensor, target).asScalar())([x]);
  expect(tf.memory().numTensors).toBe(before + 2);
  tf.dispose([value, ...grads]);
  expect(tf.memory().numTensors).toBe(before);
});

test('extreme logits give finite losses and gradients', () => {
  tf.tidy(() => {
    const x = tf.tensor2d([
      [1e30, -1e30, 0],
      [-1e4, 1e4, 1e4],
    ]);
    const labels = tf.tensor1d([0, 0], 'int32');
    const loss = new CrossEntropyLoss();
    const gradient = tf.grad((tensor: tf.Tensor) => loss.call(tensor, labels))(x);
    expect(loss.call(x, labels).dataSync()[0]).toBeCloseTo((0 + 2e4 + Math.log(2)) / 2, 1);
    expect([...gradient.dataSync()].every(Number.isFinite)).toBe(true);
  });
});

test('a masked class (-∞) costs nothing and gets no gradient', () => {
  tf.tidy(() => {
    const x = tf.tensor2d([[0, Number.NEGATIVE_INFINITY, 0]]);
    const labels = tf.tensor1d([2], 'int32');
    const loss = new CrossEntropyLoss();
    expect(loss.call(x, labels).dataSync()[0]).toBeCloseTo(Math.log(2), 6);
    const gradient = tf.grad((tensor: tf.Tensor) => loss.call(tensor, labels))(x);
    expect([...gradient.dataSync()]).toEqual([0.5, 0, -0.5]);
  });
});

test.each([
  { id: 'CrossEntropyLoss', loss: new CrossEntropyLoss({ ignore_index: 9, weight: [1, 2, 3] }) },
  { id: 'CrossEntropyLoss, smoothed', loss: new CrossEntropyLoss({ ignore_index: 9, label_smoothing: 0.1 }) },
  { id: 'NLLLoss', loss: new NLLLoss({ ignore_index: 9 }) },
])('$id of nothing but ignored labels is NaN and moves no weight, as in PyTorch', ({ loss }) => {
  tf.tidy(() => {
    const labels = tf.tensor1d([9, 9], 'int32');
    const { value, grad } = tf.valueAndGrad((x: tf.Tensor) => loss.call(x, labels))(tf.ones([2, 3]));
    expect(value.dataSync()[0]).toBeNaN();
    expect([...tf.abs(grad).dataSync()]).toEqual([0, 0, 0, 0, 0, 0]);
  });
});

test('a variance for each row is that of its elements', () => {
  tf.tidy(() => {
    const [x, y] = [
      tf.tensor2d([
        [1, 2, 3],
        [4, 5, 6],
      ]),
      tf.zeros([2, 3]),
    ];
    const loss = new GaussianNLLLoss();
    const expected = loss
      .call(
        x,
        y,
        tf.tensor2d([
          [2, 2, 2],
          [3, 3, 3],
        ]),
      )
      .dataSync()[0];
    for (const shape of [[2], [2, 1]]) expect(loss.call(x, y, tf.tensor([2, 3], shape)).dataSync()[0]).toBe(expected);
  });
});

test('classes may be last, as layers give them', () => {
  tf.tidy(() => {
    const last = tf.randomNormal([2, 3, 4]);
    const labels = tf.tensor2d(
      [
        [0, 1, 2],
        [3, 0, 1],
      ],
      [2, 3],
      'int32',
    );
    const expected = new CrossEntropyLoss({ reduction: 'none' }).call(tf.transpose(last, [0, 2, 1]), labels);
    const actual = new CrossEntropyLoss({ reduction: 'none', class_axis: -1 }).call(last, labels);
    expect(actual.shape).toEqual([2, 3]);
    expect(firstDifference(actual.dataSync(), [...expected.dataSync()], 1e-6)).toBeUndefined();
  });
});

test.each([
  {
    id: 'a label beyond the classes',
    call: () => new CrossEntropyLoss().call(tf.zeros([2, 3]), tf.tensor1d([0, 3], 'int32')),
    code: 'loss.label-out-of-range',
    message: /label 3 outside 0 … 2/,
  },
  {
    id: 'classes last without saying so',
    call: () => new CrossEntropyLoss().call(tf.zeros([2, 5, 3]), tf.zeros([2, 5], 'int32')),
    code: 'loss.shape',
    message: /class_axis: -1/,
  },
  {
    id: 'shapes that would broadcast',
    call: () => new MSELoss().call(tf.zeros([4, 1]), tf.zeros([4])),
    code: 'loss.shape',
    message: /\[4,1\] and the target \[4\]/,
  },
  {
    id: 'a variance of no shape that fits',
    call: () => new GaussianNLLLoss().call(tf.zeros([2, 3]), tf.zeros([2, 3]), tf.ones([3])),
    code: 'loss.shape',
    message: /the variance \[3\]; it needs/,
  },
  {
    id: 'weights for another number of classes',
    call: () => new CrossEntropyLoss({ weight: [1, 2] }).call(tf.zeros([1, 3]), tf.zeros([1], 'int32')),
    code: 'optim.option.invalid',
    message: /3 classes/,
  },
  {
    id: 'an unknown reduction',
    call: () => Reflect.construct(MSELoss, [{ reduction: 'men' }]),
    code: 'optim.option.invalid',
    message: /'reduction'/,
  },
  {
    id: 'a misspelt option',
    call: () => Reflect.construct(CrossEntropyLoss, [{ label_smothing: 0.1 }]),
    code: 'optim.option.unknown',
    message: /Did you mean 'label_smoothing'/,
  },
  {
    id: 'a named loss without weight',
    call: () => new LossSumWrapper({ weights: { diff_loss: 1 } }).call({ dif_loss: tf.scalar(1) }),
    code: 'loss.weight-missing',
    message: /Did you mean 'diff_loss'/,
  },
])('$id is refused', ({ call, code, message }) => {
  const error = failureOf(() => tf.tidy(() => void call()));
  expect(error.code).toBe(code);
  expect(error.message).toMatch(message);
});

test('LossSumWrapper adds weighted terms and keeps them', () => {
  tf.tidy(() => {
    const wrapper = new LossSumWrapper({ weights: { a: 2, b: 0.5 } });
    const result = wrapper.call({ a: tf.scalar(3), b: tf.scalar(4) });
    expect(Object.keys(result)).toEqual(['loss', 'a', 'b']);
    expect(result.loss?.dataSync()[0]).toBe(8);
  });
});

test("the identity wrapper answers to AccelHydra's own spelling too", () => {
  expect(builtinOptim['accel_hydra.losses.IndentityWrapper']).toBe(IdentityWrapper);
  const loss = tf.scalar(1);
  expect(new IdentityWrapper().call(loss)).toEqual({ loss });
  loss.dispose();
});

test('a mask from lengths marks what is data', () => {
  tf.tidy(() => {
    expect(maskFromLengths([1, 3, 0]).arraySync()).toEqual([
      [1, 0, 0],
      [1, 1, 1],
      [0, 0, 0],
    ]);
    expect(maskFromLengths(tf.tensor1d([1, 2], 'int32'), 3).shape).toEqual([2, 3]);
  });
});

test('a masked loss weighs samples, not positions', () => {
  tf.tidy(() => {
    const loss = tf.tensor3d([
      [
        [1, 3],
        [100, 100],
      ],
      [
        [4, 4],
        [6, 6],
      ],
    ]);
    expect(maskedLoss(loss, maskFromLengths([1, 2])).dataSync()[0]).toBe((2 + 5) / 2);
    expect(
      maskedLoss(
        tf.tensor2d([
          [1, 9],
          [9, 9],
        ]),
        maskFromLengths([1, 0], 2),
      ).dataSync()[0],
    ).toBe(0.5);
  });
});

test('trimOrPad gives the wanted length', () => {
  tf.tidy(() => {
    const x = tf.tensor2d([
      [1, 2],
      [3, 4],
    ]);
    expect(trimOrPad(x, 1).arraySync()).toEqual([[1], [3]]);
    expect(trimOrPad(x, 3, -1).arraySync()).toEqual([
      [1, 2, 0],
      [3, 4, 0],
    ]);
  });
});

test('containsNan finds one', async () => {
  const [clean, dirty] = [tf.tensor1d([1, 2]), tf.tensor1d([1, Number.NaN])];
  expect([await containsNan(clean), await containsNan(dirty)]).toEqual([false, true]);
  tf.dispose([clean, dirty]);
});
