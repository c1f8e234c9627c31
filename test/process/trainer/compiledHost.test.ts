// A training step is JavaScript too: what it does on the host goes on beside its graph, or the step stays eager and says why.
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { loadBackend, tensorflowObstacle } from '../../../engine/backend/index.ts';
import type { HostTensor } from '../../../engine/data/index.ts';
import { Linear } from '../../../engine/trainer/model/layers/index.ts';
import { Module } from '../../../engine/trainer/model/module.ts';
import { MemoryFiles } from '../../unit/trainer/support.ts';
import { type Batch, expectSame, perceptron, type Run, StepTrainer, train, Waves } from './compiledSupport.ts';

const missing = tensorflowObstacle();
const numbers = (length = 16) => new Waves(length, [3], 'number');

type Step = (trainer: StepTrainer, batch: Batch, index: number) => tf.Tensor;

const lossOf: Step = (trainer, [x, y]) => trainer.loss_fn.call(trainer.model.call(x), y);

/** A trainer with a step of the test's. */
function stepping(step: Step): typeof StepTrainer {
  return class Own extends StepTrainer {
    override training_step(batch: Batch, index: number): tf.Tensor {
      return step(this, batch, index);
    }
  };
}

const field = (owner: object, key: string): number => Number(Reflect.get(owner, key) ?? 0);

/** A number that no rehearsal may use up. */
const counted = (trainer: StepTrainer): number => {
  const count = field(trainer, 'count') + 1;
  Reflect.set(trainer, 'count', count);
  return count;
};

let scale = 1;

