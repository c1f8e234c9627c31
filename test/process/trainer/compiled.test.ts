// Training steps as one TensorFlow graph: the same numbers as one operation at a time, and what cannot be compiled says why.
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { loadBackend, tensorflowObstacle } from '../../../engine/backend/index.ts';
import {
  Adadelta,
  Adagrad,
  Adam,
  AdamW,
  BCEWithLogitsLoss,
  CrossEntropyLoss,
  HuberLoss,
  L1Loss,
  NAdam,
  RMSprop,
  SGD,
  SmoothL1Loss,
} from '../../../engine/optim/index.ts';
import type { CompiledGraph } from '../../../engine/trainer/compile/compileListener.ts';
import { dropoutMask } from '../../../engine/trainer/model/layers/dropout.ts';
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
  ReLU,
  Sequential,
  Sigmoid,
  SiLU,
  Softmax,
} from '../../../engine/trainer/model/layers/index.ts';
import { Module } from '../../../engine/trainer/model/module.ts';
import { beginNoise, noiseUniform } from '../../../engine/trainer/model/randomness.ts';
import { MemoryFiles } from '../../unit/trainer/support.ts';
import {
  type Batch,
  expectSame,
  type Outcome,
  perceptron,
  type Run,
  StepTrainer,
  train,
  Waves,
} from './compiledSupport.ts';

const missing = tensorflowObstacle();

const images = (layers: () => Module[]) => () =>
  new Sequential(
    new Conv2d({ in_channels: 2, out_channels: 3, kernel_size: 3, padding: 1 }),
    ...layers(),
    new Flatten(),
    new Linear({ in_features: 3 * 3 * 3, out_features: 4 }),
  );

/** Attention over four places, with a residual connection. */
class Attends extends Module {
  readonly attention = new MultiheadAttention({ embed_dim: 4, num_heads: 2 });
  readonly norm = new LayerNorm({ normalized_shape: [4] });
  readonly head = new Linear({ in_features: 16, out_features: 1 });

  call(x: tf.Tensor): tf.Tensor {
    return this.head.call(this.norm.call(tf.add(x, this.attention.call(x))).reshape([-1, 16]));
  }
}

class Words extends Module {
  readonly embedding = new Embedding({ num_embeddings: 5, embedding_dim: 3 });
  readonly head = new Linear({ in_features: 12, out_features: 4 });

  call(x: tf.Tensor): tf.Tensor {
    return this.head.call(this.embedding.call(x).reshape([-1, 12]));
  }
}

/** What people write by hand with the tensor API. */
class ByHand extends Module {
  readonly weight = tf.variable(tf.randomNormal([3, 6], 0, 0.5, 'float32', 4), true);

  call(x: tf.Tensor): tf.Tensor {
    const [a, b] = tf.split(tf.matMul(x as tf.Tensor2D, this.weight as tf.Tensor2D), 2, 1);
    const mixed = tf.where(tf.greater(x, 0), tf.softplus(a as tf.Tensor), tf.clipByValue(b as tf.Tensor, -1, 1));
    const stacked = tf.concat(
      [
        mixed,
        tf.pad(mixed.slice([0, 0], [-1, 2]), [
          [0, 0],
          [0, 1],
        ]),
      ],
      1,
    );
    return tf.logSumExp(tf.mul(stacked, tf.expandDims(tf.mean(stacked, 1), 1)), 1, true).add(tf.max(stacked, 1, true));
  }
}

const numbers = (length = 14) => new Waves(length, [3], 'number');
const pictures = () => new Waves(12, [6, 6, 2], 'class');
const crossEntropy = { loss_fn: new CrossEntropyLoss() };

