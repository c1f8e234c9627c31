import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { DataLoader, ListDataset } from '../../../engine/data/index.ts';
import { ExponentialLR, ReduceLROnPlateau } from '../../../engine/optim/index.ts';
import { MetricMonitor } from '../../../engine/trainer/monitor/metricMonitor.ts';
import { expectClose, MemoryFiles, memoryCollectives, samples, setUp, weightsOf } from './support.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

test('hooks run in AccelHydra order', async () => {
  const { trainer } = setUp({ count: 8 });
  const result = await trainer.fit();
  const epoch = [
    'on_train_epoch_start',
    'training_step 0',
    'training_step 1',
    'on_validation_start',
    'validation_step 0',
    'validation_step 1',
    'on_validation_end',
    'on_train_epoch_end',
  ];
  expect(trainer.events).toEqual(['on_train_start', ...epoch, ...epoch, 'on_train_end']);
  expect(result).toMatchObject({ status: 'completed', epoch: 2, step: 4, checkpoint: '/run/checkpoints/epoch_2' });
});

test('training lowers the loss, and nothing is left on the device', async () => {
  const { trainer, files, recording } = setUp({
    options: { epochs: 12, log_every_n_steps: 1, save_every_n_epochs: null },
  });
  await tf.ready();
  const before = tf.memory().numTensors;
  await trainer.fit();
  const losses = recording.points('train/loss');
  expect(losses).toHaveLength(48);
  expect(losses.at(-1)?.value).toBeLessThan((losses[0]?.value ?? 0) / 4);
  expect(recording.points('val/loss')).toHaveLength(12);
  // momentum buffers are the optimizer's and stay
  expect(tf.memory().numTensors - before).toBeLessThanOrEqual(4);
  expect(files.folders.size).toBe(0);
});

test('metrics are logged when due: loss every n steps, the norm at the next optimizer step', async () => {
  const { trainer, recording } = setUp({
    options: { epochs: 1, log_every_n_steps: 3, gradient_accumulation_steps: 2 },
    count: 28,
  });
  await trainer.fit();
  expect(recording.points('train/loss').map((point) => point.step)).toEqual([0, 3, 6]);
  // optimizer steps end at 1, 3, 5 and 6 (end of the pass)
  expect(recording.points('train/grad_norm').map((point) => point.step)).toEqual([1, 3, 6]);
  expect(recording.points('train/lr')).toHaveLength(3);
});

test('log_every_n_steps: null logs no training metrics and fails nothing', async () => {
  const { trainer, recording } = setUp({ options: { log_every_n_steps: null } });
  await trainer.fit();
  expect(recording.points('train/loss')).toEqual([]);
  expect(recording.points('val/loss')).toHaveLength(2);
});

describe('accumulation', () => {
  test('two micro-batches of four equal one batch of eight', async () => {
    const whole = setUp({ batchSize: 8, options: { epochs: 2, max_grad_norm: 0.5 } });
    const split = setUp({ batchSize: 4, options: { epochs: 2, max_grad_norm: 0.5, gradient_accumulation_steps: 2 } });
    await whole.trainer.fit();
    await split.trainer.fit();
    expectClose(await weightsOf(split.trainer.model), await weightsOf(whole.trainer.model), 1e-6);
  });

  test('the end of a pass over the loader ends a group early, still divided by the whole', async () => {
    const { trainer } = setUp({
      count: 12,
      options: { epochs: 1, gradient_accumulation_steps: 2, max_grad_norm: null },
    });
    const rates: number[] = [];
    const { optimizer } = trainer;
    const step = optimizer.step.bind(optimizer);
    optimizer.step = (gradients) => {
      rates.push(gradients.size);
      step(gradients);
    };
    await trainer.fit();
    expect(rates).toHaveLength(2);
  });
});

describe('epoch length', () => {
  test('shorter than the loader: the pass goes on across epochs', async () => {
    const { trainer } = setUp({ count: 20, options: { epochs: 3, epoch_length: 2 }, validation: false });
    await trainer.fit();
    expect(trainer.step).toBe(6);
    expect(trainer.events.filter((event) => event === 'training_step 1')).toHaveLength(3);
    const plain = setUp({ count: 20, options: { epochs: 1, epoch_length: 6 }, validation: false });
    await plain.trainer.fit();
    expect(trainer.losses).toEqual(plain.trainer.losses);
  });

  test('longer than the loader: it begins again', async () => {
    const { trainer } = setUp({ count: 8, options: { epochs: 1, epoch_length: 5 }, validation: false, shuffle: true });
    await trainer.fit();
    expect(trainer.losses).toHaveLength(5);
  });
});

