import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, test } from 'vitest';
import { LossScaler } from '../../../engine/optim/index.ts';
import { MemoryFiles, memoryCollectives, setUp, weightsOf } from './support.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

test('the scale halves on overflow and doubles after 2000 steps without, as torch.amp.GradScaler’s', () => {
  const scaler = new LossScaler();
  expect(scaler.overflowed()).toBe(true);
  expect(scaler.scale).toBe(32_768);
  for (let i = 0; i < 1999; i++) scaler.succeeded();
  expect(scaler.scale).toBe(32_768);
  scaler.succeeded();
  expect(scaler.scale).toBe(65_536);
  for (let i = 0; i < 16; i++) scaler.overflowed();
  expect(scaler.scale).toBe(1);
  expect(scaler.overflowed()).toBe(false);
});

test.each([
  { id: 'plain', options: {} },
  {
    id: 'accumulated and clipped',
    options: { gradient_accumulation_steps: 2, max_grad_norm: 0.3, clip_grad_value: 0.2 },
  },
])('scaling by powers of two changes no bit of the training: $id', async ({ options }) => {
  const plain = setUp({ options });
  await plain.trainer.fit();
  const scaled = setUp({ options, environment: { mixedPrecision: 'fp16' } });
  await scaled.trainer.fit();
  expect(scaled.trainer.losses).toEqual(plain.trainer.losses);
  expect(await weightsOf(scaled.trainer.model)).toEqual(await weightsOf(plain.trainer.model));
});

test('an overflow leaves the step out on all ranks, halves the scale, and is saved', async () => {
  const files = new MemoryFiles();
  const ranks = memoryCollectives(2).map((collective, rank) => {
    const setup = setUp({
      files,
      count: 32,
      options: { epochs: 1 },
      environment: { collective, mixedPrecision: 'fp16' },
    });
    const { trainer } = setup;
    const plain = trainer.training_step.bind(trainer);
    // finite by itself, not once it is scaled
    trainer.training_step = (batch, index) => plain(batch, index).mul(rank === 1 && trainer.step === 1 ? 1e36 : 1);
    return setup;
  });
  await Promise.all(ranks.map(({ trainer }) => trainer.fit()));
  const [main, other] = ranks;
  expect(main?.recording.texts()).toContainEqual(
    'Step 1: The gradients overflowed in half precision; the loss scale is 32768 now.',
  );
  if (main === undefined || other === undefined) throw new Error('two ranks');
  expect(await weightsOf(other.trainer.model)).toEqual(await weightsOf(main.trainer.model));
  expect(files.folders.get('/run/checkpoints/epoch_1')?.content.state).toMatchObject({
    scaler: { scale: 32_768, growth_tracker: 2 },
    train: { step: 4, updates: 3 },
  });
  const resumed = setUp({
    files,
    options: { epochs: 2 },
    environment: { mixedPrecision: 'fp16', resumeFrom: '/run/checkpoints/epoch_1' },
  });
  await resumed.trainer.fit();
  expect(files.folders.get('/run/checkpoints/epoch_2')?.content.state).toMatchObject({ scaler: { scale: 32_768 } });
});

test('NaN that no scale cures ends with an error', async () => {
  const { trainer } = setUp({ options: { epochs: 30, nan_policy: 'skip' }, environment: { mixedPrecision: 'fp16' } });
  const plain = trainer.training_step.bind(trainer);
  trainer.training_step = (batch, index) => plain(batch, index).mul(Number.NaN);
  await expect(trainer.fit()).rejects.toThrow(/50 optimizer steps in a row were left out/);
});
