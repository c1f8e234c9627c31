import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { DataLoader, IterableDataset, ListDataset } from '../../../engine/data/index.ts';
import { memoryCollectives, type Pair, RegressionTrainer, samples, setUp } from './support.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

class Stream extends IterableDataset {
  *samples() {
    yield* samples(10);
  }
}

test('a field of tensors lives on between steps and is freed when it is replaced', async () => {
  const { trainer } = setUp({ options: { epochs: 3, save_every_n_epochs: null } });
  const seen: number[] = [];
  const kept = Object.assign(trainer, { stats: { total: undefined as tf.Tensor | undefined } });
  const before = trainer.validation_step.bind(trainer);
  kept.on_validation_start = () => {
    kept.stats = { total: tf.scalar(0) };
  };
  kept.validation_step = (batch: Pair, index: number) => {
    before(batch, index);
    kept.stats.total = kept.stats.total?.add(batch.x.shape[0] ?? 0);
  };
  kept.on_validation_end = () => {
    seen.push(kept.stats.total?.dataSync()[0] ?? Number.NaN, tf.memory().numTensors);
  };
  await trainer.fit();
  expect([seen[0], seen[2], seen[4]]).toEqual([16, 16, 16]);
  // the tensor that on_validation_start makes anew each time is the hook's own
  expect((seen[5] ?? 0) - (seen[3] ?? 0)).toBeLessThanOrEqual(1);
});

describe('metrics gathered by hand', () => {
  test.each([
    { id: 'one process', worldSize: 1 },
    { id: 'three processes and a short end', worldSize: 3 },
  ])('hold every sample once: $id', async ({ worldSize }) => {
    const ranks = memoryCollectives(worldSize).map((collective) =>
      setUp({ count: 10, batchSize: 3, options: { epochs: 1 }, environment: { collective } }),
    );
    const rows: number[][] = ranks.map(() => []);
    ranks.forEach(({ trainer }, rank) => {
      trainer.validation_step = async (batch: Pair) => {
        const { y, twice } = await trainer.gather_for_metrics({ y: batch.y, twice: tf.keep(batch.y.mul(2)) });
        rows[rank]?.push(...(y?.dataSync() ?? []));
        expect(twice?.shape).toEqual(y?.shape);
      };
      trainer.get_val_metrics = () => ({ rows: rows[rank]?.length ?? 0 });
    });
    await Promise.all(ranks.map(({ trainer }) => trainer.fit()));
    const expected = samples(10).map(({ y }) => y[0] ?? 0);
    for (const found of rows) expect([...found].sort()).toEqual([...expected].sort());
    expect(ranks[0]?.recording.points('val/rows')).toEqual([{ step: ranks[0]?.trainer.step, value: 10 }]);
  });
});

test('log takes metrics in a training step when logging is due, or always', async () => {
  const { trainer, recording } = setUp({ validation: false, options: { epochs: 1, log_every_n_steps: 2 } });
  const plain = trainer.training_step.bind(trainer);
  trainer.training_step = (batch: Pair, index: number) => {
    const loss = plain(batch, index);
    trainer.log({ 'train/double': loss.mul(2), 'train/lr': 42 });
    trainer.log({ 'train/index': index }, { always: true });
    return loss;
  };
  await trainer.fit();
  expect(recording.points('train/double').map(({ step }) => step)).toEqual([0, 2]);
  expect(recording.points('train/double')[0]?.value).toBeCloseTo(
    2 * (recording.points('train/loss')[0]?.value ?? 0),
    5,
  );
  expect(recording.points('train/index')).toHaveLength(4);
  // the hook's own value goes before the trainer's
  expect(recording.points('train/lr').map(({ value }) => value)).toEqual([42, 42]);
});

test('outside of fit the trainer says that it does not run', () => {
  expect(() => setUp().trainer.log({ x: 1 })).toThrow(/while fit\(\) runs/);
});

test('data that is read in a row needs an epoch length, and then trains over its end', async () => {
  const loader = () => new DataLoader({ dataset: new Stream(), batch_size: 4 });
  await expect(setUp({ options: { train_dataloader: loader() } }).trainer.fit()).rejects.toThrow(
    /trainer\.epoch-length|does not say how long/,
  );
  const { trainer } = setUp({
    validation: false,
    options: { train_dataloader: loader(), epoch_length: 5, epochs: 2, gradient_accumulation_steps: 2 },
  });
  await trainer.fit();
  expect(trainer.losses).toHaveLength(10);
});

test('any iterable of batches is a loader', async () => {
  const make = () => samples(8).map(({ x, y }) => ({ x: tf.tensor2d([...x], [1, 3]), y: tf.tensor2d([...y], [1, 1]) }));
  const own = {
    length: 8,
    *[Symbol.iterator]() {
      yield* make();
    },
  };
  const { trainer } = setUp({ validation: false, options: { train_dataloader: own, epochs: 2 } });
  await trainer.fit();
  expect(trainer.losses).toHaveLength(16);
  expect(() => setUp({ options: { train_dataloader: 7 } })).toThrow(/'train_dataloader' must be a DataLoader/);
});

test('options that are accepted without effect are told', async () => {
  const dataset = new ListDataset({ samples: samples(8) });
  const { trainer, recording } = setUp({
    validation: false,
    options: { train_dataloader: new DataLoader({ dataset, num_workers: 4 }), epochs: 1 },
  });
  await trainer.fit();
  expect(recording.texts()).toContainEqual(
    expect.stringMatching(/num_workers is 4, but samples are read in the training process/),
  );
});

test('a subclass may declare options of its own', () => {
  class Custom extends RegressionTrainer {
    static override readonly options = ['epoch_lengths'];
  }
  const { settings, model, optimizer, loss_fn, train_dataloader } = setUp().trainer;
  const options = { ...settings, model, optimizer, loss_fn, train_dataloader, epoch_lengths: 3 };
  expect(() => new Custom(options)).not.toThrow();
  expect(() => new RegressionTrainer(options)).toThrow(/Did you mean 'epoch_length'/);
});
