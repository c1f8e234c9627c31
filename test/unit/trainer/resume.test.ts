import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, test } from 'vitest';
import { deriveSeed, Random } from '../../../engine/base/random.ts';
import { DataLoader } from '../../../engine/data/index.ts';
import { AdamW, CosineAnnealingLR } from '../../../engine/optim/index.ts';
import { Dropout, Linear, Sequential } from '../../../engine/trainer/model/layers/index.ts';
import { manualSeed } from '../../../engine/trainer/model/randomness.ts';
import { MetricMonitor } from '../../../engine/trainer/monitor/metricMonitor.ts';
import { MemoryFiles, memoryCollectives, type Setup, samples, setUp, smallModel, weightsOf } from './support.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

interface Case {
  readonly id: string;
  readonly worldSize: number;
  readonly accumulation: number;
  readonly stopAt: number;
}

function build(row: Case, files: MemoryFiles, stopAt: number | undefined, resumeFrom?: string): Setup[] {
  return memoryCollectives(row.worldSize).map((collective) => {
    manualSeed(3);
    const model = new Sequential(
      new Linear({ in_features: 3, out_features: 6 }),
      new Dropout({ p: 0.3 }),
      new Linear({ in_features: 6, out_features: 1 }),
    );
    const stop = { requested: false };
    const built = setUp({
      files,
      count: 22,
      batchSize: 3,
      shuffle: true,
      environment: { collective, stop, ...(resumeFrom === undefined ? {} : { resumeFrom }) },
      options: {
        model,
        epochs: 3,
        epoch_length: 5,
        gradient_accumulation_steps: row.accumulation,
        metric_monitor: new MetricMonitor(),
        save_every_n_steps: 1,
        save_last_k: null,
      },
    });
    const { trainer } = built;
    const withSchedule = Object.assign(trainer, {
      lr_scheduler: new CosineAnnealingLR(trainer.optimizer, { T_max: 20 }),
      kept: [] as number[],
    });
    const plain = trainer.training_step.bind(trainer);
    withSchedule.training_step = (batch, index) => {
      if (stopAt !== undefined && trainer.step + 1 >= stopAt) stop.requested = true;
      withSchedule.kept.push(trainer.random.nextUint32());
      return plain(batch, index);
    };
    return { ...built, trainer: withSchedule };
  });
}

const cases: Case[] = [
  { id: 'one process, middle of an epoch', worldSize: 1, accumulation: 1, stopAt: 7 },
  { id: 'one process, end of an epoch', worldSize: 1, accumulation: 1, stopAt: 5 },
  { id: 'one process, middle of an accumulation', worldSize: 1, accumulation: 3, stopAt: 7 },
  { id: 'one process, after a pass over the data', worldSize: 1, accumulation: 2, stopAt: 9 },
  { id: 'two processes', worldSize: 2, accumulation: 1, stopAt: 7 },
  { id: 'two processes with accumulation', worldSize: 2, accumulation: 2, stopAt: 6 },
];

test.each(cases)('a resumed training is the same to the bit: $id', async (row) => {
  const whole = build(row, new MemoryFiles(), undefined);
  await Promise.all(whole.map(({ trainer }) => trainer.fit()));
  const files = new MemoryFiles();
  const first = build(row, files, row.stopAt);
  const results = await Promise.all(first.map(({ trainer }) => trainer.fit()));
  expect(results[0]).toMatchObject({ status: 'stopped', step: row.stopAt });
  const second = build(row, files, undefined, results[0]?.checkpoint);
  await Promise.all(second.map(({ trainer }) => trainer.fit()));
  for (const [rank, { trainer }] of whole.entries()) {
    const parts = [first[rank]?.trainer, second[rank]?.trainer];
    expect(parts.flatMap((part) => part?.losses ?? [])).toEqual(trainer.losses);
    expect(parts.flatMap((part) => Reflect.get(part ?? {}, 'kept'))).toEqual(Reflect.get(trainer, 'kept'));
    expect(await weightsOf(parts[1]?.model ?? trainer.model)).toEqual(await weightsOf(trainer.model));
  }
  expect(second[0]?.trainer.settings.metric_monitor?.state_dict()).toEqual(
    whole[0]?.trainer.settings.metric_monitor?.state_dict(),
  );
  expect(second[0]?.recording.reports.find((report) => report.type === 'progress')).toMatchObject({
    progress: { step: row.stopAt },
  });
});