const cases: (Omit<Run, 'compile'> & { readonly id: string })[] = [
  { id: 'linear, tanh, an odd last batch', model: perceptron, data: numbers() },
  {
    id: 'relu, sigmoid',
    model: () =>
      new Sequential(
        new Linear({ in_features: 3, out_features: 5 }),
        new ReLU(),
        new Linear({ in_features: 5, out_features: 1 }),
        new Sigmoid(),
      ),
    data: numbers(),
  },
  {
    id: 'gelu, silu, softmax',
    model: () =>
      new Sequential(
        new Linear({ in_features: 3, out_features: 5 }),
        new GELU(),
        new Linear({ in_features: 5, out_features: 4 }),
        new SiLU(),
        new Softmax(),
        new Linear({ in_features: 4, out_features: 1 }),
      ),
    data: numbers(),
  },
  {
    id: 'convolution, max pooling, cross entropy',
    model: images(() => [new ReLU(), new MaxPool2d({ kernel_size: 2 })]),
    data: pictures(),
    options: crossEntropy,
  },
  {
    id: 'batch norm, average pooling',
    model: images(() => [new BatchNorm2d({ num_features: 3 }), new AvgPool2d({ kernel_size: 2 })]),
    data: pictures(),
    options: crossEntropy,
    optimizer: (model) => new SGD(model.namedParameters(), { lr: 0.05 }),
  },
  { id: 'attention, layer norm', model: () => new Attends(), data: new Waves(12, [4, 4], 'number') },
  { id: 'embedding', model: () => new Words(), data: new Waves(12, [4], 'class', true), options: crossEntropy },
  {
    id: 'dropout',
    model: () =>
      new Sequential(
        new Linear({ in_features: 3, out_features: 16 }),
        new Dropout({ p: 0.4 }),
        new Linear({ in_features: 16, out_features: 1 }),
      ),
    data: numbers(),
  },
  { id: 'the tensor API by hand', model: () => new ByHand(), data: numbers() },
  {
    id: 'L1, SGD with momentum',
    model: perceptron,
    data: numbers(),
    options: { loss_fn: new L1Loss() },
    optimizer: (model) => new SGD(model.namedParameters(), { lr: 0.05, momentum: 0.9 }),
  },
  {
    id: 'smooth L1, plain SGD, no clipping',
    model: perceptron,
    data: numbers(),
    options: { loss_fn: new SmoothL1Loss(), max_grad_norm: null },
    optimizer: (model) => new SGD(model.namedParameters(), { lr: 0.05 }),
  },
  {
    id: 'Huber, RMSprop',
    model: perceptron,
    data: numbers(),
    options: { loss_fn: new HuberLoss() },
    optimizer: (model) => new RMSprop(model.namedParameters(), { lr: 0.01 }),
  },
  {
    id: 'binary cross entropy, AdamW, clipping',
    model: perceptron,
    data: numbers(),
    options: { loss_fn: new BCEWithLogitsLoss(), max_grad_norm: 0.1 },
    optimizer: (model) => new AdamW(model.namedParameters(), { lr: 0.01 }),
  },
  {
    id: 'composed Adam',
    model: perceptron,
    data: numbers(),
    optimizer: (model) => new Adam(model.namedParameters(), { lr: 0.01, fused: false }),
  },
  {
    id: 'NAdam',
    model: perceptron,
    data: numbers(),
    optimizer: (model) => new NAdam(model.namedParameters(), { lr: 0.01 }),
  },
  {
    id: 'Adagrad, clipping by value',
    model: perceptron,
    data: numbers(),
    options: { clip_grad_value: 0.05 },
    optimizer: (model) => new Adagrad(model.namedParameters(), { lr: 0.05 }),
  },
  {
    id: 'Adadelta',
    model: perceptron,
    data: numbers(),
    optimizer: (model) => new Adadelta(model.namedParameters(), { lr: 1 }),
  },
  {
    id: 'averaged weights, two epochs with validation',
    model: perceptron,
    data: numbers(),
    options: { epochs: 2, ema_decay: 0.9 },
  },
  { id: 'accumulation over three', model: perceptron, data: numbers(), options: { gradient_accumulation_steps: 3 } },
  { id: 'nan_policy skip', model: perceptron, data: numbers(), options: { nan_policy: 'skip' } },
  {
    id: 'accumulation over two, batch norm, nan_policy, averaged weights',
    model: images(() => [new BatchNorm2d({ num_features: 3 }), new AvgPool2d({ kernel_size: 2 })]),
    data: pictures(),
    options: { ...crossEntropy, gradient_accumulation_steps: 2, nan_policy: 'skip', ema_decay: 0.9, epochs: 2 },
    optimizer: (model) => new SGD(model.namedParameters(), { lr: 0.05 }),
    batchSize: 2,
  },
  {
    id: 'spikes looked for',
    model: perceptron,
    data: numbers(28),
    options: { loss_spike: { min_history: 3, policy: 'skip' } },
  },
];