describe('checkpoints', () => {
  test('save_last_k keeps the newest by number, best and permanent stay', async () => {
    const { trainer, files, recording } = setUp({
      options: {
        epochs: 11,
        save_last_k: 2,
        save_every_n_steps: 10,
        permanent_save_every_n_steps: 20,
        metric_monitor: new MetricMonitor(),
      },
    });
    await trainer.fit();
    expect(files.names).toEqual([
      'checkpoints/best',
      'checkpoints/epoch_10',
      'checkpoints/epoch_11',
      'ckpt_step_20',
      'ckpt_step_40',
    ]);
    const saved = recording.reports.filter((report) => report.type === 'checkpoint-saved');
    expect(saved[0]?.checkpoint).toMatchObject({ kind: 'epoch', path: 'checkpoints/epoch_1', step: 4, epoch: 1 });
    expect(recording.reports.filter((report) => report.type === 'checkpoint-pruned').length).toBe(files.removed.length);
  });

  test('the epoch checkpoint holds the monitor as this validation left it', async () => {
    const { trainer, files } = setUp({ options: { epochs: 1, metric_monitor: new MetricMonitor() } });
    const { metrics } = await trainer.fit();
    const state = files.folders.get('/run/checkpoints/epoch_1')?.content.state;
    expect(state).toMatchObject({
      monitor: { metric_name: 'loss', mode: 'min', best_value: metrics.loss, worse_count: 0 },
    });
  });

  test('a periodic save that fails is told, and training goes on', async () => {
    const files = new MemoryFiles();
    files.failOn = 'epoch_1';
    const { trainer, recording } = setUp({ files });
    await trainer.fit();
    expect(files.names).toEqual(['checkpoints/epoch_2']);
    expect(recording.texts().filter((text) => text.includes('epoch_'))).toEqual([
      'The checkpoint /run/checkpoints/epoch_1 could not be written: no space left on device. Training goes on.',
      'Checkpoints can be written again: epoch_2 is safe, the one before it is missing.',
    ]);
  });

  test('saves that fail for the same reason are told in full once, then shortly and rarely', async () => {
    const files = new MemoryFiles();
    files.failOn = '';
    const { trainer, recording } = setUp({ files, options: { save_every_n_steps: 1, save_every_n_epochs: null } });
    await expect(trainer.fit()).rejects.toMatchObject({ code: 'trainer.not-saved' });
    const same = 'could not be written either, for the same reason';
    expect(recording.texts().filter((text) => text.includes('step_'))).toEqual([
      'The checkpoint /run/checkpoints/step_1 could not be written: no space left on device. Training goes on.',
      `The checkpoint step_2 ${same}: 2 in a row.`,
      `The checkpoint step_4 ${same}: 4 in a row.`,
      `The checkpoint step_8 ${same}: 8 in a row.`,
    ]);
  });
});

describe('learning rate', () => {
  const rates = (points: readonly { readonly value: number }[]) =>
    points.map(({ value }) => Math.round(value * 1e6) / 1e6);

  test.each([
    {
      id: 'each optimizer step',
      interval: 'step' as const,
      worldSize: 1,
      expected: [1, 1, 0.5, 0.5, 0.25, 0.25, 0.125, 0.125],
    },
    {
      id: 'each optimizer step, once a process',
      interval: 'step' as const,
      worldSize: 2,
      expected: [1, 1, 0.25, 0.25],
    },
    { id: 'each epoch, whatever the processes', interval: 'epoch' as const, worldSize: 2, expected: [1, 1, 0.5, 0.5] },
  ])('steps $id', async ({ interval, worldSize, expected }) => {
    const ranks = memoryCollectives(worldSize).map((collective) => {
      const built = setUp({
        lr: 1,
        validation: false,
        environment: { collective },
        options: {
          lr_scheduler_interval: interval,
          gradient_accumulation_steps: 2,
          log_every_n_steps: 1,
          max_grad_norm: 0.01,
        },
      });
      const scheduler = new ExponentialLR(built.trainer.optimizer, { gamma: 0.5 });
      return { ...built, trainer: Object.assign(built.trainer, { lr_scheduler: scheduler }) };
    });
    await Promise.all(ranks.map(({ trainer }) => trainer.fit()));
    expect(rates(ranks[0]?.recording.points('train/lr') ?? [])).toEqual(expected);
  });

  test('a plateau sees the monitored metric', async () => {
    const { trainer } = setUp({
      lr: 1e-9,
      options: {
        epochs: 4,
        lr_scheduler_interval: 'epoch',
        metric_monitor: new MetricMonitor(),
      },
    });
    Object.assign(trainer, { lr_scheduler: new ReduceLROnPlateau(trainer.optimizer, { patience: 0, factor: 0.5 }) });
    await trainer.fit();
    expect(trainer.lr_scheduler?.stateDict()).toMatchObject({
      best: expect.closeTo(trainer.settings.metric_monitor?.best_value ?? 0, 6),
    });
  });
});

