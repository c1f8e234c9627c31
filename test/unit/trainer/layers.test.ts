import * as tf from '@tensorflow/tfjs';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import {
  AvgPool2d,
  BatchNorm2d,
  Conv2d,
  Dropout,
  Embedding,
  Flatten,
  GELU,
  LayerNorm,
  Linear,
  MaxPool2d,
  MultiheadAttention,
  Sequential,
} from '../../../engine/trainer/model/layers/index.ts';
import type { Module } from '../../../engine/trainer/model/module.ts';
import { beginNoise, manualSeed } from '../../../engine/trainer/model/randomness.ts';
import { expectClose } from './support.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});
beforeEach(() => manualSeed(1));

/** −0.5, −0.5 + 1/period, … and from the start again: values that differ and are easy to make anywhere. */
function ramp(shape: number[], period = 7): tf.Tensor {
  const size = tf.util.sizeFromShape(shape);
  return tf.tensor(
    Float32Array.from({ length: size }, (_, i) => (i % period) / period - 0.5),
    shape,
  );
}

function fill(module: Pick<Module, 'namedParameters'>): void {
  for (const { variable } of module.namedParameters()) variable.assign(ramp(variable.shape, 11));
}

test('linear maps the last axis', () => {
  const layer = new Linear({ in_features: 3, out_features: 2 });
  layer.weight.assign(
    tf.tensor([
      [1, 2, 3],
      [4, 5, 6],
    ]),
  );
  layer.bias?.assign(tf.tensor([0.5, -0.5]));
  expect(layer.call(tf.tensor([[1, 0, -1]])).arraySync()).toEqual([[-1.5, -2.5]]);
  expect(layer.call(tf.ones([2, 4, 3])).shape).toEqual([2, 4, 2]);
  expect(
    new Linear({ in_features: 3, out_features: 2, bias: false }).namedParameters().map(({ name }) => name),
  ).toEqual(['weight']);
});

test.each([
  { id: 'no padding', options: {}, shape: [1, 4, 4, 2] },
  { id: 'padding that keeps the size', options: { padding: 1 }, shape: [1, 6, 6, 2] },
  { id: 'padding with a stride', options: { padding: 1, stride: 2 }, shape: [1, 3, 3, 2] },
  { id: 'dilation', options: { dilation: 2, padding: 2 }, shape: [1, 6, 6, 2] },
  { id: 'a dilation that the size is no multiple of', options: { dilation: 4, padding: 4 }, shape: [1, 6, 6, 2] },
  { id: 'dilation without padding', options: { dilation: 2 }, shape: [1, 2, 2, 2] },
  { id: 'same', options: { padding: 'same' as const }, shape: [1, 6, 6, 2] },
  { id: 'different directions', options: { kernel_size: [3, 1], padding: [1, 0] }, shape: [1, 6, 6, 2] },
  { id: 'more padding than the kernel needs', options: { padding: 3 }, shape: [1, 10, 10, 2] },
])('conv2d, $id, agrees with the sum it stands for', ({ options, shape }) => {
  const layer = new Conv2d({ in_channels: 2, out_channels: 2, kernel_size: 3, ...options });
  fill(layer);
  const input = ramp([1, 6, 6, 2], 13);
  const output = layer.call(input);
  expect(output.shape).toEqual(shape);
  const settings = { kernel_size: 3, stride: 1, padding: 0, dilation: 1, ...options };
  expectClose([...output.dataSync()], slowConvolution(input, layer, settings, shape), 1e-5);
});

test.each([
  { id: 'all channels', groups: 1 },
  { id: 'depthwise', groups: 2 },
])('a dilated convolution, $id, has its own gradient', ({ groups }) => {
  const layer = new Conv2d({ in_channels: 2, out_channels: 2, kernel_size: 3, dilation: [2, 3], groups, bias: false });
  fill(layer);
  const input = ramp([2, 7, 8, 2], 13);
  const output = layer.call(input);
  const direction = ramp(output.shape, 7);
  // linear in both: the derivative along its own value is the value itself
  const ofInput = tf.grad((x) => layer.call(x).mul(direction).sum())(input);
  const { grads } = tf.variableGrads(() => layer.call(input).mul(direction).sum().asScalar(), [layer.weight]);
  const value = output.mul(direction).sum().dataSync();
  expectClose([...ofInput.mul(input).sum().dataSync()], [...value], 1e-3);
  expectClose([...(grads[layer.weight.name] as tf.Tensor).mul(layer.weight).sum().dataSync()], [...value], 1e-3);
});

test('a convolution with a stride and a dilation is refused when it is made', () => {
  const options = { in_channels: 1, out_channels: 1, kernel_size: 3, stride: 2, dilation: 2 };
  expect(() => new Conv2d(options)).toThrow(/both a stride \(2,2\) and a dilation/);
});