describe.skipIf(missing)(`compiled training${missing ? ` (${missing})` : ''}`, () => {
  beforeAll(async () => {
    await loadBackend({ backend: 'tensorflow', threads: 1, interOpThreads: 1 });
  });

  test.each(cases)('$id: the same numbers both ways', async ({ id: _id, ...run }) => {
    const before = tf.memory().numTensors;
    const eager = await train({ ...run, compile: false });
    const between = tf.memory().numTensors;
    const compiled = await train({ ...run, compile: true });
    expectSame(compiled, eager);
    expect(compiled.losses.length).toBeGreaterThan(2);
    // what stays is the weights and the optimizer's state
    expect(tf.memory().numTensors - between).toBe(between - before);
  });

  test('a listener hears of each graph, and why there is none', async () => {
    const graphs: CompiledGraph[] = [];
    const refusals: string[] = [];
    const compileListener = {
      compiled: (graph: CompiledGraph) => graphs.push(graph),
      refused: (reason: string) => refusals.push(reason),
    };
    const run = { model: perceptron, data: new Waves(12, [3], 'number'), environment: { compileListener } };
    await train({ ...run, compile: true });
    expect(graphs).toHaveLength(1);
    const [graph] = graphs;
    expect(graph).toMatchObject({
      signature: '0:float32[4,3] 1:float32[4,1]',
      isHost: false,
      parts: ['whole'],
      varying: 0,
    });
    expect(graph?.operations).toBeGreaterThan(10);
    expect(graph?.operations).toBeLessThanOrEqual(graph?.recorded ?? 0);
    expect(graph?.nodes.filter(({ op }) => op === 'ResourceApplyAdam')).toHaveLength(4);
    expect(graph?.constants.length).toBeGreaterThan(0);
    expect(refusals).toEqual([]);
    class Reads extends StepTrainer {
      override training_step(batch: Batch, index: number): tf.Tensor {
        const loss = super.training_step(batch, index);
        return loss.dataSync()[0] === 0 ? loss.neg() : loss;
      }
    }
    await train({ ...run, compile: 'auto', trainer: Reads });
    expect(graphs).toHaveLength(1);
    expect(refusals).toEqual([expect.stringContaining('reads a value back')]);
  });

  test('compile_xla marks the operations for XLA and gives the same numbers', async () => {
    const graphs: CompiledGraph[] = [];
    const compileListener = { compiled: (graph: CompiledGraph) => graphs.push(graph), refused: () => undefined };
    const run = { model: perceptron, data: new Waves(12, [3], 'number'), environment: { compileListener } };
    const eager = await train({ ...run, compile: false });
    const xla = await train({ ...run, compile: true, options: { compile_xla: true } });
    expectSame(xla, eager, 1e-5);
    const marked = graphs[0]?.nodes.filter(({ attributes }) => '_XlaCompile' in attributes) ?? [];
    expect(marked.map(({ op }) => op)).toEqual(expect.arrayContaining(['_MklMatMul', 'Tanh']));
  });

  test('hooks see current weights, and what they assign is seen by the next step', async () => {
    class Meddles extends StepTrainer {
      readonly sums: number[] = [];

      override async on_train_epoch_start(): Promise<void> {
        const [first] = this.model.namedParameters();
        const copy = tf.tidy(() => first?.variable.clone().sum() ?? tf.scalar(0));
        this.sums.push((await copy.data())[0] ?? Number.NaN);
        copy.dispose();
        tf.tidy(() => first?.variable.assign(tf.mul(first.variable, 0.5)));
      }
    }
    const run = { model: perceptron, data: numbers(8), options: { epochs: 3 }, trainer: Meddles } as const;
    const eager = await train({ ...run, compile: false });
    const compiled = await train({ ...run, compile: true });
    expectSame(compiled, eager);
    const sums = ({ trainer }: Outcome) => (trainer instanceof Meddles ? trainer.sums : []);
    expect(new Set(sums(compiled)).size).toBe(3);
    sums(compiled).forEach((sum, i) => {
      expect(sum).toBeCloseTo(sums(eager)[i] ?? Number.NaN, 5);
    });
  });

  test('schedule, logged tensors, averages and norms come through', async () => {
    class Logs extends StepTrainer {
      override training_step([x, y]: Batch): tf.Tensor {
        const output = this.model.call(x);
        const loss = this.loss_fn.call(output, y).mul(this.step_value(() => 1 + this.step));
        this.log({ 'train/size': output.abs().mean() });
        return loss;
      }
    }
    const run: Omit<Run, 'compile'> = {
      model: perceptron,
      data: numbers(),
      options: { log_every_n_steps: 2, epochs: 2 },
      trainer: Logs,
    };
    const eager = await train({ ...run, compile: false });
    const compiled = await train({ ...run, compile: true });
    expectSame(compiled, eager);
    for (const key of ['train/size', 'train/grad_norm', 'train/lr']) {
      expect(compiled.points(key).map(({ step }) => step)).toEqual(eager.points(key).map(({ step }) => step));
      compiled.points(key).forEach(({ value }, i) => {
        expect(value).toBeCloseTo(eager.points(key)[i]?.value ?? Number.NaN, 5);
      });
    }
  });

  test('dropout draws the same on the device as on the host', () => {
    const shape = [3, 7];
    for (const step of [0, 5, 123_456]) {
      beginNoise({ seed: 9, rank: 1, step });
      const mask = dropoutMask(shape, 0.4);
      beginNoise({ seed: 9, rank: 1, step });
      const drawn = [...noiseUniform(21)];
      expect([...mask.dataSync()].map((value) => value > 0)).toEqual(drawn.map((value) => value >= Math.fround(0.4)));
      expect(new Set(drawn).size).toBe(21);
      mask.dispose();
    }
  });

  // steps whose loss nobody fetches run by another cut of the graph
  test.each([1, 3])('a resumed training goes on to the bit, logging every %s steps', async (every) => {
    const model = () =>
      new Sequential(
        new Linear({ in_features: 3, out_features: 6 }),
        new Dropout({ p: 0.3 }),
        new Linear({ in_features: 6, out_features: 1 }),
      );
    const options = { epochs: 2, save_every_n_steps: 1, save_last_k: null };
    const files = new MemoryFiles();
    const whole = await train({ model, data: numbers(), compile: true, options, files });
    const resumed = await train({
      model,
      data: numbers(),
      compile: true,
      options: { ...options, log_every_n_steps: every },
      files,
      environment: { resumeFrom: '/run/checkpoints/step_3' },
    });
    expect(resumed.weights).toEqual(whole.weights);
    expect(resumed.slots).toEqual(whole.slots);
    expect(resumed.losses).toEqual(whole.losses.filter((_, step) => step >= 3 && step % every === 0));
  });
});
