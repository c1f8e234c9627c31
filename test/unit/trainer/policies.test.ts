import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { DataLoader, ListDataset } from '../../../engine/data/index.ts';
import { MetricMonitor } from '../../../engine/trainer/monitor/metricMonitor.ts';
import { SpikeDetector } from '../../../engine/trainer/monitor/spikeDetector.ts';
import type { TrainerOptions } from '../../../engine/trainer/trainer.ts';
import {
  expectClose,
  MemoryFiles,
  memoryCollectives,
  type Setup,
  type SetupOptions,
  samples,
  setUp,
  weightsOf,
} from './support.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/** Multiplies the loss of the given calls of training_step (counted from 0, over roll-backs too). */
function disturb(setup: Setup, factors: Readonly<Record<number, number>>): Setup {
  const { trainer } = setup;
  const plain = trainer.training_step.bind(trainer);
  let call = 0;
  trainer.training_step = (batch, index) => plain(batch, index).mul(factors[call++] ?? 1);
  return setup;
}

const NaNs = (...calls: number[]) => Object.fromEntries(calls.map((call) => [call, Number.NaN]));

describe('NaN', () => {
  test.each([
    { id: 'by default', options: {} },
    { id: 'with stop', options: { nan_policy: 'stop' as const } },
    { id: 'when nothing is logged', options: { log_every_n_steps: null } },
  ])('at the first step is an error with place and cause: $id', async ({ options }) => {
    const { trainer } = disturb(setUp({ options }), NaNs(0));
    await expect(trainer.fit()).rejects.toMatchObject({
      code: 'trainer.not-finite',
      message: expect.stringMatching(
        /training_step failed \(rank 0, epoch 0, step 0, batch 0, samples 0 1 2 3\): The loss is NaN at the first step\. Batch and weights are finite, so training_step made it.*nan_policy: continue/,
      ),
    });
  });

  test('in the data or in the weights is said to be there', async () => {
    const bad = samples(8);
    bad[5]?.x.fill(Number.NaN);
    const train_dataloader = new DataLoader({ dataset: new ListDataset({ samples: bad.slice(4) }), batch_size: 4 });
    const { trainer: fed } = setUp({ options: { train_dataloader } });
    await expect(fed.fit()).rejects.toThrow(/The batch itself holds such values \(x\)/);
    const { trainer } = setUp();
    const [first] = trainer.model.namedParameters();
    first?.variable.assign(tf.fill(first.variable.shape, Number.NaN));
    await expect(trainer.fit()).rejects.toThrow(/Weights hold such values already \(modules\.0\.weight\)/);
  });

  test('is lived with, and told once, where continue is written out', async () => {
    const { trainer, recording } = disturb(setUp({ options: { nan_policy: 'continue' } }), NaNs(0));
    await trainer.fit();
    expect(recording.texts().filter((text) => /The training loss is NaN at step 0/.test(text))).toHaveLength(1);
  });

  test('stops at a later step', async () => {
    const { trainer, files } = disturb(setUp({ options: { nan_policy: 'stop' } }), NaNs(5));
    await expect(trainer.fit()).rejects.toThrow(
      /optimizer step failed \(rank 0, epoch 1, step 5, batch 1, samples 4 5 6 7\): The gradient norm is NaN/,
    );
    expect(files.names).toEqual(['checkpoints/epoch_1']);
  });

  test('is skipped: weights stay, the step counts', async () => {
    const { trainer, recording } = disturb(
      setUp({ options: { nan_policy: 'skip', epochs: 1, log_every_n_steps: 1 } }),
      NaNs(0, 1, 2, 3),
    );
    const before = await weightsOf(trainer.model);
    await trainer.fit();
    expect(await weightsOf(trainer.model)).toEqual(before);
    expect(trainer.step).toBe(4);
    expect(recording.texts().filter((text) => /left out \(nan_policy: skip\)/.test(text))).toHaveLength(4);
    // a logged NaN used to say that skip would not have gone on
    expect(recording.texts().filter((text) => /Training goes on/.test(text))).toEqual([]);
  });

  test('that never ends is not skipped for ever', async () => {
    const every = NaNs(...Array.from({ length: 100 }, (_, call) => call));
    const { trainer } = disturb(setUp({ options: { nan_policy: 'skip', epochs: 30 } }), every);
    await expect(trainer.fit()).rejects.toThrow(/50 optimizer steps in a row were left out/);
  });
});