describe.skipIf(missing)(`what a step does on the host${missing ? ` (${missing})` : ''}`, () => {
  beforeAll(async () => {
    await loadBackend({ backend: 'tensorflow', threads: 1, interOpThreads: 1 });
  });

  async function bothWays(run: Omit<Run, 'compile'>) {
    const eager = await train({ ...run, compile: false });
    const compiled = await train({ ...run, compile: true });
    expectSame(compiled, eager);
    return { eager, compiled };
  }

  const steps: { readonly id: string; readonly step: Step }[] = [
    { id: 'a loss that it keeps', step: (trainer, batch) => tf.keep(lossOf(trainer, batch, 0).clone()) },
    { id: 'the step number', step: (trainer, batch) => lossOf(trainer, batch, 0).mul(trainer.step + 1) },
    { id: 'the epoch', step: (trainer, batch) => lossOf(trainer, batch, 0).mul(1 / (trainer.epoch + 1)) },
    { id: 'the number of the batch', step: (trainer, batch, index) => lossOf(trainer, batch, 0).mul(index + 1) },
    { id: 'random numbers', step: (trainer, batch) => lossOf(trainer, batch, 0).mul(trainer.random.uniform()) },
    { id: 'a count in a field', step: (trainer, batch) => lossOf(trainer, batch, 0).mul(counted(trainer)) },
    {
      id: 'the learning rate',
      step: (trainer, batch) => lossOf(trainer, batch, 0).mul(1 + (trainer.optimizer.paramGroups[0]?.lr ?? 0)),
    },
    {
      id: 'noise of its own',
      step: (trainer, [x, y]) => {
        const noise = Float32Array.from({ length: x.size }, () => trainer.random.normal());
        return lossOf(trainer, [tf.add(x, tf.tensor(noise, x.shape)), y], 0);
      },
    },
    {
      id: 'another computation at some steps',
      step: (trainer, batch) => {
        const loss = lossOf(trainer, batch, 0);
        return trainer.step % 3 === 0 ? loss.square() : loss;
      },
    },
  ];
  test.each(steps)('it works with $id, compiled or not', async ({ step }) => {
    const { compiled } = await bothWays({
      model: perceptron,
      data: numbers(),
      trainer: stepping(step),
      options: { epochs: 2 },
    });
    expect(compiled.losses).toHaveLength(8);
    expect(['graph', 'graph-beside-script']).toContain(compiled.form);
  });

  test('what it logs, prints and counts at some steps comes at those steps, once', async () => {
    const step: Step = (trainer, batch) => {
      const loss = lossOf(trainer, batch, 0);
      Reflect.set(trainer, 'count', field(trainer, 'count') + 1);
      if (trainer.step % 2 === 1) {
        trainer.log({ odd: trainer.step, twice: loss.mul(2) });
        trainer.print(`step ${trainer.step}`);
        console.info(`batch ${trainer.step}`);
      }
      return loss;
    };
    const info = vi.spyOn(console, 'info').mockImplementation(() => undefined);
    const { compiled, eager } = await bothWays({ model: perceptron, data: numbers(), trainer: stepping(step) });
    expect([compiled.form, eager.form]).toEqual(['graph-beside-script', undefined]);
    expect(info.mock.calls.flat()).toEqual(['batch 1', 'batch 3', 'batch 1', 'batch 3']);
    info.mockRestore();
    expect(compiled.points('odd')).toEqual([
      { step: 1, value: 1 },
      { step: 3, value: 3 },
    ]);
    expect(compiled.points('twice').map(({ value }) => value)).toEqual(
      eager.points('twice').map(({ value }) => expect.closeTo(value, 5)),
    );
    expect(compiled.texts.filter((text) => text.startsWith('step'))).toEqual(['step 1', 'step 3']);
    expect(field(compiled.trainer, 'count')).toBe(4);
  });

  test('what hooks change between epochs is seen: a field, and a variable of the module', async () => {
    class Warms extends StepTrainer {
      warmth = 1;

      override on_train_epoch_start(): void {
        this.warmth = 1 / (this.epoch + 1);
        scale = this.epoch + 2;
      }

      override training_step([x, y]: Batch): tf.Tensor {
        return this.loss_fn.call(this.model.call(x), y).mul(this.warmth).mul(scale);
      }
    }
    await bothWays({ model: perceptron, data: numbers(8), trainer: Warms, options: { epochs: 6 } });
  });

  test('a step that looks at a value now and then runs eagerly then', async () => {
    const seen: number[] = [];
    const step: Step = (trainer, batch) => {
      const loss = lossOf(trainer, batch, 0);
      if (trainer.step % 3 === 2) seen.push(loss.dataSync()[0] ?? Number.NaN);
      return loss;
    };
    const { compiled } = await bothWays({ model: perceptron, data: numbers(28), trainer: stepping(step) });
    expect(seen.length).toBeGreaterThanOrEqual(4);
    expect(compiled.texts.filter((text) => text.includes('as one graph'))).toEqual([]);
  });

  test('two models that share weights', async () => {
    class Twins extends Module {
      readonly first = new Linear({ in_features: 3, out_features: 3 });
      readonly second = this.first;
      readonly head = new Linear({ in_features: 3, out_features: 1 });

      call(x: tf.Tensor): tf.Tensor {
        return this.head.call(tf.tanh(this.second.call(tf.tanh(this.first.call(x)))));
      }
    }
    await bothWays({ model: () => new Twins(), data: numbers() });
  });

  test('a resumed training goes on to the bit, beside its JavaScript too', async () => {
    const options = { epochs: 2, save_every_n_steps: 1, save_last_k: null };
    const step: Step = (trainer, batch) =>
      lossOf(trainer, batch, 0).mul(trainer.step > 2 ? 1 + trainer.random.uniform() : 1);
    const files = new MemoryFiles();
    const run = { model: perceptron, data: numbers(), compile: true, options, files, trainer: stepping(step) };
    const whole = await train(run);
    const resumed = await train({ ...run, environment: { resumeFrom: '/run/checkpoints/step_3' } });
    expect(resumed.weights).toEqual(whole.weights);
    expect(resumed.losses).toEqual(whole.losses.slice(3));
  });

  test('a training that has given up compiling is resumed to the bit', async () => {
    const options = { epochs: 3, save_every_n_steps: 1, save_last_k: null };
    const step: Step = (trainer, batch) => {
      const loss = lossOf(trainer, batch, 0);
      return trainer.step >= 3 && trainer.step < 8 && Number.isNaN(loss.dataSync()[0]) ? loss.mul(2) : loss;
    };
    const files = new MemoryFiles();
    const run = {
      model: perceptron,
      data: numbers(),
      compile: 'auto',
      options,
      files,
      trainer: stepping(step),
    } as const;
    const whole = await train(run);
    expect(whole.texts.filter((text) => text.includes('as one graph'))).toEqual([
      expect.stringMatching(/reads a value back/),
    ]);
    expect(whole.form).toBe('single-operations');
    const resumed = await train({ ...run, environment: { resumeFrom: '/run/checkpoints/step_9' } });
    expect(resumed.weights).toEqual(whole.weights);
    expect(resumed.texts).toContainEqual(expect.stringMatching(/one operation at a time, as it did at the checkpoint/));
  });

  test('a storm of shapes is told once, ends right, and is come upon at the same step after a resume', async () => {
    /** Texts of lengths that never come twice. */
    class Lengths extends Waves {
      override get(index: number): readonly [HostTensor, HostTensor] {
        const [, target] = super.get(index);
        const shape = [index + 2, 3];
        return [{ data: Float32Array.from({ length: 3 * (index + 2) }, (_, i) => Math.sin(index + i)), shape }, target];
      }
    }
    const step: Step = (trainer, [x, y]) => trainer.loss_fn.call(trainer.model.call(x).mean(1), y);
    const files = new MemoryFiles();
    const run = {
      model: perceptron,
      data: new Lengths(18, [3], 'number'),
      batchSize: 1,
      trainer: stepping(step),
      options: { save_every_n_steps: 5, save_last_k: null },
      files,
    };
    const graphsOf = async (resumeFrom?: string) => {
      let graphs = 0;
      const compileListener = { compiled: () => void graphs++, refused: () => undefined };
      const environment = { compileListener, ...(resumeFrom && { resumeFrom }) };
      const outcome = await train({ ...run, compile: 'auto', environment });
      return { outcome, graphs, storms: outcome.texts.filter((text) => text.includes('too many shapes')) };
    };
    const eager = await train({ ...run, compile: false });
    const whole = await graphsOf();
    expectSame(whole.outcome, eager);
    expect(whole.graphs).toBe(12);
    expect(whole.storms).toEqual([
      expect.stringMatching(/12 graphs in 13 steps, the latest for 0:float32\[1,14,3\] 1:float32\[1,1\]\./),
    ]);
    const before = await graphsOf('/run/checkpoints/step_10');
    expect(before).toMatchObject({ graphs: 2, storms: whole.storms });
    const after = await graphsOf('/run/checkpoints/step_15');
    expect(after).toMatchObject({ graphs: 0, storms: [] });
    expect(after.outcome.texts).toContainEqual(expect.stringMatching(/as it did at the checkpoint/));
    for (const { outcome } of [before, after]) expect(outcome.weights).toEqual(whole.outcome.weights);
  });

  /** Never the same: as random a length would be once in a while, by chance. */
  let lengths = 0;
  const nextCount = () => ++lengths;
  const calls = new WeakMap<StepTrainer, number>();
  const nextCallOf = (trainer: StepTrainer) => {
    calls.set(trainer, (calls.get(trainer) ?? 0) + 1);
    return calls.get(trainer);
  };

  const refusals: { readonly id: string; readonly step: Step; readonly says: RegExp; readonly isRandom?: true }[] = [
    {
      id: 'control flow on a value',
      step: (trainer, batch) => {
        const loss = lossOf(trainer, batch, 0);
        return (loss.dataSync()[0] ?? 0) > 0.5 ? loss.mul(2) : loss;
      },
      says: /reads a value back from the device/,
    },
    {
      id: 'a tensor in a field',
      step: (trainer, batch) => {
        trainer.seen = batch[1];
        return lossOf(trainer, batch, 0);
      },
      says: /changes this\.seen, where it keeps a tensor/,
    },
    {
      id: 'another computation at every step',
      step: (trainer, batch) => {
        let loss = lossOf(trainer, batch, 0);
        const times = nextCount();
        for (let i = 0; i < times; i++) loss = loss.add(0);
        return loss;
      },
      says: /does not run the same operations each time/,
    },
    {
      id: 'another computation only where its JavaScript runs beside the graph',
      step: (trainer, batch) => {
        const loss = lossOf(trainer, batch, 0).mul(trainer.random.uniform());
        // after two recordings that are the same
        return nextCallOf(trainer) === 3 ? loss.add(0) : loss;
      },
      says: /does not run the same operations each time \(operation \d+: its end, then /,
    },
    {
      id: 'a table of its own that changes only where its JavaScript runs beside the graph',
      step: (trainer, batch) => {
        const loss = lossOf(trainer, batch, 0).mul(trainer.random.uniform());
        return loss.add(tf.tensor1d([0, nextCallOf(trainer) === 3 ? -0 : 0]).sum());
      },
      says: /a value made on the host for \w+ differs from step to step/,
    },
    {
      id: 'a tensor kept',
      step: (trainer, batch) => {
        const loss = lossOf(trainer, batch, 0);
        tf.keep(loss.clone());
        return loss;
      },
      says: /keeps a tensor beyond its end/,
    },
    {
      id: 'random numbers of TensorFlow',
      step: (trainer, [x, y]) => lossOf(trainer, [tf.mul(x, tf.multinomial(tf.tensor1d([0.5, 0.5]), 1)), y], 0),
      says: /Multinomial draws random numbers of its own/,
      isRandom: true,
    },
    {
      id: 'a tensor freed and made anew',
      step: (trainer, batch) => {
        const loss = lossOf(trainer, batch, 0);
        const before = trainer.seen ?? tf.keep(tf.scalar(0));
        trainer.seen = tf.keep(before.mul(0.9).add(loss));
        before.dispose();
        return loss.add(trainer.seen);
      },
      says: /changes this\.seen, where it keeps a tensor|frees a tensor/,
    },
    {
      id: 'its batch freed',
      step: (trainer, batch) => {
        const loss = lossOf(trainer, batch, 0);
        for (const tensor of batch) tensor.dispose();
        return loss;
      },
      says: /frees a tensor that was there before it/,
    },
    {
      id: 'as many elements as there are classes in the batch',
      step: (trainer, batch) => lossOf(trainer, batch, 0).mul(tf.unique(batch[1].flatten().round()).values.size),
      says: /UniqueV2 gives as many elements as its values have it/,
    },
    {
      id: 'variables made in the step',
      step: (trainer, batch) => lossOf(trainer, batch, 0).add(tf.variable(tf.scalar(0), false)),
      says: /creates a variable/,
    },
  ];
  test.each(refusals)('stays eager and says why: $id', async ({ step, says, isRandom }) => {
    const run = { model: perceptron, data: numbers(), trainer: stepping(step) };
    const eager = await train({ ...run, compile: false });
    const outcome = await train({ ...run, compile: 'auto' });
    if (isRandom !== true) expectSame(outcome, eager);
    const said = outcome.texts.filter((text) => text.includes('as one graph'));
    expect(said).toHaveLength(1);
    expect(said[0]).toMatch(says);
    expect(said[0]).toMatch(/compiledHost\.test\.ts:\d+|changes/);
    expect(outcome.losses).toHaveLength(4);
    await expect(train({ ...run, compile: true })).rejects.toMatchObject({ code: 'trainer.compile' });
  });

  test('a step that throws in its rehearsal is told with its own place, and leaves nothing changed', async () => {
    const before = tf.memory().numTensors;
    const step: Step = (trainer, batch) => {
      counted(trainer);
      const loss = lossOf(trainer, batch, 0);
      throw new RangeError(`a mistake of the project, with ${loss.shape.length} axes`);
    };
    const failed = train({ model: perceptron, data: numbers(), trainer: stepping(step), compile: 'auto' });
    await expect(failed).rejects.toMatchObject({
      code: 'trainer.hook',
      message: expect.stringMatching(
        /^training_step failed \(rank 0, epoch 0, step 0.*a mistake of the project, with 0 axes/,
      ),
      cause: { stack: expect.stringMatching(/compiledHost\.test\.ts:\d+/) },
    });
    // the weights of the model and the batch that it happened with
    expect(tf.memory().numTensors - before).toBe(6);
  });
});
