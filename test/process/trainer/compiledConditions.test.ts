// Compiled steps under other conditions: half precision, graphs on threads of TensorFlow's own, effects beside the graph.
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { MixedPrecision } from '../../../engine/api/launch.ts';
import { loadBackend, setMixedPrecision, tensorflowObstacle } from '../../../engine/backend/index.ts';
import type { HostTensor } from '../../../engine/data/index.ts';
import type { CompiledGraph } from '../../../engine/trainer/compile/compileListener.ts';
import { Conv2d, Embedding, Flatten, Linear, Sequential } from '../../../engine/trainer/model/layers/index.ts';
import { Module } from '../../../engine/trainer/model/module.ts';
import { type Batch, expectSame, perceptron, type Run, StepTrainer, train, Waves } from './compiledSupport.ts';

const missing = tensorflowObstacle();
setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');
const numbers = (length = 16) => new Waves(length, [3], 'number');

/** With two threads between operations graphs run elsewhere than on the thread that calls them, and feeds are copied. */
describe.skipIf(missing)(`compiled with two inter-op threads${missing ? ` (${missing})` : ''}`, () => {
  beforeAll(async () => {
    await loadBackend({ backend: 'tensorflow', threads: 1, interOpThreads: 2 });
    expect(process.env.TF_NUM_INTEROP_THREADS).toBe('2');
  });

  afterEach(() => {
    setMixedPrecision(tf, 'no');
  });

  async function bothWays(run: Omit<Run, 'compile'>, tolerance?: number) {
    const graphs: CompiledGraph[] = [];
    const compileListener = { compiled: (graph: CompiledGraph) => graphs.push(graph), refused: () => undefined };
    const eager = await train({ ...run, compile: false });
    const compiled = await train({ ...run, compile: true, environment: { ...run.environment, compileListener } });
    expectSame(compiled, eager, tolerance);
    expect(graphs.length).toBeGreaterThan(0);
    return { eager, compiled, graphs };
  }

  test('the same numbers, an odd last batch and two epochs included', async () => {
    const { compiled } = await bothWays({ model: perceptron, data: numbers(18), options: { epochs: 2 } });
    expect(compiled.losses).toHaveLength(10);
  });

  const convolutional = () =>
    new Sequential(
      new Conv2d({ in_channels: 2, out_channels: 4, kernel_size: 3, padding: 1 }),
      new Flatten(),
      new Linear({ in_features: 36, out_features: 1 }),
    );

  test.each(['bf16', 'fp16'] as const)(
    '%s: products in half precision, in graphs too',
    async (precision: MixedPrecision) => {
      const run = { model: convolutional, data: new Waves(16, [3, 3, 2], 'number') };
      const full = await train({ ...run, compile: false });
      setMixedPrecision(tf, precision);
      const { compiled, graphs } = await bothWays({ ...run, environment: { mixedPrecision: precision } }, 1e-4);
      const half = precision === 'bf16' ? 14 : 19;
      const halves = graphs[0]?.nodes.filter(({ attributes }) => {
        const type = attributes.T;
        return type?.kind === 'native' && type.attribute.value === half;
      });
      expect(halves?.map(({ op }) => op).join()).toMatch(/MatMul/);
      // rounded to fewer digits: not the numbers of full precision, and near them
      expect(compiled.losses).not.toEqual(full.losses);
      compiled.losses.forEach((loss, i) => {
        expect(loss).toBeCloseTo(full.losses[i] ?? Number.NaN, 1);
      });
    },
  );

  test('two models that share weights, one of them beside the trainer', async () => {
    class Twin extends Module {
      readonly first: Linear;
      readonly head = new Linear({ in_features: 3, out_features: 1 });

      constructor(first: Linear) {
        super();
        this.first = first;
      }

      call(x: tf.Tensor): tf.Tensor {
        return this.head.call(tf.tanh(this.first.call(x)));
      }
    }
    class Pair extends Module {
      readonly one = new Twin(new Linear({ in_features: 3, out_features: 3 }));
      readonly other = new Twin(this.one.first);

      call(x: tf.Tensor): tf.Tensor {
        return this.one.call(x);
      }
    }
    class Both extends StepTrainer {
      override training_step([x, y]: Batch): tf.Tensor {
        if (!(this.model instanceof Pair)) throw new Error('a pair');
        const losses = [this.model.one, this.model.other].map((twin) => this.loss_fn.call(twin.call(x), y));
        return tf.addN(losses);
      }
    }
    const { compiled } = await bothWays({
      model: () => new Pair(),
      data: numbers(),
      trainer: Both,
      options: { epochs: 2 },
    });
    expect(compiled.trainer.model.namedParameters()).toHaveLength(6);
  });

  const first = ({ model }: StepTrainer): Linear => {
    const [layer] = model.namedModules().flatMap(({ module }) => (module instanceof Linear ? [module] : []));
    if (layer === undefined) throw new Error('no layer');
    return layer;
  };
  class Freezes extends StepTrainer {
    override on_train_epoch_start(): void {
      first(this).requiresGrad(this.epoch !== 1);
    }
  }
  class Shrinks extends StepTrainer {
    override training_step([x, y]: Batch): tf.Tensor {
      const loss = this.loss_fn.call(this.model.call(x), y);
      const { weight } = first(this);
      weight.assign(weight.mul(0.9));
      return loss;
    }
  }
  test.each([
    { id: 'a layer frozen for an epoch', trainer: Freezes, options: {} },
    { id: 'frozen and freed within an accumulation', trainer: Freezes, options: { gradient_accumulation_steps: 3 } },
    {
      id: 'the same, looked at before the update',
      trainer: Freezes,
      options: { gradient_accumulation_steps: 3, nan_policy: 'skip' as const },
    },
    {
      id: 'a weight that the step changes before its update, which is cut off',
      trainer: Shrinks,
      options: { nan_policy: 'skip' as const },
    },
  ])('$id', async ({ trainer, options }) => {
    await bothWays({
      model: perceptron,
      data: numbers(),
      trainer,
      options: { epochs: 3, epoch_length: 5, ...options },
    });
  });

  test('a count of the module goes on beside the graph, for a hook that looks at it', async () => {
    let count = 0;
    const seen: number[] = [];
    class Counts extends StepTrainer {
      override training_step([x, y]: Batch): tf.Tensor {
        count++;
        return this.loss_fn.call(this.model.call(x), y);
      }

      override on_train_epoch_end(): void {
        seen.push(count);
      }
    }
    await bothWays({ model: perceptron, data: numbers(), trainer: Counts, options: { epochs: 3 } });
    expect(seen.slice(0, 3)).toEqual([4, 8, 12]);
    // what lies outside cannot be kept from rehearsals, which come before the first steps
    const [first = 0, second = 0, third = 0] = seen.slice(3);
    expect([second - first, third - second]).toEqual([4, 4]);
  });

  test('a table that is made once and kept at the first step is no obstacle', async () => {
    let table: tf.Tensor | undefined;
    class Keeps extends StepTrainer {
      override training_step([x, y]: Batch): tf.Tensor {
        table ??= tf.keep(tf.tensor2d([[1, 2, 3]]));
        return this.loss_fn.call(this.model.call(x.mul(table)), y);
      }
    }
    const { compiled } = await bothWays({ model: perceptron, data: numbers(), trainer: Keeps });
    expect(compiled.texts.filter((text) => text.includes('one operation'))).toEqual([]);
    const before = tf.memory().numTensors;
    table?.dispose();
    expect(tf.memory().numTensors).toBe(before - 1);
  });

  test('what rehearsals keep is freed once nobody can reach it, and not before', async () => {
    const held: tf.Tensor[] = [];
    const hold = (tensor: tf.Tensor): void => {
      held.push(tf.keep(tensor.clone()));
    };
    class Keeps extends StepTrainer {
      override training_step([x, y]: Batch): tf.Tensor {
        const loss = this.loss_fn.call(this.model.call(x), y);
        tf.keep(loss.clone());
        hold(loss);
        return loss;
      }
    }
    const left = async (compile: false | 'auto') => {
      const before = tf.memory().numTensors;
      const outcome = await train({ model: perceptron, data: numbers(), trainer: Keeps, compile });
      for (let i = 0; i < 3; i++) {
        collectGarbage();
        await setImmediate();
      }
      return { outcome, tensors: tf.memory().numTensors - before, holds: held.splice(0) };
    };
    const eager = await left(false);
    const compiled = await left('auto');
    expect(compiled.outcome.texts).toEqual([expect.stringMatching(/keeps 2 tensors beyond its end/)]);
    const rehearsed = compiled.holds.length - eager.holds.length;
    expect(rehearsed).toBeGreaterThan(0);
    expect(compiled.tensors - rehearsed).toBe(eager.tensors);
    for (const tensor of compiled.holds) expect(tensor.dataSync()).toHaveLength(1);
  });

  test('what is wrong with the data at a compiled step is told with step, samples and line', async () => {
    class Words extends Module {
      readonly embedding = new Embedding({ num_embeddings: 5, embedding_dim: 3 });
      readonly head = new Linear({ in_features: 9, out_features: 1 });

      call(x: tf.Tensor): tf.Tensor {
        return this.head.call(this.embedding.call(x).reshape([-1, 9]));
      }
    }
    class Wrong extends Waves {
      override get(index: number): readonly [HostTensor, HostTensor] {
        const [input, target] = super.get(index);
        return [index === 13 ? { ...input, data: Int32Array.of(0, 7, 0) } : input, target];
      }
    }
    class Fixed extends StepTrainer {
      override training_step([x, y]: Batch): tf.Tensor {
        return this.loss_fn.call(this.model.call(x.reshape([4, 3])), y);
      }
    }
    const line = 'test/process/trainer/compiled[a-zA-Z]+\\.(test\\.)?ts:\\d+';
    for (const compile of [false, true]) {
      const words = train({ model: () => new Words(), data: new Wrong(20, [3], 'number', true), compile });
      await expect(words).rejects.toThrow(
        new RegExp(`step 3, batch 3, samples 12 13 14 15, ${line}\\): Embedding got the number 7 outside 0 … 4`),
      );
      const fixed = train({ model: perceptron, data: numbers(10), compile, trainer: Fixed });
      await expect(fixed).rejects.toThrow(
        new RegExp(`samples 8 9, ${line}\\): Input to reshape is a tensor with 6 values`),
      );
    }
  });

  test.each([
    ['a number of chance', () => 1 + Math.random()],
    ['the time', () => 1 + (performance.now() % 1000)],
  ])('%s in the step is named with its line', async (_, made) => {
    class Restless extends StepTrainer {
      override training_step([x, y]: Batch): tf.Tensor {
        return this.loss_fn.call(this.model.call(x), y).mul(made());
      }
    }
    const graphs: CompiledGraph[] = [];
    const compileListener = { compiled: (graph: CompiledGraph) => graphs.push(graph), refused: () => undefined };
    const run = { model: perceptron, data: numbers(), trainer: Restless, compile: true };
    await train({ ...run, environment: { compileListener } });
    expect(graphs[0]?.isHost).toBe(true);
    expect(graphs[0]?.hostWhy).toMatch(/another value on the host each time, .*compiledConditions\.test\.ts:\d+/);
  });
});