/** The definition, number by number: zeros on every side, as PyTorch. */
function slowConvolution(
  input: tf.Tensor,
  layer: Conv2d,
  settings: { kernel_size: number | number[]; stride: number; padding: number | number[] | 'same'; dilation: number },
  shape: readonly number[],
): number[] {
  const both = (value: number | number[]) => (typeof value === 'number' ? [value, value] : value);
  const [kh = 1, kw = 1] = both(settings.kernel_size);
  const [ph = 0, pw = 0] = settings.padding === 'same' ? [(kh - 1) / 2, (kw - 1) / 2] : both(settings.padding);
  const x = input.bufferSync();
  const w = layer.weight.bufferSync();
  const bias = layer.bias?.dataSync() ?? [];
  const [, height = 0, width = 0, inputs = 0] = input.shape;
  const result: number[] = [];
  for (let row = 0; row < (shape[1] ?? 0); row++)
    for (let column = 0; column < (shape[2] ?? 0); column++)
      for (let out = 0; out < (shape[3] ?? 0); out++) {
        let sum = bias[out] ?? 0;
        for (let i = 0; i < kh; i++)
          for (let j = 0; j < kw; j++) {
            const y = row * settings.stride - ph + i * settings.dilation;
            const z = column * settings.stride - pw + j * settings.dilation;
            if (y < 0 || z < 0 || y >= height || z >= width) continue;
            for (let c = 0; c < inputs; c++) sum += Number(x.get(0, y, z, c)) * Number(w.get(i, j, c, out));
          }
        result.push(sum);
      }
  return result;
}

test('a depthwise convolution keeps channels apart', () => {
  const layer = new Conv2d({ in_channels: 2, out_channels: 4, kernel_size: 1, groups: 2, bias: false });
  layer.weight.assign(tf.tensor([1, 2, 10, 20], [1, 1, 2, 2]));
  expect(layer.call(tf.tensor([1, 1], [1, 1, 1, 2])).arraySync()).toEqual([[[[1, 2, 10, 20]]]]);
  expect(() => new Conv2d({ in_channels: 4, out_channels: 4, kernel_size: 1, groups: 2 })).toThrow(
    /possible are 1 and/,
  );
});

test('pooling, with and without a border', () => {
  const input = tf.tensor([1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 3, 3, 1]);
  expect([...new MaxPool2d({ kernel_size: 2, stride: 1 }).call(input).dataSync()]).toEqual([5, 6, 8, 9]);
  expect([...new MaxPool2d({ kernel_size: 2, padding: 1 }).call(input.neg()).dataSync()]).toEqual([-1, -2, -4, -5]);
  expect([...new AvgPool2d({ kernel_size: 2, padding: 1 }).call(input).dataSync()]).toEqual([0.25, 1.25, 2.75, 7]);
  expect(() => new MaxPool2d({ kernel_size: 2, padding: 2 })).toThrow(/half/);
  expect(() => new MaxPool2d({ kernel_size: 2 }).call(tf.zeros([3, 3]))).toThrow(/\[batch, height, width, channels\]/);
});

test('layer norm normalises each row; its affine part starts as the identity', () => {
  const layer = new LayerNorm({ normalized_shape: 4 });
  const output = layer.call(tf.tensor([[1, 2, 3, 4]]));
  expectClose([...output.dataSync()], [-1.3416355, -0.4472118, 0.4472118, 1.3416355], 1e-5);
  expect(() => layer.call(tf.ones([2, 3]))).toThrow(/LayerNorm over \[4\]/);
});

test('batch norm follows the batch in training, its running statistics otherwise', () => {
  const layer = new BatchNorm2d({ num_features: 1 });
  const input = tf.tensor([1, 2, 3, 6], [2, 2, 1, 1]);
  expectClose([...layer.call(input).dataSync()], [-1.0690428, -0.5345214, 0, 1.6035643], 1e-5);
  expectClose([...(layer.running_mean?.dataSync() ?? [])], [0.3], 1e-6);
  // unbiased variance 14/3, weight 0.1
  expectClose([...(layer.running_var?.dataSync() ?? [])], [0.9 + 1.4 / 3], 1e-6);
  layer.eval();
  const before = layer.running_mean?.dataSync()[0] ?? 0;
  expectClose(
    [...layer.call(input).dataSync()],
    [1, 2, 3, 6].map((x) => (x - before) / Math.sqrt(0.9 + 1.4 / 3 + 1e-5)),
    1e-5,
  );
  expect(layer.running_mean?.dataSync()[0]).toBe(before);
  expect(layer.namedParameters().map(({ name }) => name)).toEqual(['weight', 'bias']);
  expect([...layer.stateDict().keys()]).toEqual(['weight', 'bias', 'running_mean', 'running_var']);
});

