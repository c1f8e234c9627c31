import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, test } from 'vitest';
import { Linear } from '../../../engine/trainer/model/layers/index.ts';
import { Module } from '../../../engine/trainer/model/module.ts';
import { expectClose, memoryCollectives, setUp, smallModel, weightsOf } from './support.ts';

/** A model with a buffer of its own. */
class Counted extends Module {
  readonly layer = new Linear({ in_features: 3, out_features: 1 });
  readonly count = this.buffer(tf.scalar(0));

  call(x: tf.Tensor): tf.Tensor {
    return this.layer.call(x);
  }
}

beforeAll(async () => {
  await tf.setBackend('cpu');
});

test.each([
  { id: 'plain', options: {} },
  { id: 'with accumulation', options: { gradient_accumulation_steps: 2 } },
  { id: 'with clipping', options: { max_grad_norm: 0.1 } },
])('two ranks with batch 4 equal one with batch 8: $id', async ({ options }) => {
  const one = setUp({ batchSize: 8, count: 32, options: { epochs: 3, ...options } });
  await one.trainer.fit();
  // rank 1 begins with other weights: rank 0's must win
  const ranks = memoryCollectives(2).map((collective, rank) =>
    setUp({
      batchSize: 4,
      count: 32,
      options: { epochs: 3, ...options, model: smallModel(1 + rank) },
      environment: { collective },
    }),
  );
  await Promise.all(ranks.map(({ trainer }) => trainer.fit()));
  const expected = await weightsOf(one.trainer.model);
  for (const { trainer } of ranks) expectClose(await weightsOf(trainer.model), expected, 1e-5);
  const [main, other] = ranks;
  expectClose(
    (main?.recording.points('train/loss') ?? []).map((point) => point.value),
    one.recording.points('train/loss').map((point) => point.value),
    1e-5,
  );
  expect(other?.recording.points('train/loss')).toEqual([]);
});

test.each([
  { id: 'dividing evenly', count: 16 },
  { id: 'leaving a short batch', count: 18 },
  { id: 'leaving one rank without a batch', count: 10 },
])('validation counts every sample once, $id', async ({ count }) => {
  const one = setUp({ batchSize: 4, count, lr: 0, options: { epochs: 1 } });
  await one.trainer.fit();
  const ranks = memoryCollectives(2).map((collective) =>
    setUp({ batchSize: 4, count, lr: 0, options: { epochs: 1 }, environment: { collective } }),
  );
  await Promise.all(ranks.map(({ trainer }) => trainer.fit()));
  const expected = one.recording.points('val/loss')[0]?.value ?? Number.NaN;
  expect(ranks[0]?.recording.points('val/loss')[0]?.value).toBeCloseTo(expected, 5);
});

test.each([true, false])(
  'all see the first one’s buffers at each step with broadcast_buffers: %s',
  async (broadcast_buffers) => {
    const seen = [[], []] as number[][];
    const ranks = memoryCollectives(2).map((collective, rank) => {
      const model = new Counted();
      const options = { model, epochs: 1, broadcast_buffers };
      const { trainer } = setUp({ options, validation: false, environment: { collective } });
      const plain = trainer.training_step.bind(trainer);
      trainer.training_step = (batch, index) => {
        seen[rank]?.push(model.count.dataSync()[0] ?? Number.NaN);
        model.count.assign(model.count.add(rank + 1));
        return plain(batch, index);
      };
      return trainer;
    });
    await Promise.all(ranks.map((trainer) => trainer.fit()));
    expect(seen).toEqual(
      broadcast_buffers
        ? [
            [0, 1],
            [0, 1],
          ]
        : [
            [0, 1],
            [0, 2],
          ],
    );
  },
);

test('a stop that one rank hears ends all at the same step, with one checkpoint', async () => {
  const stop = { requested: false };
  const ranks = memoryCollectives(2).map((collective, rank) =>
    setUp({ count: 64, options: { epochs: 5 }, environment: { collective, ...(rank === 1 ? { stop } : {}) } }),
  );
  const second = ranks[1]?.trainer;
  if (second !== undefined)
    second.losses.push = (...values: number[]) => {
      if (second.losses.length === 5) stop.requested = true;
      return Array.prototype.push.apply(second.losses, values);
    };
  const results = await Promise.all(ranks.map(({ trainer }) => trainer.fit()));
  expect(results.map(({ status, step }) => ({ status, step }))).toEqual([
    { status: 'stopped', step: 6 },
    { status: 'stopped', step: 6 },
  ]);
  expect(ranks[0]?.files.names).toEqual(['checkpoints/step_6']);
  expect(ranks[1]?.files.names).toEqual([]);
});
