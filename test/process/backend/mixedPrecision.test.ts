import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { loadBackend, setMixedPrecision } from '../../../engine/backend/index.ts';
import { AdamW, CrossEntropyLoss } from '../../../engine/optim/index.ts';
import { Conv2d, Flatten, Linear, manualSeed, ReLU, Sequential } from '../../../engine/trainer/index.ts';

/** Half precision where this machine's TensorFlow has it; where there is only another backend, the refusal. */
let native = false;

beforeAll(async () => {
  native = (await loadBackend({ threads: 1 })).name === 'tensorflow';
});

afterEach(() => {
  setMixedPrecision(tf, 'no');
});

const wave = (shape: number[], pace: number) => {
  const size = tf.util.sizeFromShape(shape);
  return tf.tensor(
    Float32Array.from({ length: size }, (_, i) => Math.sin(i * pace)),
    shape,
  );
};

interface Operation {
  readonly id: string;
  readonly run: () => tf.Tensor;
}

const images = () => wave([2, 6, 6, 3], 0.7) as tf.Tensor4D;
const filter = () => wave([3, 3, 3, 4], 1.3) as tf.Tensor4D;
const operations: Operation[] = [
  {
    id: 'a product of matrices',
    run: () => tf.matMul(wave([5, 32], 0.7) as tf.Tensor2D, wave([32, 4], 1.3) as tf.Tensor2D),
  },
  { id: 'products of stacks', run: () => tf.matMul(wave([3, 5, 8], 0.7), wave([3, 4, 8], 1.3), false, true) },
  { id: 'a convolution', run: () => tf.conv2d(images(), filter(), 1, 'same') },
  {
    id: 'its gradient by the image',
    run: () => tf.grad((x: tf.Tensor) => tf.conv2d(x as tf.Tensor4D, filter(), 1, 'same').square())(images()),
  },
  {
    id: 'its gradient by the filter',
    run: () => tf.grad((f: tf.Tensor) => tf.conv2d(images(), f as tf.Tensor4D, 1, 'same').square())(filter()),
  },
];

/** Relative rounding of a number: 8 bits of fraction, and 11. */
const kinds = [
  { precision: 'bf16' as const, unit: 2 ** -8 },
  { precision: 'fp16' as const, unit: 2 ** -11 },
];

for (const { precision, unit } of kinds) {
  test.each(operations)(`${precision} rounds the inputs of $id and nothing more`, ({ run }) => {
    if (!native) {
      expect(() => setMixedPrecision(tf, precision)).toThrow(/computes in float32 only/);
      return;
    }
    tf.tidy(() => {
      const exact = run();
      const before = tf.memory().numTensors;
      setMixedPrecision(tf, precision);
      const rounded = tf.tidy(run);
      expect(tf.memory().numTensors).toBe(before + 1);
      const largest = tf.max(tf.abs(exact)).dataSync()[0] ?? 0;
      const difference = tf.max(tf.abs(tf.sub(exact, rounded))).dataSync()[0] ?? 0;
      expect(difference).toBeGreaterThan(unit / 1000);
      expect(difference / largest).toBeLessThan(16 * unit);
      expect(rounded.dtype).toBe('float32');
    });
  });

  test(`${precision} learns what float32 learns`, async () => {
    if (!native) return;
    const train = async () => {
      manualSeed(2);
      const model = new Sequential(
        new Conv2d({ in_channels: 3, out_channels: 4, kernel_size: 3 }),
        new ReLU(),
        new Flatten(),
        new Linear({ in_features: 64, out_features: 3 }),
      );
      const parameters = model.namedParameters();
      const optimizer = new AdamW(parameters, { lr: 0.01 });
      const x = wave([12, 6, 6, 3], 0.37);
      const y = tf.tensor1d(
        Array.from({ length: 12 }, (_, i) => i % 3),
        'int32',
      );
      const losses: number[] = [];
      for (let step = 0; step < 30; step++) {
        const { value, grads } = tf.variableGrads(
          () => new CrossEntropyLoss().call(model.call(x), y).asScalar(),
          parameters.map(({ variable }) => variable),
        );
        optimizer.step(new Map(parameters.map(({ name, variable }) => [name, grads[variable.name] ?? tf.scalar(0)])));
        losses.push((await value.data())[0] ?? Number.NaN);
        tf.dispose([value, grads]);
      }
      return losses;
    };
    const exact = await train();
    setMixedPrecision(tf, precision);
    const rounded = await train();
    expect(rounded).not.toEqual(exact);
    expect(rounded.at(-1)).toBeLessThan((exact[0] ?? 0) / 2);
    expect(Math.abs((rounded.at(-1) ?? 0) - (exact.at(-1) ?? 0))).toBeLessThan(0.05);
  });
}

test('a mistake in the shapes is told as without it', () => {
  if (!native) return;
  const mistake = () => tf.tidy(() => tf.matMul(tf.ones([2, 3]), tf.ones([4, 5])));
  const told = () => {
    try {
      mistake();
    } catch (error) {
      return error instanceof Error ? error.message : '';
    }
    throw new Error('It should have failed.');
  };
  const without = told();
  setMixedPrecision(tf, 'bf16');
  expect(told()).toBe(without);
});