describe('rolling back', () => {
  const options: Partial<TrainerOptions> = { nan_policy: 'rollback', save_every_n_steps: 2, epochs: 2 };

  test('goes back to the last checkpoint and on with the data that follows', async () => {
    // step_2 is saved after calls 0 and 1; call 3 fails, so 2 and 3 are undone and batches 4, 5 … come instead
    const { trainer, recording } = disturb(setUp({ count: 40, options: { ...options, epoch_length: 4 } }), NaNs(3));
    await trainer.fit();
    expect(trainer.step).toBe(8);
    expect(trainer.losses).toHaveLength(10);
    expect(recording.texts()).toContainEqual(
      expect.stringMatching(
        /^Step 3: The gradient norm is NaN\. .*Rolled back to checkpoints\/step_2 \(step 2\), going on with the data that follows; roll-back 1 of at most 3/,
      ),
    );
    const straight = setUp({ count: 40, options: { ...options, epoch_length: 2, epochs: 1 }, validation: false });
    await straight.trainer.fit();
    expect(trainer.losses.slice(0, 2)).toEqual(straight.trainer.losses);
  });

  test('all ranks go back together', async () => {
    const files = new MemoryFiles();
    const ranks = memoryCollectives(2).map((collective, rank) => {
      const setup = setUp({ count: 80, files, options: { ...options, epoch_length: 4 }, environment: { collective } });
      return rank === 1 ? disturb(setup, NaNs(3)) : setup;
    });
    await Promise.all(ranks.map(({ trainer }) => trainer.fit()));
    expect(ranks.map(({ trainer }) => trainer.step)).toEqual([8, 8]);
    expect(ranks.map(({ trainer }) => trainer.losses.length)).toEqual([10, 10]);
    const [main, other] = await Promise.all(ranks.map(({ trainer }) => weightsOf(trainer.model)));
    expect(other).toEqual(main);
  });

  test.each([
    {
      accumulation: 1,
      says: /The batch of rank 1 \(samples 12 13 14 15\) holds such values \(x\): look at these samples/,
    },
    { accumulation: 2, says: /an earlier one of the 2 whose gradients are summed may hold such values/ },
  ])(
    'the rank with the bad batch is named, and what lies further back is not ruled out',
    async ({ accumulation, says }) => {
      const bad = samples(64).map((sample, i) =>
        i === 13 ? { ...sample, x: new Float32Array(3).fill(Number.NaN) } : sample,
      );
      const dataset = new ListDataset({ samples: bad });
      const ranks = memoryCollectives(accumulation === 1 ? 2 : 1).map((collective) => {
        const train_dataloader = new DataLoader({ dataset, batch_size: accumulation === 1 ? 4 : 5 });
        const options = {
          nan_policy: 'rollback',
          gradient_accumulation_steps: accumulation,
          train_dataloader,
        } as const;
        return setUp({ options, validation: false, environment: { collective } }).trainer;
      });
      for (const { reason } of (await Promise.allSettled(
        ranks.map((trainer) => trainer.fit()),
      )) as PromiseRejectedResult[]) {
        expect(reason).toMatchObject({ code: 'trainer.rollback', message: expect.stringMatching(says) });
      }
    },
  );

  test('into an earlier epoch trains that epoch to its end again', async () => {
    const setup = setUp({
      count: 40,
      options: { ...options, save_every_n_steps: 3, save_every_n_epochs: null, epoch_length: 4 },
    });
    const { trainer } = disturb(setup, NaNs(5));
    await trainer.fit();
    expect(trainer.step).toBe(8);
    expect(trainer.losses).toHaveLength(6 + 5);
    expect(trainer.events.filter((event) => event === 'on_train_epoch_end')).toHaveLength(3);
  });

  test.each([
    { id: 'without a checkpoint', setup: { options }, calls: [0], says: /There is no checkpoint yet to roll back to/ },
    {
      id: 'more often than max_rollbacks',
      setup: { options: { ...options, max_rollbacks: 1 } },
      calls: [3, 5],
      says: /has rolled back 1 times, which is max_rollbacks/,
    },
  ] satisfies { setup: SetupOptions; [key: string]: unknown }[])('ends $id', async ({ setup, calls, says }) => {
    const { trainer } = disturb(setUp({ count: 40, ...setup }), NaNs(...calls));
    await expect(trainer.fit()).rejects.toMatchObject({
      code: 'trainer.rollback',
      message: expect.stringMatching(says),
    });
  });
});

