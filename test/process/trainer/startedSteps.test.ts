// Steps that nobody looks at run on a thread of their own while the loop goes on: the same numbers, and the same errors.
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import type { NativeSessions } from '../../../engine/backend/graph/index.ts';
import { loadBackend, nativeBinding, nativeSessions } from '../../../engine/backend/index.ts';
import { DataLoader, Dataset, type HostTensor } from '../../../engine/data/index.ts';
import { Module } from '../../../engine/trainer/model/module.ts';
import { until } from '../../support/launching.ts';
import { withLibrary } from '../../support/nativeLibrary.ts';
import { ownKernelsObstacle } from '../../support/ownKernels.ts';
import { runNode } from '../../support/runNode.ts';
import { MemoryFiles, record } from '../../unit/trainer/support.ts';
import { type Batch, expectSame, perceptron, type Run, StepTrainer, train, Waves } from './compiledSupport.ts';

const missing = ownKernelsObstacle();
const samples = 40;
const rows = 5;

/** A row of weights for each whole number below five. */
class Table extends Module {
  readonly table = tf.variable(tf.linspace(0, 1, rows).reshape([rows, 1]));

  call(ids: tf.Tensor): tf.Tensor {
    return tf.gather(this.table, ids.flatten());
  }
}

/** Numbers of rows; one of them is too large. It hands out the same memory for every batch. */
class Rows extends Waves {
  readonly #bad: number;
  readonly #ids: Int32Array;
  readonly #targets: Float32Array;

  /** `offset` in bytes: TensorFlow takes memory as it is where it begins at a multiple of 64. */
  constructor(bad = -1, length = samples, offset = 0) {
    super(length, [1], 'number');
    this.#bad = bad;
    this.#ids = new Int32Array(new ArrayBuffer(64), offset, 4);
    this.#targets = new Float32Array(new ArrayBuffer(64), offset, 4);
  }

