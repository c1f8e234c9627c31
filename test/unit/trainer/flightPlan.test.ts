import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { DataLoader, ListDataset } from '../../../engine/data/index.ts';
import {
  AdamW,
  CosineAnnealingLR,
  getScheduler,
  OneCycleLR,
  ReduceLROnPlateau,
  StepLR,
  totalUpdates,
} from '../../../engine/optim/index.ts';
import { folderFiles } from '../../../engine/trainer/checkpoints/folderFiles.ts';
import { MetricMonitor } from '../../../engine/trainer/monitor/metricMonitor.ts';
import { flightPlan } from '../../../engine/trainer/plan/flightPlan.ts';
import { walkSteps } from '../../../engine/trainer/plan/stepWalk.ts';
import type { SchedulerLike } from '../../../engine/trainer/ports.ts';
import type { TrainerSettingsOptions } from '../../../engine/trainer/settings.ts';
import type { Trainer } from '../../../engine/trainer/trainer.ts';
import seedSteps from '../../fixtures/numeric/seed_steps.json' with { type: 'json' };
import { memoryCollectives, type SetupOptions, samples, setUp, smallModel } from './support.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

interface PlanOptions {
  readonly processes?: number;
  readonly schedule?: (optimizer: Trainer['optimizer'], updates: number) => SchedulerLike;
  readonly scheduleOptions?: Record<string, unknown>;
  readonly maxPoints?: number;
  readonly warmup?: { readonly steps: number; readonly schedulerSteps: number };
}

function planOf(setup: SetupOptions, options: PlanOptions = {}) {
  const { processes = 1, schedule, scheduleOptions, maxPoints, warmup } = options;
  const { trainer } = setUp(setup);
  const { settings, train_dataloader: loader } = trainer;
  const counts = {
    loaderLength: loader.length ?? 0,
    processes,
    accumulation: settings.gradient_accumulation_steps,
    epochs: settings.epochs,
    epochLength: settings.epoch_length,
  };
  if (schedule) Object.assign(trainer, { lr_scheduler: schedule(trainer.optimizer, totalUpdates(counts)) });
  return flightPlan({
    subject: trainer,
    processes,
    counts,
    warmup,
    scheduleName: undefined,
    scheduleOptions: scheduleOptions ?? {},
    configText: '',
    maxPoints,
  });
}

const codes = (plan: { readonly warnings: readonly { readonly code: string }[] }) =>
  plan.warnings.map(({ code }) => code);

describe("the walk has AccelHydra's step arithmetic", () => {
  test.each(seedSteps)('$id', (row) => {
    const end = walkSteps(
      {
        epochs: row.epochs,
        epochLength: row.epoch_length ?? row.one_pass_outside,
        passLength: row.one_pass_outside,
        accumulation: row.gradient_accumulation_steps,
      },
      { onStep: () => undefined, onStepDone: () => undefined, onEpochDone: () => undefined },
    );
    expect(end.optimizerSteps * row.num_processes).toBe(row.num_training_updates);
  });
});

