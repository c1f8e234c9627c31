import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { DataLoader } from '../../../engine/data/index.ts';
import { noisyPairs } from '../../fixtures/data/workerDatasets.ts';
import { threads } from '../../support/threads.ts';
import { MemoryFiles, type RegressionTrainer, setUp, smallModel, weightsOf } from './support.ts';

const module = pathToFileURL(join(import.meta.dirname, '../../fixtures/data/workerDatasets.ts')).href;

beforeAll(async () => {
  await tf.setBackend('cpu');
});

afterEach(() => expect(threads.alive).toBe(0));

function trainerWith(num_workers: number, files: MemoryFiles, resumeFrom?: string) {
  const stop = { requested: false };
  const train_dataloader = new DataLoader({
    dataset: noisyPairs(),
    batch_size: 3,
    shuffle: true,
    num_workers,
    worker_recipe: { module, export: 'noisyPairs' },
  });
  const { trainer } = setUp({
    files,
    environment: { stop, ...(resumeFrom === undefined ? {} : { resumeFrom }) },
    options: {
      model: smallModel(),
      train_dataloader,
      epochs: 3,
      epoch_length: 5,
      save_every_n_steps: 1,
      save_last_k: null,
    },
  });
  return { trainer, model: trainer.model, stop };
}

function stopAt(trainer: RegressionTrainer, stop: { requested: boolean }, step: number): void {
  const plain = trainer.training_step.bind(trainer);
  trainer.training_step = (batch, index) => {
    if (trainer.step + 1 >= step) stop.requested = true;
    return plain(batch, index);
  };
}

test('stopped and resumed with worker threads, a training is to the bit what it is without any', async () => {
  const whole = trainerWith(0, new MemoryFiles());
  await whole.trainer.fit();
  const files = new MemoryFiles();
  const startedBefore = threads.started;
  const first = trainerWith(2, files);
  stopAt(first.trainer, first.stop, 7);
  const { checkpoint } = await first.trainer.fit();
  expect([threads.started - startedBefore, threads.alive]).toEqual([2, 0]);
  const second = trainerWith(1, files, checkpoint);
  await second.trainer.fit();
  expect([...first.trainer.losses, ...second.trainer.losses]).toEqual(whole.trainer.losses);
  expect(await weightsOf(second.model)).toEqual(await weightsOf(whole.model));
});

test('a hook that throws leaves no thread behind', async () => {
  const { trainer } = trainerWith(1, new MemoryFiles());
  trainer.failAt = 'training_step 3';
  await expect(trainer.fit()).rejects.toThrow(/a mistake in the project/);
});