test('embeddings are rows', () => {
  const layer = new Embedding({ num_embeddings: 3, embedding_dim: 2 });
  layer.weight.assign(
    tf.tensor([
      [1, 2],
      [3, 4],
      [5, 6],
    ]),
  );
  expect(layer.call(tf.tensor([[2, 0]], [1, 2], 'int32')).arraySync()).toEqual([
    [
      [5, 6],
      [1, 2],
    ],
  ]);
});

test('dropout depends on seed, rank, step and draw, and rests in eval mode', () => {
  const layer = new Dropout({ p: 0.25 });
  const input = tf.ones([4000]);
  const run = (key: { seed: number; rank: number; step: number }) => {
    beginNoise(key);
    return [...layer.call(input).dataSync()];
  };
  const key = { seed: 1, rank: 0, step: 5 };
  const first = run(key);
  expect(first.filter((value) => value === 0).length / first.length).toBeCloseTo(0.25, 1);
  expect(Math.max(...first)).toBeCloseTo(4 / 3, 5);
  expect(run(key)).toEqual(first);
  const next = [...layer.call(input).dataSync()];
  for (const other of [next, run({ ...key, step: 6 }), run({ ...key, rank: 1 }), run({ ...key, seed: 2 })])
    expect(other).not.toEqual(first);
  expect(layer.eval().call(input)).toBe(input);
});

test('GELU, exact and by tanh', () => {
  const input = tf.tensor([-1, 0, 2]);
  expectClose([...new GELU().call(input).dataSync()], [-0.15865525, 0, 1.9544997], 1e-6);
  expectClose([...new GELU({ approximate: 'tanh' }).call(input).dataSync()], [-0.158808, 0, 1.9545977], 1e-5);
});

test('attention of one head is softmax(qkᵀ/√d)v, and a causal mask hides what comes later', () => {
  const layer = new MultiheadAttention({ embed_dim: 2, num_heads: 1, bias: false });
  const identity = [
    [1, 0],
    [0, 1],
  ];
  layer.in_proj_weight.assign(tf.tensor([...identity, ...identity, ...identity]));
  layer.out_proj.weight.assign(tf.tensor(identity));
  const input = tf.tensor([
    [
      [1, 0],
      [0, 1],
    ],
  ]);
  const a = Math.exp(1 / Math.SQRT2);
  const [near, far] = [a / (a + 1), 1 / (a + 1)];
  expectClose([...layer.call(input).dataSync()], [near, far, far, near], 1e-6);
  expectClose([...layer.call(input, { is_causal: true }).dataSync()], [1, 0, far, near], 1e-6);
  expectClose([...layer.call(input, { key: input }).dataSync()], [near, far, far, near], 1e-6);
});

test('several heads attend on their own, whichever way key and value come', () => {
  const layer = new MultiheadAttention({ embed_dim: 6, num_heads: 3 });
  const input = ramp([2, 4, 6]);
  const self = layer.call(input);
  expect(self.shape).toEqual([2, 4, 6]);
  expectClose(
    [...layer.call(input, { key: input.clone(), value: input.clone() }).dataSync()],
    [...self.dataSync()],
    1e-5,
  );
  expect(() => new MultiheadAttention({ embed_dim: 6, num_heads: 4 })).toThrow(/no multiple/);
});

test('gradients flow through every layer', () => {
  const model = new Sequential(
    new Conv2d({ in_channels: 1, out_channels: 2, kernel_size: 3, padding: 1 }),
    new BatchNorm2d({ num_features: 2 }),
    new MaxPool2d({ kernel_size: 2 }),
    new Flatten(),
    new Linear({ in_features: 8, out_features: 3 }),
    new LayerNorm({ normalized_shape: 3 }),
    new GELU(),
  );
  const variables = model.namedParameters().map(({ variable }) => variable);
  const { grads } = tf.variableGrads(
    () =>
      model
        .call(ramp([2, 4, 4, 1], 5))
        .square()
        .mean()
        .asScalar(),
    variables,
  );
  expect(Object.keys(grads)).toHaveLength(variables.length);
});

test('equal seeds give equal weights, within the bound that PyTorch uses', () => {
  const make = (seed: number) => {
    manualSeed(seed);
    return [...new Linear({ in_features: 16, out_features: 8 }).weight.dataSync()];
  };
  expect(make(3)).toEqual(make(3));
  expect(make(3)).not.toEqual(make(4));
  expect(Math.max(...make(3).map(Math.abs))).toBeLessThanOrEqual(0.25);
});