  getBatch(indices: readonly number[]): readonly [HostTensor, HostTensor] {
    indices.forEach((index, i) => {
      this.#ids[i] = index === this.#bad ? rows + 2 : index % rows;
      this.#targets[i] = Math.sin(index);
    });
    return [
      { data: this.#ids.subarray(0, indices.length), shape: [indices.length] },
      { data: this.#targets.subarray(0, indices.length), shape: [indices.length, 1] },
    ];
  }
}

/** The same, each batch in memory of its own. */
class Fresh extends Rows {
  override getBatch(indices: readonly number[]): readonly [HostTensor, HostTensor] {
    return new Rows().getBatch(indices);
  }
}

class Rowwise extends StepTrainer {
  override training_step([ids, targets]: Batch): tf.Tensor {
    const chosen = this.model.call(ids);
    return tf.losses.meanSquaredError(targets, chosen);
  }
}

const unlogged = { log_every_n_steps: null, save_every_n_epochs: null } as const;

function rowwise(bad: number, options: Run['options'] = {}): Run {
  return {
    model: () => new Table(),
    data: new Rows(bad),
    trainer: Rowwise,
    compile: true,
    options: { ...unlogged, ...options },
  };
}

/** How many steps were started and not waited for. */
async function counting<T>(work: () => Promise<T>): Promise<{ result: T; started: number }> {
  let started = 0;
  const counted = (library: NativeSessions): Partial<NativeSessions> => ({
    start: (...call) => {
      started++;
      return library.start(...call);
    },
  });
  const result = await withLibrary(counted, work);
  return { result, started };
}

const byBinding = <T>(work: () => Promise<T>): Promise<T> => withLibrary(() => undefined, work);

describe.skipIf(missing)(`steps that were started${missing ? ` (${missing})` : ''}`, () => {
  beforeAll(async () => {
    await loadBackend({ backend: 'tensorflow', threads: 1, interOpThreads: 1 });
    // without it nothing here would be about what it says
    expect(nativeSessions(nativeBinding(tf))).toBeDefined();
  });

  test.each([1, 3, null])('logged every %s steps: the bits of graphs that the binding runs', async (every) => {
    const run: Run = {
      model: perceptron,
      data: new Waves(18, [3], 'number'),
      compile: true,
      options: { ...unlogged, epochs: 3, log_every_n_steps: every, ema: { decay: 0.9 }, max_grad_norm: 0.5 },
    };
    const { result, started } = await counting(() => train(run));
    const waited = await byBinding(() => train(run));
    expect(result.weights).toEqual(waited.weights);
    expect(result.slots).toEqual(waited.slots);
    expect(result.losses).toEqual(waited.losses);
    expect(started).toBeGreaterThan(5);
    expectSame(result, await train({ ...run, compile: false }));
  });

  /** Logs a number, its loss, other tensors of one and several values, one of them always, and a rate of its own. */
  class Telling extends StepTrainer {
    override training_step(batch: Batch, index: number): tf.Tensor {
      const loss = super.training_step(batch, index);
      this.log({ 'train/lr': loss.mul(2), same: loss, twice: loss.mul(2), rows: batch[0], one: 1 });
      this.log({ always: loss.add(1) }, { always: true });
      return loss;
    }
  }

  test.each([1, 3])('log what steps that are waited for log, logged every %s steps', async (every) => {
    const run: Run = {
      model: perceptron,
      data: new Waves(40, [3], 'number'),
      compile: true,
      trainer: Telling,
      options: { ...unlogged, log_every_n_steps: every, max_grad_norm: 0.5 },
    };
    const [before, { result, started }] = [tf.memory().numTensors, await counting(() => train(run))];
    expect(started).toBeGreaterThan(5);
    const between = tf.memory().numTensors;
    const waited = await byBinding(() => train(run));
    // what is there is what the trainer keeps
    expect(between - before).toBe(tf.memory().numTensors - between);
    const plain = { ...run, trainer: StepTrainer };
    const [rates, waitedRates] = [await train(plain), await byBinding(() => train(plain))];
    expect(rates.points('train/lr')).toEqual(waitedRates.points('train/lr'));
    for (const key of ['train/loss', 'train/grad_norm', 'train/lr', 'same', 'twice', 'rows', 'one', 'always']) {
      expect(result.points(key).length).toBe(key === 'always' || every === 1 ? 10 : 4);
      expect({ key, points: result.points(key) }).toEqual({ key, points: waited.points(key) });
    }
  });

  test('a loss that is no number is told with its own step', async () => {
    const waves = new Waves(samples, [3], 'number');
    class Torn extends Dataset<readonly [HostTensor, HostTensor]> {
      readonly length = samples;

      get(index: number): readonly [HostTensor, HostTensor] {
        const [x, y] = waves.get(index);
        return index === 26 ? [x, { ...y, data: Float32Array.of(Number.NaN) }] : [x, y];
      }
    }
    const { result, started } = await counting(() =>
      train({ model: perceptron, data: new Torn(), compile: true, options: { ...unlogged, log_every_n_steps: 1 } }),
    );
    expect(started).toBeGreaterThan(5);
    expect(result.points('train/loss').find(({ value }) => Number.isNaN(value))?.step).toBe(6);
    expect(result.texts.filter((text) => text.includes('training loss is NaN'))).toEqual([
      expect.stringContaining('NaN at step 6.'),
    ]);
  });

  test('numbers of a step are there before the data of the next one are', async () => {
    const recording = record();
    const seen = (step: number) => recording.points('train/loss').some((point) => point.step === step);
    const waves = new Waves(samples, [3], 'number');
    class Slow extends Dataset<readonly [HostTensor, HostTensor]> {
      readonly length = samples;

      async get(index: number): Promise<readonly [HostTensor, HostTensor]> {
        const step = Math.floor(index / 4);
        if (step >= 7) await until(() => seen(step - 1), `the loss of step ${step - 1}`);
        return waves.get(index);
      }
    }
    const { started } = await counting(() =>
      train({
        model: perceptron,
        compile: true,
        options: { ...unlogged, log_every_n_steps: 1 },
        data: new Slow(),
        environment: { reporter: recording.reporter },
      }),
    );
    expect(started).toBeGreaterThan(5);
    expect(seen(9)).toBe(true);
  });

  class Scaled extends Rowwise {
    override training_step(batch: Batch, index?: number): tf.Tensor {
      return super.training_step(batch).mul(1 + Math.sin(index ?? 0));
    }
  }

  test.each([0, 16, 32, 48])(
    'a data set that hands out the same memory for each batch, %s bytes on',
    async (offset) => {
      for (const trainer of [Rowwise, Scaled]) {
        const run = { ...rowwise(-1), data: new Rows(-1, samples, offset), trainer };
        const { result, started } = await counting(() => train(run));
        expect(started).toBeGreaterThan(5);
        expectSame(result, await train({ ...run, data: new Fresh(), compile: false }));
      }
    },
  );

  test('gradients of several batches, and steps of the numbers that the host makes', async () => {
    const run: Run = { ...rowwise(-1, { gradient_accumulation_steps: 2 }), trainer: Scaled };
    const { result, started } = await counting(() => train(run));
    expect(started).toBeGreaterThan(0);
    expectSame(result, await train({ ...run, compile: false }));
  });

  const places: readonly { readonly id: string; readonly bad: number; readonly options?: Run['options'] }[] = [
    { id: 'in the middle', bad: 21 },
    { id: 'in the last batch of an epoch', bad: samples - 1, options: { epochs: 3 } },
    { id: 'in the last batch of all', bad: samples - 1 },
    { id: 'before a checkpoint', bad: 23, options: { save_every_n_steps: 6 } },
    {
      id: 'before a validation',
      bad: samples - 1,
      options: { val_dataloader: new DataLoader({ dataset: new Rows(), batch_size: 4 }) },
    },
    { id: 'before a step that is logged', bad: 21, options: { log_every_n_steps: 7 } },
  ];
  test.each(places)('names step, samples and line of a number too large $id', async ({ bad, options }) => {
    const files = new MemoryFiles();
    const step = Math.floor(bad / 4);
    const first = step * 4;
    let trainer: Rowwise | undefined;
    class Kept extends Rowwise {
      override on_train_start(): void {
        trainer = this;
      }
      override on_train_epoch_end(): void {
        // whoever looks at weights is not to be told what a step did
        this.model.namedParameters()[0]?.variable.dataSync();
      }
    }
    const failed = train({ ...rowwise(bad, options), trainer: Kept, files });
    await expect(failed).rejects.toMatchObject({
      code: 'trainer.hook',
      message: expect.stringMatching(
        new RegExp(
          `^training_step failed \\(rank 0, epoch 0, step ${step}, batch ${step}, samples ${first} ${first + 1} ${first + 2} ${first + 3}, test/process/trainer/startedSteps\\.test\\.ts:\\d+\\): .*index value ${rows + 2} is not in \\[0, ${rows - 1}\\]`,
        ),
      ),
      cause: { stack: expect.stringMatching(/startedSteps\.test\.ts:\d+/) },
    });
    // the weights of the steps before it, and nothing saved of it
    const weights = [...(trainer?.model.namedParameters()[0]?.variable.dataSync() ?? [])];
    const before = await train({ ...rowwise(-1), data: new Rows(-1, first) });
    expect(weights).toEqual(before.weights);
    expect([...files.folders.values()].filter((saved) => saved.step > step)).toEqual([]);
  });

  test('numbers of the steps before one that fails are logged, whoever fails', async () => {
    class Failing extends Rows {
      override getBatch(indices: readonly number[]): readonly [HostTensor, HostTensor] {
        if (indices[0] === 24) throw new RangeError('a disk is gone');
        return super.getBatch(indices);
      }
    }
    for (const { data, steps } of [
      { data: new Rows(21), steps: [0, 1, 2, 3, 4] },
      { data: new Failing(), steps: [0, 1, 2, 3, 4, 5] },
    ]) {
      const recording = record();
      const run = rowwise(-1, { log_every_n_steps: 1 });
      await expect(train({ ...run, data, environment: { reporter: recording.reporter } })).rejects.toThrow();
      expect(recording.points('train/loss').map(({ step }) => step)).toEqual(steps);
    }
  });

  test('an error of somebody else that comes first is the one that is told', async () => {
    class Failing extends Rows {
      override getBatch(indices: readonly number[]): readonly [HostTensor, HostTensor] {
        if (indices[0] === 24) throw new RangeError('a disk is gone');
        return super.getBatch(indices);
      }
    }
    await expect(train({ ...rowwise(-1), data: new Failing(21) })).rejects.toMatchObject({
      message: expect.stringMatching(/train_dataloader failed .*a disk is gone/),
    });
  });

  test('a graph that fails later where single operations do not ends the training, and says what to do', async () => {
    let fifth = 0;
    let calls = 0;
    const failing = (library: NativeSessions): Partial<NativeSessions> => ({
      start: (...call) => {
        if (++calls === 7) return 0;
        const ticket = library.start(...call);
        if (calls === 5) fifth = ticket;
        return ticket;
      },
      failure: (session) =>
        calls < 7 ? library.failure(session) : { ticket: fifth, message: 'the device is gone', inputs: [] },
    });
    await expect(withLibrary(failing, () => train(rowwise(-1)))).rejects.toMatchObject({
      code: 'trainer.compile',
      message: expect.stringMatching(
        /^training_step failed \(rank 0, epoch 0, step \d, .*the device is gone.*trainer\.compile=false/,
      ),
    });
  });

  test.each(['exit', 'throw'])('a process that ends (%s) while a step runs ends as it says', async (how) => {
    const file = join(import.meta.dirname, '..', '..', 'fixtures', 'trainer', 'leaveWhileRunning.ts');
    // several at once: where cores are busy a thread is most likely to be in the middle of something
    const ends = await Promise.all(Array.from({ length: 4 }, () => runNode([file, how], { timeoutMs: 60_000 })));
    for (const { code, stderr } of ends) {
      expect(code).toBe(how === 'exit' ? 3 : 1);
      if (how === 'throw') expect(stderr).toContain('gone in the middle of it');
    }
  });
});