test.each([
  { id: 'one process', worldSize: 1, accumulation: 3, stopAt: 15, waiting: 2 },
  { id: 'two processes, each with gradients of its own', worldSize: 2, accumulation: 3, stopAt: 15, waiting: 1 },
])('a checkpoint within an accumulation resumes to the bit: $id', async (row) => {
  const files = new MemoryFiles();
  const whole = build(row, files, undefined);
  await Promise.all(whole.map(({ trainer }) => trainer.fit()));
  const middle = files.folders.get('/run/checkpoints/step_5')?.content.state;
  expect(middle).toMatchObject({ train: { accumulated: row.waiting } });
  const second = build(row, files, undefined, '/run/checkpoints/step_5');
  await Promise.all(second.map(({ trainer }) => trainer.fit()));
  for (const [rank, { trainer }] of whole.entries()) {
    expect(second[rank]?.trainer.losses).toEqual(trainer.losses.slice(5));
    expect(await weightsOf(second[rank]?.trainer.model ?? trainer.model)).toEqual(await weightsOf(trainer.model));
  }
});

test('another number of processes goes on after the samples that were seen, and says that it is not the same', async () => {
  const row = { id: '', worldSize: 1, accumulation: 1, stopAt: 4 };
  const files = new MemoryFiles();
  const [first] = build(row, files, 4);
  const result = await first?.trainer.fit();
  const second = build({ ...row, worldSize: 2 }, files, undefined, result?.checkpoint);
  await Promise.all(second.map(({ trainer }) => trainer.fit()));
  expect(second[0]?.recording.texts()).toContainEqual(expect.stringMatching(/written by 1 processes, this run has 2/));
  expect(second[0]?.trainer.step).toBe(15);
});

test('another optimizer goes on with the weights where that is asked for, and with its own state from then on', async () => {
  const parent = setUp();
  await parent.trainer.fit();
  const branch = (reset_optimizer: boolean, resumeFrom: string, epochs: number) => {
    const model = smallModel();
    const optimizer = new AdamW(model.namedParameters(), { lr: 0.01 });
    const lr_scheduler = new CosineAnnealingLR(optimizer, { T_max: 20 });
    const options = { project_dir: '/branch', epochs, model, optimizer, lr_scheduler, reset_optimizer };
    return { ...setUp({ files: parent.files, options, environment: { resumeFrom } }), optimizer };
  };
  const refused = branch(false, '/run/checkpoints/epoch_2', 3);
  await expect(refused.trainer.fit()).rejects.toThrow(
    /is SGD's, but the config builds AdamW\. .*trainer\.reset_optimizer/,
  );
  const first = branch(true, '/run/checkpoints/epoch_2', 3);
  let before: number[] = [];
  first.trainer.on_train_start = async () => {
    before = await weightsOf(first.trainer.model);
  };
  await first.trainer.fit();
  expect(before).toEqual(await weightsOf(parent.trainer.model));
  const steps = ({ optimizer }: typeof first) =>
    Object.values(optimizer.stateDict().scalars.state).map(({ step }) => step);
  expect(steps(first)).toEqual([4, 4, 4, 4]);
  expect(first.recording.texts()).toContainEqual(expect.stringMatching(/AdamW begins with fresh .* step 8\.$/));
  expect(first.trainer.lr_scheduler?.getLastLr()[0]).toBeCloseTo(0.005 * (1 + Math.cos((Math.PI * 12) / 20)), 9);
  const second = branch(true, '/branch/checkpoints/epoch_3', 4);
  await second.trainer.fit();
  expect(steps(second)).toEqual([8, 8, 8, 8]);
});

test('a stop while data does not come saves what was trained, and resumes to the bit', async () => {
  const options = { save_every_n_epochs: null };
  const whole = setUp({ options, validation: false });
  await whole.trainer.fit();
  const stop = { requested: false };
  const dataset = {
    length: 16,
    get(index: number) {
      if (index < 12) return samples(16)[index];
      stop.requested = true;
      return new Promise(() => undefined);
    },
  };
  const train_dataloader = new DataLoader({ dataset, batch_size: 4 });
  const first = setUp({ options: { ...options, train_dataloader }, validation: false, environment: { stop } });
  expect(await first.trainer.fit()).toMatchObject({ status: 'stopped', step: 3 });
  const resumeFrom = '/run/checkpoints/step_3';
  const second = setUp({ options, validation: false, files: first.files, environment: { resumeFrom } });
  await second.trainer.fit();
  expect([...first.trainer.losses, ...second.trainer.losses]).toEqual(whole.trainer.losses);
  expect(await weightsOf(second.trainer.model)).toEqual(await weightsOf(whole.trainer.model));
});