test('a plan is what the training then does', async () => {
  const settings = fc.record({
    epochs: fc.integer({ min: 1, max: 3 }),
    epoch_length: fc.option(fc.integer({ min: 1, max: 7 })),
    gradient_accumulation_steps: fc.integer({ min: 1, max: 4 }),
    log_every_n_steps: fc.option(fc.integer({ min: 1, max: 4 })),
    save_every_n_steps: fc.option(fc.integer({ min: 1, max: 6 })),
    permanent_save_every_n_steps: fc.option(fc.integer({ min: 1, max: 6 })),
    save_every_n_epochs: fc.option(fc.integer({ min: 1, max: 3 })),
    save_last_k: fc.option(fc.integer({ min: 1, max: 3 })),
    lr_scheduler_interval: fc.constantFrom('step' as const, 'epoch' as const),
  });
  const world = fc.record({ processes: fc.integer({ min: 1, max: 3 }), count: fc.integer({ min: 7, max: 26 }) });
  await fc.assert(
    fc.asyncProperty(settings, world, fc.boolean(), async (options, { processes, count }, validation) => {
      const setup: SetupOptions = { options, count, batchSize: 3, shuffle: true, validation };
      const schedule = (optimizer: Trainer['optimizer']) => new CosineAnnealingLR(optimizer, { T_max: 9 });
      const plan = planOf(setup, { processes, schedule });
      const ranks = memoryCollectives(processes).map((collective) => {
        const built = setUp({ ...setup, environment: { collective } });
        Object.assign(built.trainer, { lr_scheduler: schedule(built.trainer.optimizer) });
        return built;
      });
      const [result] = await Promise.all(ranks.map(({ trainer }) => trainer.fit()));
      const { reports } = ranks[0]?.recording ?? { reports: [] };
      const logged = (key: string) => ranks[0]?.recording.points(key) ?? [];
      const saved = (kind: string) =>
        reports.flatMap((report) =>
          report.type === 'checkpoint-saved' && report.checkpoint.kind === kind ? [report.checkpoint.step] : [],
        );
      const planned = (kind: string) => plan.events.find((events) => events.kind === kind)?.steps ?? [];
      expect(result?.step).toBe(plan.totalSteps);
      expect(planned('loss-log')).toEqual(logged('train/loss').map(({ step }) => step));
      expect(planned('grad-norm-log')).toEqual(logged('train/grad_norm').map(({ step }) => step));
      expect(planned('validation')).toEqual(logged('val/loss').map(({ step }) => step));
      expect(planned('step-checkpoint')).toEqual(saved('step'));
      expect(planned('epoch-checkpoint')).toEqual(saved('epoch'));
      expect(planned('permanent-checkpoint')).toEqual(saved('permanent'));
      const [curve] = plan.rates;
      for (const { step, value } of logged('train/lr')) {
        const update = curve?.step.indexOf(step) ?? -1;
        if (update >= 0) expect(curve?.rate[update]).toBe(value);
      }
      expect(plan.optimizerSteps).toBe(curve?.totalPoints);
      expect(plan.disk.checkpoints).toBe(ranks[0]?.files.folders.size);
    }),
    { numRuns: 25 },
  );
});

