// The operations of engine/backend/native, each against the plain ops that do the same in more steps.
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { loadBackend, nativeBinding, withPlainKernels } from '../../../engine/backend/index.ts';
import { installFastGradients } from '../../../engine/trainer/model/fastGradients.ts';
import { GELU, LayerNorm, MultiheadAttention } from '../../../engine/trainer/model/layers/index.ts';
import { convolveWithBias } from '../../../engine/trainer/model/native/convolve.ts';
import { nativeSelfAttention } from '../../../engine/trainer/model/native/selfAttention.ts';
import { manualSeed } from '../../../engine/trainer/model/randomness.ts';
import { ownKernelsObstacle } from '../../support/ownKernels.ts';
import { both, close, noise, opsOf, same, values, withGradients } from './kernelChecks.ts';

const missing = ownKernelsObstacle();

describe.skipIf(missing)(`kernels of our own${missing ? ` (${missing})` : ''}`, () => {
  beforeAll(async () => {
    await loadBackend({ backend: 'tensorflow', threads: 2 });
    installFastGradients();
  });

  const size = (max: number) => fc.integer({ min: 1, max });
  const few = { numRuns: 25 };

  test('pool images of any size', () => {
    const shapes = fc.tuple(size(3), fc.integer({ min: 2, max: 9 }), fc.integer({ min: 2, max: 9 }), size(19));
    fc.assert(
      fc.property(shapes, fc.boolean(), (shape, hasTies) => {
        tf.tidy(() => {
          const x = hasTies ? tf.round(noise(shape)) : noise(shape);
          same(() => both((images) => tf.maxPool(images as tf.Tensor4D, 2, 2, 'valid'), x));
        });
      }),
      few,
    );
  });

  test.each([
    [1, 7, 70, 19],
    [2, 9, 41, 32],
    [1, 2, 2, 8],
  ])('pool images of [%i, %i, %i, %i]', (...shape) => {
    same(() => both((images) => tf.maxPool(images as tf.Tensor4D, 2, 2, 'valid'), noise(shape)));
  });

  test('a window with NaN gives NaN wherever it lies, as in PyTorch', () => {
    const [rows, columns, channels] = [6, 4, 9];
    const numbers = Array.from({ length: rows * columns * channels }, (_, i) => (i % 7 === 0 ? Number.NaN : -(i % 5)));
    const at = (row: number, column: number, channel: number) =>
      numbers[(row * columns + column) * channels + channel] ?? 0;
    const wanted = Array.from({ length: (rows / 2) * (columns / 2) * channels }, (_, i) => {
      const [channel, place] = [i % channels, Math.floor(i / channels)];
      const [row, column] = [2 * Math.floor(place / (columns / 2)), 2 * (place % (columns / 2))];
      return Math.max(...[0, 1, 2, 3].map((k) => at(row + (k >> 1), column + (k & 1), channel)));
    });
    expect(values(tf.maxPool(tf.tensor4d(numbers, [1, rows, columns, channels]), 2, 2, 'valid'))).toEqual(wanted);
  });

  test('convolve images of few channels, with any filter, stride and padding', () => {
    const sizes = fc.tuple(size(3), size(11), size(12), size(4), size(5), size(5), fc.constantFrom(8, 16), size(3));
    fc.assert(
      fc.property(sizes, fc.constantFrom('same', 'valid'), fc.boolean(), (numbers, pad, hasBias) => {
        const [batch, height, width, channels, rows, columns, outputs, stride] = numbers;
        fc.pre(pad === 'same' || (rows <= height && columns <= width));
        tf.tidy(() => {
          const x = noise([batch, height, width, channels]);
          const filter = noise([rows, columns, channels, outputs], 2);
          const bias = noise([outputs], 3);
          const run = () =>
            withGradients([filter, bias], ([w, b]) => {
              const [images, weight] = [x as tf.Tensor4D, w as tf.Tensor4D];
              return hasBias
                ? convolveWithBias(images, weight, b as tf.Tensor, [stride, stride], pad)
                : tf.conv2d(images, weight, stride, pad).add(b as tf.Tensor);
            });
          expect(opsOf(run)).toEqual(
            expect.arrayContaining(['AccelHydraThinConv2D', 'AccelHydraThinConv2DFilterGrad']),
          );
          const scaled = (tensors: tf.Tensor[]) => tensors.map((tensor) => tensor.div(10));
          close(scaled(run()), scaled(withPlainKernels(run)));
        });
      }),
      { numRuns: 60 },
    );
  });

  test.each(['none', 'tanh'] as const)('GELU (%s) of any number of values', (approximate) => {
    const layer = new GELU({ approximate });
    fc.assert(
      fc.property(size(300), (count) => {
        tf.tidy(() => same(() => both((x) => layer.call(x), noise([count]).mul(3))));
      }),
      few,
    );
  });

  test('GELU keeps its digits far below zero, where 1 + erf(x) has none', () => {
    // x Φ(x) and Φ(x) + x φ(x), by mpmath with 30 digits
    const x = tf.tensor1d([-2, -5, -8, 0, 3]);
    const [value, slope] = both((input) => new GELU().call(input), x) as [tf.Tensor, tf.Tensor];
    const weights = values(noise([5], 9));
    const found = [...values(value), ...values(slope).map((number, i) => number / (weights[i] ?? 1))];
    const wanted = [
      ...[-0.0455002638964, -1.4332578594e-6, -4.97676845942e-15, 0, 2.99595030591],
      ...[-0.0852318010782, -7.14694600179e-6, -3.97960726109e-14, 0.5, 1.0119456472],
    ];
    for (const [i, number] of found.entries())
      expect(Math.abs(number - (wanted[i] ?? 0))).toBeLessThanOrEqual(Math.abs(wanted[i] ?? 0) * 5e-6);
  });

  test('LayerNorm over rows of any number and length', () => {
    fc.assert(
      fc.property(size(150), size(40), (rows, width) => {
        tf.tidy(() => {
          const layer = new LayerNorm({ normalized_shape: width });
          const variables = layer.namedParameters().map(({ variable }) => variable);
          for (const [i, variable] of variables.entries()) variable.assign(noise(variable.shape, i + 3));
          // far from zero, where a difference of squares would lose all digits
          const x = noise([rows, width]).add(width === 1 ? 0 : 20);
          const run = () => withGradients([x, ...variables], ([input]) => layer.call(input as tf.Tensor));
          close(
            run().map((tensor) => tensor.div(rows)),
            withPlainKernels(run).map((tensor) => tensor.div(rows)),
          );
          for (const variable of variables) variable.dispose();
        });
      }),
      few,
    );
  });

  test('self-attention of any size, causal or not, with and without dropped weights', () => {
    fc.assert(
      fc.property(size(2), size(40), size(3), size(19), fc.boolean(), fc.boolean(), (...args) => {
        const [batch, length, heads, width, causal, drops] = args;
        tf.tidy(() => {
          const joined = noise([batch, length, 3 * heads * width]);
          const kept = drops
            ? noise([batch, heads, length, length], 4).greater(-0.5).cast('float32').mul(1.4)
            : undefined;
          const whole = both((x) => nativeSelfAttention(x, { heads, causal, kept }) ?? tf.zeros([0]), joined);
          close(
            whole,
            withPlainKernels(() => both((x) => attention(x, heads, causal, kept), joined)),
          );
        });
      }),
      few,
    );
  });

  /** The definition, with all weights in memory. */
  function attention(joined: tf.Tensor, heads: number, causal: boolean, kept: tf.Tensor | undefined): tf.Tensor {
    const [batch = 1, length = 1, channels = 1] = joined.shape;
    const width = channels / heads / 3;
    const [q, k, v] = tf.unstack(joined.reshape([batch, length, 3, heads, width]).transpose([2, 0, 3, 1, 4]));
    const scores = tf.matMul(q as tf.Tensor, k as tf.Tensor, false, true).div(Math.sqrt(width));
    const seen = tf.linalg.bandPart(tf.ones([length, length]), causal ? length : -1, causal ? 0 : -1);
    const weights = tf.softmax(scores.add(seen.sub(1).mul(1e9)));
    const result = tf.matMul(kept === undefined ? weights : weights.mul(kept), v as tf.Tensor);
    return result.transpose([0, 2, 1, 3]).reshape([batch, length, heads * width]);
  }

  test('attention with huge scores stays finite', () => {
    const joined = noise([1, 20, 3 * 8]).mul(1000);
    const results = both((x) => nativeSelfAttention(x, { heads: 2, causal: true }) ?? tf.zeros([0]), joined);
    for (const tensor of results) expect(values(tensor).every(Number.isFinite)).toBe(true);
  });

  test('a layer of attention takes it, and single operations where it is asked to', () => {
    const layers = [true, false].map((fused) => {
      manualSeed(2);
      return new MultiheadAttention({ embed_dim: 12, num_heads: 3, fused });
    });
    const x = noise([2, 5, 12]);
    const [whole, composed] = layers.map((layer) => () => both((input) => layer.call(input, { is_causal: true }), x));
    if (whole === undefined || composed === undefined) throw new Error('there are two');
    close(whole(), composed());
    expect(opsOf(whole)).toEqual(expect.arrayContaining(['AccelHydraSelfAttention', 'AccelHydraSelfAttentionGrad']));
    expect(opsOf(composed).filter((name) => name.startsWith('AccelHydra'))).toEqual([]);
  });

  test('nothing of ours is recorded where plain ops are wanted, as for a model that is written for others', () => {
    const layer = new MultiheadAttention({ embed_dim: 12, num_heads: 3 });
    const norm = new LayerNorm({ normalized_shape: 12 });
    const run = () => norm.call(new GELU().call(layer.call(noise([2, 5, 12]))));
    expect(opsOf(run).filter((name) => name.startsWith('AccelHydra'))).toHaveLength(3);
    expect(opsOf(() => withPlainKernels(run)).filter((name) => name.startsWith('AccelHydra'))).toEqual([]);
  });

  test('attention leaves nothing behind where no tape and no scope hold it', () => {
    const joined = noise([1, 5, 3 * 8]);
    const before = tf.memory().numTensors;
    nativeSelfAttention(joined, { heads: 2, causal: true })?.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  test('wrong shapes are refused by a message, not by a crash', () => {
    const binding = nativeBinding(tf);
    const ids = [6, 4].map((count) => binding.createTensor([count], binding.TF_FLOAT, new Float32Array(count)));
    expect(() => binding.executeOp('AccelHydraGeluGrad', [], ids, 1)).toThrow(/must have one shape/);
    for (const id of ids) binding.deleteTensor(id);
  });

  test('the same bits each time', () => {
    const layer = new MultiheadAttention({ embed_dim: 24, num_heads: 2 });
    const norm = new LayerNorm({ normalized_shape: 24 });
    const gelu = new GELU();
    const variables = [...layer.namedParameters(), ...norm.namedParameters()].map(({ variable }) => variable);
    const x = noise([7, 33, 24]);
    const run = () =>
      withGradients([x, ...variables], ([input]) => gelu.call(norm.call(layer.call(input as tf.Tensor)))).map(values);
    expect(run()).toEqual(run());
  });
});