test("another model's checkpoint names the tensors that differ", async () => {
  const files = new MemoryFiles();
  await setUp({ files }).trainer.fit();
  manualSeed(1);
  const model = new Sequential(new Linear({ in_features: 3, out_features: 1 }));
  const { trainer } = setUp({ files, options: { model }, environment: { resumeFrom: '/run/checkpoints/epoch_2' } });
  await expect(trainer.fit()).rejects.toThrow(/modules\.0\.weight \(model \[1,3\], state \[5,3\]\)/);
});

test('custom objects are saved and restored', async () => {
  const files = new MemoryFiles();
  const counter = () => {
    const state = { seen: 0 };
    return {
      state,
      state_dict: () => ({ ...state }),
      load_state_dict: (saved: unknown) => void Object.assign(state, saved),
    };
  };
  const first = counter();
  first.state.seen = 41;
  const { trainer } = setUp({ files });
  Object.defineProperty(trainer, 'checkpoint_objects', { value: [first] });
  await trainer.fit();
  const second = counter();
  const resumed = setUp({ files, environment: { resumeFrom: '/run/checkpoints/epoch_2' }, options: { epochs: 3 } });
  Object.defineProperty(resumed.trainer, 'checkpoint_objects', { value: [second] });
  await resumed.trainer.fit();
  expect(second.state.seen).toBe(41);
  expect(resumed.trainer.step).toBe(12);
});

test('the trainer has a stream of random numbers for each rank', () => {
  const seed = deriveSeed(7, 'trainer');
  expect(new Random(seed, 0).nextUint32()).not.toBe(new Random(seed, 1).nextUint32());
});

test.each([
  { id: 'the newest by step', auto: true, step: 8 },
  { id: 'nothing, when it is not asked for', auto: false, step: 0 },
])('auto resume goes on from $id', async ({ auto, step }) => {
  const files = new MemoryFiles();
  await setUp({ files }).trainer.fit();
  const { trainer, recording } = setUp({ files, options: { epochs: 3, auto_resume_from_latest_ckpt: auto } });
  await trainer.fit();
  expect(recording.reports.find((report) => report.type === 'progress')).toMatchObject({ progress: { step } });
  expect(trainer.step).toBe(12);
});

test('auto resume begins anew where there is no checkpoint yet', async () => {
  const { trainer } = setUp({ options: { auto_reusme_from_latest_ckpt: true } });
  await trainer.fit();
  expect(trainer.step).toBe(8);
});

test('a stop during validation saves what was trained; the resumed run validates again', async () => {
  const stop = { requested: false };
  const first = setUp({ environment: { stop } });
  const validate = first.trainer.validation_step.bind(first.trainer);
  first.trainer.validation_step = (batch, index) => {
    validate(batch, index);
    stop.requested = true;
  };
  expect(await first.trainer.fit()).toMatchObject({ status: 'stopped', epoch: 0, step: 4 });
  expect(first.trainer.events.filter((event) => event.startsWith('validation_step'))).toHaveLength(1);
  expect(first.files.names).toEqual(['checkpoints/step_4']);
  const second = setUp({ files: first.files, environment: { resumeFrom: '/run/checkpoints/step_4' } });
  expect(await second.trainer.fit()).toMatchObject({ status: 'completed', epoch: 2, step: 8 });
  expect(second.recording.points('val/loss').map((point) => point.step)).toEqual([4, 8]);
});

test('a run that stopped early stays stopped when it is resumed, unless its patience grows', async () => {
  const files = new MemoryFiles();
  const make = (patience: number, resumeFrom?: string) =>
    setUp({
      files,
      lr: 0,
      options: { epochs: 6, early_stop: patience, metric_monitor: new MetricMonitor() },
      environment: resumeFrom === undefined ? {} : { resumeFrom },
    }).trainer;
  const first = await make(2).fit();
  expect(first).toMatchObject({ status: 'early-stopped', epoch: 3 });
  expect(await make(2, first.checkpoint).fit()).toMatchObject({ status: 'early-stopped', epoch: 3 });
  expect(await make(3, '/run/checkpoints/epoch_3').fit()).toMatchObject({ status: 'early-stopped', epoch: 4 });
});
