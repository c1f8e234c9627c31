import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, test } from 'vitest';
import { setUp } from './support.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

test('an error in a later hook leaves the last checkpoint, and names the samples of the batch', async () => {
  const { trainer, files } = setUp();
  trainer.training_step = (batch, index) => {
    if (trainer.step === 6) throw new RangeError('too far');
    return trainer.loss_fn.call(trainer.model.call(batch.x), batch.y).add(index * 0);
  };
  await expect(trainer.fit()).rejects.toMatchObject({
    message: expect.stringMatching(
      /^training_step failed \(rank 0, epoch 1, step 6, batch 2, samples 8 9 10 11, test\/unit\/trainer\/[a-zA-Z.]+\.ts:\d+\): too far$/,
    ),
    details: { hook: 'training_step', rank: 0, epoch: 1, step: 6, batchIndex: 2, samples: [8, 9, 10, 11] },
  });
  expect(files.names).toEqual(['checkpoints/epoch_1']);
});

test.each([
  { id: 'ten years ahead', jump: 3.2e11 },
  { id: 'ten years back', jump: -3.2e11 },
])('a clock that jumps $id neither silences nor confuses the training', async ({ jump }) => {
  let offset = 0;
  const clock = { now: () => Date.now() + offset };
  const { trainer, recording } = setUp({ options: { epochs: 30, log_every_n_steps: 1 }, environment: { clock } });
  trainer.on_train_epoch_end = () => {
    if (trainer.epoch === 10) offset = jump;
  };
  const result = await trainer.fit();
  expect(result).toMatchObject({ status: 'completed', step: 120 });
  expect(recording.points('train/loss').map(({ step }) => step)).toEqual(Array.from({ length: 120 }, (_, i) => i));
  const progress = recording.reports.flatMap((report) => (report.type === 'progress' ? [report.progress] : []));
  expect(progress.at(-1)).toMatchObject({ phase: 'finishing', step: 120 });
  for (const { etaMs = 0 } of progress) expect(etaMs).toBeLessThan(1e6);
  expect(result.checkpoint).toBe('/run/checkpoints/epoch_30');
});

test('what was logged is kept before a checkpoint is written, so that a resumed curve has no gap', async () => {
  const order: string[] = [];
  const { trainer, files, recording } = setUp({ options: { log_every_n_steps: 1, save_every_n_steps: 2 } });
  const { reporter } = trainer.environment;
  const keep = async () => void order.push(`kept ${recording.points('train/loss').length}`);
  trainer.attach({ ...trainer.environment, reporter: { ...reporter, keep } });
  const write = files.write.bind(files);
  files.write = (...given) => {
    order.push(`written ${given[2].step}`);
    return write(...given);
  };
  await trainer.fit();
  expect(order.slice(0, 4)).toEqual(['kept 2', 'written 2', 'kept 4', 'written 4']);
});