test('early stop counts validations without improvement', async () => {
  const { trainer, recording } = setUp({
    lr: 0,
    options: { epochs: 10, early_stop: 3, metric_monitor: new MetricMonitor({ metric_name: 'loss' }) },
  });
  const result = await trainer.fit();
  expect(result).toMatchObject({ status: 'early-stopped', epoch: 4 });
  expect(recording.points('val/loss')).toHaveLength(4);
});

test.each([
  {
    id: 'stop',
    policy: 'stop' as const,
    message: /optimizer step failed \(rank 0, epoch 0, step 2, batch 2.*gradient norm is NaN/,
  },
  { id: 'skip', policy: 'skip' as const, message: undefined },
  { id: 'continue', policy: 'continue' as const, message: undefined },
])('nan_policy $id', async ({ policy, message }) => {
  const bad = samples(16).map((sample, i) => (i === 9 ? { ...sample, y: Float32Array.of(Number.NaN) } : sample));
  const { trainer, recording } = setUp({
    validation: false,
    options: {
      epochs: 1,
      nan_policy: policy,
      log_every_n_steps: 1,
      train_dataloader: new DataLoader({ dataset: new ListDataset({ samples: bad }), batch_size: 4 }),
    },
  });
  if (message !== undefined) {
    await expect(trainer.fit()).rejects.toThrow(message);
    return;
  }
  await trainer.fit();
  expect(recording.points('train/loss').map(({ value }) => Number.isNaN(value))).toEqual([
    false,
    false,
    true,
    policy === 'continue',
  ]);
  expect((await weightsOf(trainer.model)).some(Number.isNaN)).toBe(policy === 'continue');
  expect(recording.texts().length).toBeGreaterThan(0);
});

test('an error in a hook says where it happened and keeps its cause', async () => {
  const { trainer } = setUp({ shuffle: false });
  trainer.failAt = 'training_step 2';
  const error = await trainer.fit().catch((reason: unknown) => reason);
  expect(error).toMatchObject({
    code: 'trainer.hook',
    message: expect.stringMatching(
      /^training_step failed \(rank 0, epoch 0, step 2, batch 2, samples 8 9 10 11, test\/unit\/trainer\/[a-zA-Z]+\.ts:\d+\): a mistake in the project$/,
    ),
    details: { hook: 'training_step', rank: 0, epoch: 0, step: 2, batchIndex: 2 },
    cause: expect.any(TypeError),
  });
});

test('data that cannot be read says where the training stood', async () => {
  const dataset = {
    length: 16,
    get: (index: number) => (index === 9 ? Promise.reject(new Error('no such file')) : samples(16)[index]),
  };
  const { trainer } = setUp({ options: { train_dataloader: new DataLoader({ dataset, batch_size: 4 }) } });
  await expect(trainer.fit()).rejects.toThrow(
    'train_dataloader failed (rank 0, epoch 0, step 2): Sample 9 of the dataset could not be read: no such file',
  );
});

test.each([
  {
    id: 'no scalar loss',
    step: (loss: tf.Tensor) => tf.stack([loss, loss]),
    message: /scalar tensor; it returned a tensor of shape \[2\]/,
  },
  { id: 'a promise', step: (loss: tf.Tensor) => Promise.resolve(loss), message: /asynchronous/ },
])('a training_step that returns $id is refused', async ({ step, message }) => {
  const { trainer } = setUp();
  const original = trainer.training_step.bind(trainer);
  Object.assign(trainer, { training_step: (batch: never, index: number) => step(original(batch, index)) });
  await expect(trainer.fit()).rejects.toThrow(message);
});

test.each([
  { id: 'an empty loader', options: { train_dataloader: new DataLoader({ dataset: [] }) }, message: /gives no batch/ },
  {
    id: 'an empty validation loader',
    options: { val_dataloader: new DataLoader({ dataset: [] }) },
    message: /validation loader gives no batch/,
  },
  { id: 'early stop without monitor', options: { early_stop: 2 }, message: /no metric_monitor/ },
])('refuses $id before training', async ({ options, message }) => {
  await expect(setUp({ options }).trainer.fit()).rejects.toThrow(message);
});

test.each([
  { id: 'a slip of the pen', options: { max_grad_nrom: 1 }, message: /Did you mean 'max_grad_norm'/ },
  { id: 'a wrong interval', options: { lr_scheduler_interval: 'steps' }, message: /step or epoch/ },
  { id: 'no project_dir', options: { project_dir: undefined }, message: /project_dir/ },
])('refuses $id', ({ options, message }) => {
  expect(() => setUp({ options: options as object })).toThrow(message);
});

test('the monitor says which metrics there were', async () => {
  const { trainer } = setUp({ options: { metric_monitor: new MetricMonitor({ metric_name: 'los' }) } });
  await expect(trainer.fit()).rejects.toThrow(/watches 'los', but validation gave loss\. Did you mean 'loss'/);
});
