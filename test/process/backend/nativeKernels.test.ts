// The kernels that stand in for those of TensorFlow.js on the native backend, each against the plain op it replaces.
import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { loadBackend, nativeBinding, tensorflowObstacle, withPlainKernels } from '../../../engine/backend/index.ts';
import { pretendMissing } from '../../../engine/backend/kernels/optional.ts';
import { installFastGradients } from '../../../engine/trainer/model/fastGradients.ts';
import { BatchNorm2d, Conv2d, GELU, LayerNorm, Linear } from '../../../engine/trainer/model/layers/index.ts';
import type { Module } from '../../../engine/trainer/model/module.ts';
import { addBias } from '../../../engine/trainer/model/native/convolve.ts';
import { manualSeed } from '../../../engine/trainer/model/randomness.ts';
import { both, close, noise, opsOf, same, values, withGradients } from './kernelChecks.ts';

const missing = tensorflowObstacle();

describe.skipIf(missing)(`native kernels${missing ? ` (${missing})` : ''}`, () => {
  beforeAll(async () => {
    await loadBackend({ backend: 'tensorflow', threads: 1 });
    installFastGradients();
  });
  afterEach(() => pretendMissing('_MklNativeMaxPool', false));

  const maxPool = (x: tf.Tensor, size: number, stride: number, pad: 'same' | 'valid'): tf.Tensor =>
    tf.maxPool(x as tf.Tensor4D, size, stride, pad);
  const avgPool = (x: tf.Tensor, size: number, stride: number, pad: 'same' | 'valid'): tf.Tensor =>
    tf.avgPool(x as tf.Tensor4D, size, stride, pad);
  const ties = () => tf.round(noise([2, 7, 6, 3]));

  test.each([
    { id: 'different values', make: () => noise([2, 7, 6, 3]) },
    { id: 'ties', make: ties },
    { id: 'nothing but zeros', make: () => tf.zeros([2, 7, 6, 3]) },
    {
      id: 'infinities',
      make: () => tf.where(tf.greater(ties(), 0), tf.fill([2, 7, 6, 3], Number.NEGATIVE_INFINITY), ties()),
    },
  ])('pooling $id gives the values and gradients of the plain ops', ({ make }) => {
    for (const pad of ['same', 'valid'] as const) {
      for (const [size, stride] of [
        [2, 2],
        [3, 2],
        [3, 1],
      ] as const) {
        same(() => both((x) => maxPool(x, size, stride, pad), make()));
        same(() => both((x) => avgPool(x, size, stride, pad), make()));
      }
    }
  });

  test('NaN comes out of a pooling where the plain op has it', () => {
    const x = tf.where(tf.greater(noise([2, 7, 6, 3]), 1), tf.fill([2, 7, 6, 3], Number.NaN), noise([2, 7, 6, 3]));
    same(() => [maxPool(x, 3, 2, 'same')]);
    same(() => [avgPool(x, 3, 2, 'same')]);
  });

  test('whole numbers and empty batches take the plain op', () => {
    expect([...maxPool(tf.zeros([0, 4, 4, 2]), 2, 2, 'valid').shape]).toEqual([0, 2, 2, 2]);
    expect(tf.conv2d(tf.zeros<tf.Rank.R4>([0, 4, 4, 2]), tf.ones<tf.Rank.R4>([3, 3, 2, 5]), 1, 'same').shape).toEqual([
      0, 4, 4, 5,
    ]);
    const whole = tf.matMul(tf.tensor2d([[1, 2]], [1, 2], 'int32'), tf.tensor2d([[3], [4]], [2, 1], 'int32'));
    expect([...whole.dataSync()]).toEqual([11]);
  });

  test('a build of TensorFlow without the oneDNN op gives the same numbers', () => {
    const pool = () => both((x) => tf.maxPool(x as tf.Tensor4D, 3, 2, 'valid'), ties());
    const fast = pool();
    pretendMissing('_MklNativeMaxPool', true);
    close(pool(), fast);
  });

  test.each([
    {
      id: 'a convolution',
      op: (x: tf.Tensor, w: tf.Tensor) => tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, 1, 'same'),
      shapes: [
        [2, 7, 6, 3],
        [3, 3, 3, 5],
      ],
    },
    {
      id: 'a strided convolution',
      op: (x: tf.Tensor, w: tf.Tensor) => tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, 2, 'valid'),
      shapes: [
        [2, 7, 6, 3],
        [3, 3, 3, 5],
      ],
    },
    {
      id: 'a depthwise convolution',
      op: (x: tf.Tensor, w: tf.Tensor) => tf.depthwiseConv2d(x as tf.Tensor4D, w as tf.Tensor4D, 1, 'same'),
      shapes: [
        [2, 7, 6, 3],
        [3, 3, 3, 2],
      ],
    },
    {
      id: 'a product of matrices',
      op: (x: tf.Tensor, w: tf.Tensor) => tf.matMul(x, w),
      shapes: [
        [5, 4],
        [4, 3],
      ],
    },
    {
      id: 'a product with a transposed matrix',
      op: (x: tf.Tensor, w: tf.Tensor) => tf.matMul(x, w, false, true),
      shapes: [
        [5, 4],
        [3, 4],
      ],
    },
    {
      id: 'a product of stacks',
      op: (x: tf.Tensor, w: tf.Tensor) => tf.matMul(x, w, true, false),
      shapes: [
        [2, 3, 5, 4],
        [2, 3, 5, 6],
      ],
    },
    {
      id: 'a fused layer of tf.layers',
      op: (x: tf.Tensor, w: tf.Tensor) =>
        tf.fused.conv2d({ x: x as tf.Tensor4D, filter: w as tf.Tensor4D, strides: 1, pad: 'same', activation: 'relu' }),
      shapes: [
        [2, 7, 6, 3],
        [3, 3, 3, 5],
      ],
    },
    {
      id: 'rows by number',
      op: (x: tf.Tensor, w: tf.Tensor) =>
        tf.mul(
          tf.gather(
            x,
            tf.tensor2d(
              [
                [2, 0],
                [2, 1],
              ],
              [2, 2],
              'int32',
            ),
          ),
          w,
        ),
      shapes: [[3, 4], [1]],
    },
    { id: 'relu', op: (x: tf.Tensor, w: tf.Tensor) => tf.relu(tf.mul(x, w)), shapes: [[6, 4], [4]] },
    { id: 'softmax', op: (x: tf.Tensor, w: tf.Tensor) => tf.softmax(tf.mul(x, w)), shapes: [[2, 3, 5], [5]] },
    ...[
      [1, 0],
      [2, 0, 1],
      [0, 2, 1, 3],
      [3, 0, 4, 1, 2],
      [5, 0, 4, 1, 3, 2],
    ].map((order) => ({
      id: `the order ${order} of axes`,
      op: (x: tf.Tensor, w: tf.Tensor) => tf.transpose(tf.mul(x, w), order),
      shapes: [order.map((_, axis) => axis + 1), [order.length]],
    })),
  ])('$id gives the values and gradients of the plain ops', ({ op, shapes }) => {
    const inputs = shapes.map((shape, i) => noise(shape, i + 1));
    same(() => withGradients(inputs, ([x, w]) => op(x as tf.Tensor, w as tf.Tensor)));
  });

  test.each([
    {
      id: 'Conv2d',
      make: () => new Conv2d({ in_channels: 3, out_channels: 4, kernel_size: 3, padding: 1 }),
      shape: [2, 6, 6, 3],
    },
    {
      id: 'Conv2d with stride and border',
      make: () => new Conv2d({ in_channels: 3, out_channels: 4, kernel_size: 3, stride: 2, padding: 1 }),
      shape: [2, 6, 6, 3],
    },
    {
      id: 'a depthwise Conv2d',
      make: () => new Conv2d({ in_channels: 3, out_channels: 6, kernel_size: 3, groups: 3 }),
      shape: [2, 6, 6, 3],
    },
    { id: 'Linear', make: () => new Linear({ in_features: 5, out_features: 3 }), shape: [2, 4, 5] },
    { id: 'a wide Linear', make: () => new Linear({ in_features: 5, out_features: 40 }), shape: [2, 4, 5] },
    { id: 'LayerNorm', make: (fused: boolean) => new LayerNorm({ normalized_shape: 6, fused }), shape: [2, 3, 6] },
    {
      id: 'a wide LayerNorm',
      make: (fused: boolean) => new LayerNorm({ normalized_shape: 40, fused }),
      shape: [2, 3, 40],
    },
    { id: 'BatchNorm2d', make: (fused: boolean) => new BatchNorm2d({ num_features: 3, fused }), shape: [4, 3, 2, 3] },
    {
      id: 'BatchNorm2d without weight',
      make: (fused: boolean) => new BatchNorm2d({ num_features: 3, affine: false, fused }),
      shape: [4, 3, 2, 3],
    },
    { id: 'GELU', make: (fused: boolean) => new GELU({ fused }), shape: [3, 5] },
    { id: 'GELU by tanh', make: (fused: boolean) => new GELU({ approximate: 'tanh', fused }), shape: [3, 5] },
  ])('$id agrees with its composition of plain ops, statistics included', ({ make, shape }) => {
    const run = (isFused: boolean) => {
      manualSeed(1);
      const layer = make(isFused) as Module;
      for (const { variable } of layer.namedParameters()) variable.assign(noise(variable.shape, 5));
      const variables = layer.namedParameters().map(({ variable }) => variable);
      const results = withGradients([noise(shape), ...variables], ([x]) => layer.call(x as tf.Tensor));
      return [...results, ...layer.namedBuffers().map(({ variable }) => variable.clone())];
    };
    close(
      run(true),
      withPlainKernels(() => run(false)),
    );
    close(
      run(true),
      withPlainKernels(() => run(true)),
    );
  });

  test('second derivatives are right where they exist and refused where they do not', () => {
    const x = tf.tensor1d([-1, 0.5, 2]);
    // d²/dx² of relu(x)³ is 6x above zero
    const second = tf.grad((v) => tf.grad((u) => tf.relu(u).pow(3))(v))(x);
    close([second], [tf.tensor1d([0, 3, 12])]);
    // d/dw of (sum of w over the rows)²: 2 · rows · w, the same in each row
    const wide = tf.ones([3, 40]);
    const byBias = (v: tf.Tensor) =>
      tf
        .grad((bias) => tf.mul(addBias(tf.zeros([3, 40]), bias), v).sum())(tf.zeros([40]))
        .square()
        .sum();
    close([tf.grad(byBias)(wide)], [tf.fill([3, 40], 6)]);
    const layer = new LayerNorm({ normalized_shape: 3 });
    const slope = (v: tf.Tensor) => tf.grad((u) => layer.call(u).square().sum())(v);
    expect(() => tf.grad((v) => slope(v).square().sum())(x)).toThrow(
      /LayerNorm has no second derivative.*fused: false/,
    );
    const composed = new LayerNorm({ normalized_shape: 3, fused: false });
    expect(
      values(
        tf.grad((v) =>
          tf
            .grad((u) => composed.call(u).sum())(v)
            .square()
            .sum(),
        )(x),
      ),
    ).toHaveLength(3);
  });

  test.skipIf(process.arch !== 'x64')('oneDNN does the work, unless plain ops are asked for', () => {
    const layer = new Conv2d({ in_channels: 3, out_channels: 4, kernel_size: 3 });
    const run = () =>
      opsOf(() => both((x) => tf.maxPool(layer.call(x) as tf.Tensor4D, 3, 2, 'same'), noise([1, 6, 6, 3])));
    const fast = [
      '_MklNativeConv2DWithBias',
      '_MklNativeMaxPool',
      '_MklNativeMaxPoolGrad',
      '_MklNativeConv2DBackpropInput',
    ];
    expect(run()).toEqual(expect.arrayContaining(fast));
    const plain = withPlainKernels(run);
    expect(plain).toEqual(expect.arrayContaining(['Conv2D', 'BiasAdd', 'MaxPool', 'MaxPoolGrad']));
    expect(plain.filter((name) => name.startsWith('_Mkl'))).toEqual([]);
  });

  test('a wrong number among rows is named', () => {
    expect(() => tf.gather(tf.ones([3, 2]), tf.tensor1d([0, 5], 'int32'))).toThrow(
      'the index value 5 is not in [0, 2]',
    );
  });

  test('step keeps NaN', () => {
    expect(values(tf.step(tf.tensor1d([Number.NaN, -1, 0, 1, Number.POSITIVE_INFINITY])))).toEqual([
      Number.NaN,
      0,
      0,
      1,
      1,
    ]);
  });

  test('no tensor is left behind, in TensorFlow.js or in the native library', () => {
    const work = () =>
      tf.tidy(() => {
        withGradients([ties()], ([x]) => tf.maxPool(x as tf.Tensor4D, 2, 2, 'same'));
        withGradients([noise([3, 6])], ([x]) => layerNorm.call(x as tf.Tensor));
        withGradients([noise([2, 4, 4, 3])], ([x]) => batchNorm.call(x as tf.Tensor));
      });
    const layerNorm = new LayerNorm({ normalized_shape: 6 });
    const batchNorm = new BatchNorm2d({ num_features: 3 });
    work();
    const before = [tf.memory().numTensors, nativeBinding(tf).getNumOfTensors()];
    for (let i = 0; i < 5; i++) work();
    expect([tf.memory().numTensors, nativeBinding(tf).getNumOfTensors()]).toEqual(before);
  });
});