describe('loss spikes', () => {
  const noise = (i: number) => 1 + 0.1 * Math.sin(i * 7);
  const settings = { policy: 'skip', threshold: 6, window: 30, min_history: 10 } as const;

  test('one far above the recent losses is found, a slow rise is not', () => {
    const detector = new SpikeDetector(settings);
    for (let i = 0; i < 40; i++) expect(detector.take(noise(i))).toBeUndefined();
    expect(detector.take(3)).toMatchObject({ loss: 3 });
    expect(detector.take(Number.NaN)).toBeUndefined();
    for (let i = 0; i < 200; i++) expect(detector.take(noise(i) + i * 0.005)).toBeUndefined();
  });

  test('nothing is judged before there is a history, and ten in a row become the new normal', () => {
    const detector = new SpikeDetector(settings);
    for (const loss of [5, 1, 9, 100]) expect(detector.take(loss)).toBeUndefined();
    const steady = new SpikeDetector(settings);
    for (let i = 0; i < 20; i++) steady.take(1);
    const found = Array.from({ length: 14 }, () => steady.take(50) !== undefined);
    expect(found).toEqual([...Array.from({ length: 10 }, () => true), false, false, false, false]);
  });

  test('losses that hardly differ do not make a slightly larger one a spike', () => {
    const detector = new SpikeDetector(settings);
    for (let i = 0; i < 20; i++) detector.take(1);
    expect(detector.take(1.03)).toBeUndefined();
    expect(detector.take(1.1)).toBeDefined();
  });

  const spike = { min_history: 3, window: 5, threshold: 30 };
  const length = { epochs: 1, epoch_length: 10, save_every_n_steps: 4 };

  test.each([
    { policy: 'continue' as const, says: /^Step 6: The loss jumped to .* Training goes on/ },
    { policy: 'skip' as const, says: /^Step 6: The loss jumped to .* left out \(loss_spike\.policy: skip\)/ },
    { policy: 'rollback' as const, says: /^Step 6: The loss jumped to .* Rolled back to checkpoints\/step_4/ },
  ])('$policy', async ({ policy, says }) => {
    const setup = setUp({ lr: 1e-4, count: 48, options: { ...length, loss_spike: { ...spike, policy } } });
    const { trainer, recording } = disturb(setup, { 6: 1e4 });
    await trainer.fit();
    expect(recording.texts().filter((text) => says.test(text))).toHaveLength(1);
    expect(trainer.losses).toHaveLength(policy === 'rollback' ? 13 : 10);
  });

  test.each([1, 2])(
    'in any micro-batch of an accumulation, on any of %i processes, resumed within it too',
    async (ranks) => {
      const files = new MemoryFiles();
      const skip = { ...length, loss_spike: { ...spike, policy: 'skip' as const }, gradient_accumulation_steps: 3 };
      const options = { ...skip, epoch_length: 18, permanent_save_every_n_steps: 13 };
      const fit = (more: object, isDisturbed: boolean) =>
        Promise.all(
          memoryCollectives(ranks).map(async (collective, rank) => {
            const setup = setUp({
              lr: 1e-4,
              count: 18 * 4 * ranks,
              environment: { collective },
              files,
              options: { ...options, ...more },
            });
            const { trainer, recording } = isDisturbed && rank === ranks - 1 ? disturb(setup, { 12: 1e4 }) : setup;
            await trainer.fit();
            return recording.texts().filter((text) => /^Step 14: The loss jumped/.test(text)).length;
          }),
        );
      expect(await fit({}, true)).toEqual(Array.from({ length: ranks }, () => 1));
      // the micro-batch that spiked lies before the checkpoint
      expect(await fit({ resume_from_checkpoint: '/run/ckpt_step_13' }, false)).toEqual(
        Array.from({ length: ranks }, () => 1),
      );
    },
  );

  test('stop', async () => {
    const setup = setUp({ lr: 1e-4, count: 48, options: { ...length, loss_spike: { ...spike, policy: 'stop' } } });
    const { trainer } = disturb(setup, { 6: 1e4 });
    await expect(trainer.fit()).rejects.toMatchObject({ code: 'trainer.loss-spike' });
  });

  test.each([
    { id: 'a window of 2', loss_spike: { window: 2 }, says: /loss_spike\.window/ },
    { id: 'an unknown policy', loss_spike: { policy: 'pray' as 'skip' }, says: /loss_spike\.policy/ },
    { id: 'more history than window', loss_spike: { window: 10, min_history: 11 }, says: /more than the window/ },
  ])('$id is refused', ({ loss_spike, says }) => {
    expect(() => setUp({ options: { loss_spike } })).toThrow(says);
  });
});