test('the planned bytes are those of the files', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'plan-'));
  try {
    const setup = (): SetupOptions => {
      const model = smallModel();
      return {
        options: {
          project_dir: folder,
          ema_decay: 0.9,
          model,
          optimizer: new AdamW(model.namedParameters(), { lr: 0.01 }),
        },
      };
    };
    const plan = planOf(setup());
    await setUp(setup()).trainer.storeCheckpointsIn(folderFiles).fit();
    const size = (name: string) => statSync(join(folder, 'checkpoints', 'epoch_2', name)).size;
    expect(plan.disk.modelBytes).toBe(size('model.safetensors'));
    expect(plan.disk.optimizerBytes).toBe(size('optimizer.safetensors'));
    expect(plan.disk.emaBytes).toBe(size('ema.safetensors'));
    const { checkpointBytes, modelBytes, optimizerBytes, emaBytes } = plan.disk;
    expect(checkpointBytes - modelBytes - optimizerBytes - emaBytes).toBeLessThan(16_000);
    expect(plan.disk.freeBytes).toBeGreaterThan(0);
    // epoch_1 still lies there while epoch_2 is written
    expect(plan.disk).toMatchObject({ checkpoints: 1, peakBytes: 2 * plan.disk.checkpointBytes });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('planning calls no hook and reads no batch', () => {
  const { trainer } = setUp();
  const passes: unknown[] = [];
  Object.assign(trainer.train_dataloader, { pass: () => passes.push('read') });
  flightPlan({
    subject: trainer,
    processes: 1,
    counts: { loaderLength: 4, processes: 1, accumulation: 1, epochs: 2 },
    warmup: undefined,
    scheduleName: undefined,
    scheduleOptions: {},
    configText: '',
    maxPoints: undefined,
  });
  expect([...trainer.events, ...passes]).toEqual([]);
});

test('a thinned curve keeps both ends and the peak', () => {
  const schedule = (optimizer: Trainer['optimizer'], updates: number) =>
    getScheduler(optimizer, { name: 'linear', num_warmup_steps: 137, num_training_steps: updates });
  const setup: SetupOptions = { options: { epochs: 300 } };
  const [whole] = planOf(setup, { schedule }).rates;
  const [thin] = planOf(setup, { schedule, maxPoints: 40 }).rates;
  expect(whole?.step).toHaveLength(1200);
  expect(thin?.step.length).toBeLessThanOrEqual(40);
  expect(thin).toMatchObject({ totalPoints: 1200 });
  expect(Math.max(...(thin?.rate ?? []))).toBe(Math.max(...(whole?.rate ?? [])));
  expect([thin?.step[0], thin?.step.at(-1), thin?.rate.at(-1)]).toEqual([0, 1199, whole?.rate.at(-1)]);
});

interface WarningCase extends PlanOptions {
  readonly id: string;
  readonly options?: Partial<TrainerSettingsOptions>;
  readonly setup?: SetupOptions;
  readonly expected: string;
  readonly text: RegExp;
}

const cosine = (steps: number): PlanOptions => ({
  schedule: (optimizer) => new CosineAnnealingLR(optimizer, { T_max: steps }),
  scheduleOptions: { T_max: steps },
});

const cases: WarningCase[] = [
  // 16 samples in batches of 4, two epochs: 8 steps
  { id: 'a short schedule', ...cosine(1), expected: 'schedule-ends-early', text: /at 13 % .*stepped 8 times/ },
  { id: 'a long schedule', ...cosine(80), expected: 'schedule-does-not-end', text: /only 10 % .*T_max to 8/ },
  {
    id: 'a schedule told the wrong number of steps',
    schedule: (optimizer) => getScheduler(optimizer, { name: 'linear', num_warmup_steps: 0, num_training_steps: 4 }),
    scheduleOptions: { num_training_steps: 4 },
    expected: 'schedule-ends-early',
    text: /at 50 %/,
  },
  {
    id: 'a rate of zero',
    schedule: (optimizer) => getScheduler(optimizer, { name: 'linear', num_warmup_steps: 0, num_training_steps: 4 }),
    expected: 'rate-is-zero',
    text: /0 for the last 4 of 8 optimizer steps \(50 %/,
  },
  {
    id: 'a warm-up longer than the training',
    ...cosine(8),
    warmup: { steps: 100, schedulerSteps: 100 },
    expected: 'warmup-too-long',
    text: /has 100 steps, the whole training 8/,
  },
  {
    id: 'a plateau by steps',
    schedule: (optimizer) => new ReduceLROnPlateau(optimizer),
    expected: 'schedule-fails',
    text: /at step 0: .*lr_scheduler_interval to epoch/,
  },
  {
    id: 'a schedule by epochs told its length in steps',
    options: { lr_scheduler_interval: 'epoch' },
    schedule: (optimizer, updates) => new OneCycleLR(optimizer, { max_lr: 0.1, total_steps: updates }),
    scheduleOptions: { total_steps: 8 },
    expected: 'schedule-does-not-end',
    text: /only 25 % .*total_steps to 2, as lr_scheduler_interval is epoch, or leave it out/,
  },
  {
    id: 'a monitor without validation',
    options: { metric_monitor: new MetricMonitor() },
    setup: { validation: false },
    expected: 'monitor-not-computed',
    text: /no val_dataloader/,
  },
  {
    id: 'a monitor of a metric that the trainer never names',
    options: { metric_monitor: new MetricMonitor({ metric_name: 'accuracy', mode: 'max' }) },
    expected: 'monitor-not-computed',
    text: /'accuracy'.* RegressionTrainer/,
  },
  {
    id: 'a batch larger than the data',
    setup: { count: 3 },
    expected: 'batch-larger-than-data',
    text: /batch_size is 4, but the dataset has 3 samples/,
  },
  {
    id: 'a batch larger than the data over processes',
    processes: 5,
    expected: 'batch-larger-than-data',
    text: /5 processes .* take 20 samples/,
  },
  {
    id: 'a gradient norm that is never logged',
    options: { log_every_n_steps: null },
    expected: 'grad-norm-not-logged',
    text: /log_every_n_steps is null/,
  },
  {
    id: 'a loss that is logged once',
    options: { log_every_n_steps: 50 },
    expected: 'log-never-again',
    text: /is 50, .* has 8 steps/,
  },
  {
    id: 'a step save that never comes',
    options: { save_every_n_steps: 9 },
    expected: 'save-never-hit',
    text: /save_every_n_steps is 9/,
  },
  {
    id: 'an epoch save that never comes',
    options: { save_every_n_epochs: 3 },
    expected: 'save-never-hit',
    text: /save_every_n_epochs is 3, .* 2 epochs/,
  },
  { id: 'nothing saved', options: { save_every_n_epochs: null }, expected: 'nothing-saved', text: /lost/ },
  {
    id: 'an end in no checkpoint',
    options: { save_every_n_epochs: null, save_every_n_steps: 3 },
    expected: 'end-not-saved',
    text: /step 6: .* 2 steps/,
  },
  {
    id: 'an accumulation longer than a pass',
    options: { gradient_accumulation_steps: 5 },
    expected: 'accumulation-never-completes',
    text: /divided by 5 with only 4/,
  },
  {
    id: 'an accumulation longer than the training',
    options: { gradient_accumulation_steps: 5, epochs: 1, epoch_length: 2 },
    expected: 'accumulation-never-completes',
    text: /never steps/,
  },
  {
    id: 'gradients that are not used',
    options: { gradient_accumulation_steps: 4, epoch_length: 3 },
    expected: 'unused-gradients',
    text: /last 2 steps/,
  },
  { id: 'no epochs', options: { epochs: 0 }, expected: 'no-steps', text: /nothing will be trained/ },
];

test.each(cases)('warns of $id', ({ options, setup, expected, text, ...rest }) => {
  const plan = planOf({ ...setup, options: { log_every_n_steps: 1, ...options } }, rest);
  expect(plan.warnings.find(({ code }) => code === expected)?.text ?? codes(plan).join()).toMatch(text);
});

test('warns of a disk that is too small', () => {
  const plan = planOf({ options: { log_every_n_steps: 1, save_last_k: null, epochs: 3 } });
  expect(codes(plan)).toEqual([]);
  const { trainer } = setUp({ options: { epochs: 3 } });
  const huge = trainer.model.stateDict().set('huge', { dtype: 'float32', shape: [2 ** 46] } as tf.Tensor);
  Object.assign(trainer.model, { stateDict: () => huge });
  const [warning] = flightPlan({
    subject: trainer,
    processes: 1,
    counts: { loaderLength: 4, processes: 1, accumulation: 1, epochs: 3 },
    warmup: undefined,
    scheduleName: undefined,
    scheduleOptions: {},
    configText: '',
    maxPoints: undefined,
  }).warnings.filter(({ code }) => code === 'disk-too-small');
  expect(warning?.text).toMatch(/need up to [\d.]+ [KMGT]iB, but [\d.]+ [KMGT]?i?B are free/);
});

test('a sound training has no warnings', () => {
  const monitor = new MetricMonitor();
  const options = { log_every_n_steps: 1, metric_monitor: monitor, early_stop: 2 };
  expect(codes(planOf({ options }, cosine(8)))).toEqual([]);
  const stepwise: PlanOptions = { schedule: (optimizer) => new StepLR(optimizer, { step_size: 1 }) };
  expect(codes(planOf({ options }, stepwise))).toEqual([]);
});

test('what keeps a training from beginning keeps it from being planned', () => {
  const dataset = new ListDataset({ samples: samples(3) });
  const loader = new DataLoader({ dataset, batch_size: 4, drop_last: true });
  expect(() => planOf({ options: { train_dataloader: loader } })).toThrow(/gives no batch/);
});
