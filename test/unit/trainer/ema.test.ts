import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { WeightAverage } from '../../../engine/optim/index.ts';
import { expectClose, MemoryFiles, setUp, smallModel, weightsOf } from './support.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const weight = (value: number) => ({ name: 'w', variable: tf.variable(tf.tensor1d([value])) });
const only = (tensors: ReadonlyMap<string, tf.Tensor>) => tensors.get('w')?.dataSync()[0];

test.each([
  // by hand: a ← d·a + (1 − d)·w over the weights 1, 2, 3 after starting at 0
  { id: 'constant decay', warmup: false, expected: 0.9 * (0.9 * (0.9 * 0 + 0.1) + 0.1 * 2) + 0.1 * 3 },
  // decays 1/10, 2/11, 3/12
  { id: 'decay warm-up', warmup: true, expected: 0.25 * ((2 / 11) * (0.9 * 1) + (9 / 11) * 2) + 0.75 * 3 },
])('an average follows the weights: $id', ({ warmup, expected }) => {
  const parameter = weight(0);
  const average = new WeightAverage([parameter], { decay: 0.9, warmup });
  average.begin();
  for (const value of [1, 2, 3]) {
    tf.tidy(() => parameter.variable.assign(tf.tensor1d([value])));
    average.update();
  }
  expect(only(average.tensors())).toBeCloseTo(expected, 6);
  average.dispose();
});

test('exchanging shows the averages and brings the weights back, without new tensors', () => {
  const parameter = weight(4);
  const average = new WeightAverage([parameter], { decay: 0.5, warmup: false });
  average.begin();
  tf.tidy(() => parameter.variable.assign(tf.tensor1d([8])));
  average.update();
  const before = tf.memory().numTensors;
  average.exchange(true);
  average.exchange(true);
  expect(parameter.variable.dataSync()[0]).toBe(6);
  average.exchange(false);
  expect(parameter.variable.dataSync()[0]).toBe(8);
  expect(only(average.tensors())).toBe(6);
  expect(tf.memory().numTensors).toBe(before);
  average.dispose();
});

/** What averaging by hand over the weights after each step gives. */
async function averagedByHand(decay: number, steps: number): Promise<number[]> {
  const { trainer } = setUp({ options: { epochs: 1, epoch_length: steps }, validation: false });
  let average = await weightsOf(trainer.model);
  const { optimizer } = trainer;
  const plain = optimizer.step.bind(optimizer);
  const variables = trainer.model.namedParameters().map(({ variable }) => variable);
  optimizer.step = (gradients) => {
    plain(gradients);
    const now = variables.flatMap((variable) => [...variable.dataSync()]);
    average = average.map((value, i) => decay * value + (1 - decay) * (now[i] ?? 0));
  };
  await trainer.fit();
  return average;
}

describe('the trainer', () => {
  test('averages after each optimizer step, validates with the averages and saves them beside the weights', async () => {
    const seen: number[][] = [];
    const { trainer, files } = setUp({ options: { epochs: 1, ema: { decay: 0.8 } } });
    trainer.on_validation_end = async () => {
      seen.push(await weightsOf(trainer.model));
    };
    await trainer.fit();
    const expected = await averagedByHand(0.8, 4);
    expectClose(seen[0] ?? [], expected, 1e-6);
    const content = files.folders.get('/run/checkpoints/epoch_1')?.content;
    const saved = [...(content?.ema.values() ?? [])].flatMap((tensor) => [...tensor.dataSync()]);
    expectClose(saved, expected, 1e-6);
    const model = [...(content?.model.values() ?? [])].flatMap((tensor) => [...tensor.dataSync()]);
    expect(await weightsOf(trainer.model)).toEqual(model);
    expect(model).not.toEqual(saved);
  });

  test('validates with the weights themselves when asked to', async () => {
    const plain = setUp({ options: { epochs: 1 } });
    await plain.trainer.fit();
    const { trainer, recording } = setUp({ options: { epochs: 1, ema: { decay: 0.8, validate: false } } });
    await trainer.fit();
    expect(recording.points('val/loss')).toEqual(plain.recording.points('val/loss'));
  });

  test('goes on from a checkpoint with the same averages, to the bit', async () => {
    const options = { epochs: 3, ema: { decay: 0.7, warmup: true }, save_last_k: null };
    const files = new MemoryFiles();
    await setUp({ options, files }).trainer.fit();
    const ema = (folder: string) => {
      const tensors = files.folders.get(folder)?.content.ema ?? new Map<string, tf.Tensor>();
      return [...tensors.values()].flatMap((tensor) => [...tensor.dataSync()]);
    };
    const whole = ema('/run/checkpoints/epoch_3');
    expect(whole).toHaveLength(26);
    await setUp({ options, files, environment: { resumeFrom: '/run/checkpoints/epoch_1' } }).trainer.fit();
    expect(ema('/run/checkpoints/epoch_3')).toEqual(whole);
  });

  test('says so when a checkpoint has no averages, or has some that nobody asked for', async () => {
    const files = new MemoryFiles();
    await setUp({ options: { epochs: 1 }, files }).trainer.fit();
    const resumeFrom = '/run/checkpoints/epoch_1';
    const withAverage = setUp({ options: { epochs: 2, ema_decay: 0.9 }, files, environment: { resumeFrom } });
    await withAverage.trainer.fit();
    expect(withAverage.recording.texts()).toContainEqual(expect.stringMatching(/has no averaged weights/));
    const without = setUp({ files, environment: { resumeFrom: '/run/checkpoints/epoch_2' } });
    await without.trainer.fit();
    expect(without.recording.texts()).toContainEqual(expect.stringMatching(/has averaged weights, but trainer\.ema/));
  });

  test('a validation that fails leaves the weights as trained', async () => {
    const { trainer } = setUp({ options: { epochs: 1, ema_decay: 0.5 } });
    trainer.failAt = 'validation_step 1';
    await expect(trainer.fit()).rejects.toThrow(/validation_step failed/);
    const { trainer: plain } = setUp({ options: { epochs: 1 }, validation: false });
    await plain.fit();
    expect(await weightsOf(trainer.model)).toEqual(await weightsOf(plain.model));
  });
});

test.each([
  { id: 'a decay of 1', options: { ema_decay: 1 }, says: /'ema_decay' must be above 0 and below 1/ },
  { id: 'two decays', options: { ema_decay: 0.9, ema: { decay: 0.99 } }, says: /write one of them/ },
  { id: 'an unknown key', options: { ema: { decya: 0.9 } as object }, says: /Did you mean 'decay'/ },
  { id: 'a list', options: { ema: [0.9] as object }, says: /must be a section with decay/ },
])('$id is refused', ({ options, says }) => {
  expect(() => setUp({ options: { ...options, model: smallModel() } })).toThrow(says);
});