describe('clipping by value', () => {
  test('limits each element; the norm that is logged is the one before', async () => {
    const { trainer, recording } = setUp({
      options: { epochs: 1, clip_grad_value: 1e-3, max_grad_norm: null, log_every_n_steps: 1, epoch_length: 1 },
      validation: false,
      lr: 1,
    });
    const before = await weightsOf(trainer.model);
    await trainer.fit();
    const moved = (await weightsOf(trainer.model)).map((value, i) => Math.abs(value - (before[i] ?? 0)));
    expect(Math.max(...moved)).toBeCloseTo(1e-3, 6);
    expect(recording.points('train/grad_norm')[0]?.value).toBeGreaterThan(0.1);
  });

  test('comes before clipping by norm', async () => {
    const { trainer } = setUp({
      options: { epochs: 1, clip_grad_value: 1, max_grad_norm: 1e-3, epoch_length: 1 },
      validation: false,
      lr: 1,
    });
    const before = await weightsOf(trainer.model);
    await trainer.fit();
    const moved = (await weightsOf(trainer.model)).map((value, i) => value - (before[i] ?? 0));
    expect(Math.hypot(...moved)).toBeCloseTo(1e-3, 6);
  });

  test('0 is refused', () => {
    expect(() => setUp({ options: { clip_grad_value: 0 } })).toThrow(/'clip_grad_value' must be above zero/);
  });
});

describe('restore_best', () => {
  test('puts the best weights back after an early stop, before on_train_end', async () => {
    // a huge rate makes every validation after the first worse
    const options = { epochs: 9, metric_monitor: new MetricMonitor(), early_stop: 2, restore_best: true };
    const { trainer, files, recording } = setUp({ lr: 0.9, options: { ...options, max_grad_norm: null } });
    const atEnd: number[][] = [];
    trainer.on_train_end = async () => void atEnd.push(await weightsOf(trainer.model));
    const result = await trainer.fit();
    expect(result.status).toBe('early-stopped');
    const best = files.folders.get('/run/checkpoints/best')?.content.model ?? new Map<string, tf.Tensor>();
    const saved = [...best.values()].flatMap((tensor) => [...tensor.dataSync()]);
    expectClose(await weightsOf(trainer.model), saved, 0);
    expect(atEnd).toEqual([saved]);
    expect(recording.texts()).toContainEqual(
      expect.stringMatching(/^The weights are those of the best loss, .*\(epoch/),
    );
  });

  test('needs something to judge by', async () => {
    await expect(setUp({ options: { restore_best: true } }).trainer.fit()).rejects.toThrow(
      /there is no metric_monitor/,
    );
  });

  test('a best checkpoint that cannot be read leaves the weights, and is told', async () => {
    const files = new MemoryFiles();
    files.failOn = 'best';
    const options = { epochs: 2, metric_monitor: new MetricMonitor(), restore_best: true };
    const { trainer, recording } = setUp({ files, options });
    expect((await trainer.fit()).status).toBe('completed');
    expect(recording.texts()).toContainEqual(expect.stringMatching(/The best weights could not be put back/));
  });
});
