import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadYaml, toPlain } from '../../../engine/config/index.ts';
import { Dataset } from '../../../engine/data/index.ts';
import { loadProject, openProjectRuntime, type ProjectRuntime } from '../../../engine/instantiate/index.ts';
import { builtinTargets } from '../../../engine/trainer/prepare/builtinTargets.ts';
import { prepareTraining } from '../../../engine/trainer/prepare/prepareTraining.ts';
import type { Trainer } from '../../../engine/trainer/trainer.ts';
import { memoryCollectives, RegressionTrainer, record, samples } from './support.ts';

class Curve extends Dataset {
  static built = 0;
  readonly length: number;
  readonly durations: readonly number[];

  constructor({ length = 32 }: { length?: number }) {
    super();
    Curve.built++;
    this.length = length;
    this.durations = samples(length).map(({ x }) => Math.abs(x[0] ?? 0));
  }

  get(index: number) {
    return samples(index + 1)[index];
  }
}

const folder = mkdtempSync(join(tmpdir(), 'prepare-'));
let runtime: ProjectRuntime;
beforeAll(async () => {
  await tf.setBackend('cpu');
  mkdirSync(join(folder, 'configs'));
  const targets = {
    'project.rates.decay': (step: number, { rate = 0.5 } = {}) => rate ** step,
    'project.rates.make':
      ({ every }: { every: number }) =>
      (step: number) =>
        0.1 ** Math.floor(step / every),
    'project.Curve': Curve,
    'project.RegressionTrainer': RegressionTrainer,
    'project.Other': Object,
  };
  runtime = await openProjectRuntime(loadProject(folder), {
    builtins: { ...builtinTargets, ...targets },
    tensorflow: tf,
  });
});
afterAll(async () => {
  await runtime.dispose();
  rmSync(folder, { recursive: true });
});

const base = `
seed: 5
epochs: 2
model:
  _target_: torch.nn.Sequential
  _args_:
    - {_target_: torch.nn.Linear, in_features: 3, out_features: 4}
    - {_target_: torch.nn.Tanh}
    - {_target_: accelhydra.nn.Linear, in_features: 4, out_features: 1}
train_dataloader:
  _target_: torch.utils.data.DataLoader
  dataset: {_target_: project.Curve}
  batch_size: 4
  shuffle: true
val_dataloader: null
optimizer: {_target_: torch.optim.AdamW, lr: 0.001}
loss_fn: {_target_: torch.nn.MSELoss}
trainer:
  _target_: project.RegressionTrainer
  project_dir: ${folder}
  epochs: 2
  epoch_length: null
  gradient_accumulation_steps: 3
  save_every_n_epochs: null
`;

async function prepare(yaml: string, worldSize = 1): Promise<{ trainer: Trainer; logs: () => string[] }> {
  const collective = memoryCollectives(worldSize)[0];
  const { trainer, recording } = await prepareRank(yaml, { ...(collective && { collective }) });
  return { trainer, logs: recording.texts };
}

async function prepareRank(yaml: string, setup: Partial<Parameters<typeof prepareTraining>[0]>) {
  const config = loadYaml(yaml);
  if (config === undefined || config.kind !== 'dict') throw new Error('the test config must be a mapping');
  const builder = runtime.builder(config);
  const recording = record();
  const trainer = await prepareTraining({
    config: { ...(toPlain(builder.resolved()) as object) },
    instantiate: builder,
    reporter: recording.reporter,
    stop: { requested: false },
    runDir: folder,
    ...setup,
  } as Parameters<typeof prepareTraining>[0]);
  return { trainer, recording };
}

/** Trains with so many processes and gives the rate of every step and what the first of them said. */
async function ratesOf(yaml: string, worldSize: number, setup: Partial<Parameters<typeof prepareTraining>[0]> = {}) {
  const ranks = await Promise.all(
    memoryCollectives(worldSize).map((collective) => prepareRank(yaml, { collective, ...setup })),
  );
  const results = await Promise.all(ranks.map(({ trainer }) => trainer.fit()));
  const points = ranks[0]?.recording.points('train/lr') ?? [];
  return {
    rates: points.map(({ step, value }) => ({ step, value })),
    texts: ranks[0]?.recording.texts(),
    ...results[0],
  };
}

test('a config with AccelHydra keys trains, and equal seeds give equal weights', async () => {
  const first = await prepare(base);
  const result = await first.trainer.fit();
  expect(result).toMatchObject({ status: 'completed', epoch: 2, step: 16 });
  const second = await prepare(base);
  await second.trainer.fit();
  expect(second.trainer.model.stateDict().get('modules.0.weight')?.dataSync()).toEqual(
    first.trainer.model.stateDict().get('modules.0.weight')?.dataSync(),
  );
});

test.each([
  // 8 batches a pass, groups of 3: 3 optimizer steps a pass
  {
    id: 'steps and warm-up of transformers',
    section: '{_target_: transformers.get_scheduler, name: linear}',
    worldSize: 1,
    log: 'num_training_steps = 6, num_warmup_steps = 3',
  },
  {
    id: 'the same counted for two processes',
    section: '{_target_: transformers.get_scheduler, name: linear}',
    worldSize: 2,
    log: 'num_training_steps = 8, num_warmup_steps = 8',
  },
  {
    id: 'the length of one cycle, not times the epochs',
    section: '{_target_: torch.optim.lr_scheduler.OneCycleLR, max_lr: 0.1, epochs: 2}',
    worldSize: 1,
    log: 'total_steps = 6',
  },
  {
    id: 'epochs where it steps by epoch',
    section: '{_target_: transformers.get_scheduler, name: linear}',
    worldSize: 1,
    trainer: '  lr_scheduler_interval: epoch\n',
    log: 'num_training_steps = 2, num_warmup_steps = 1',
  },
])('the schedule is told $id', async ({ section, worldSize, log, trainer = '' }) => {
  const { logs } = await prepare(
    `${base}${trainer}\nwarmup_params: {warmup_steps: 8, warmup_epochs: null, epoch_length: null}\nlr_scheduler: ${section}`,
    worldSize,
  );
  expect(logs()).toEqual([`lr_scheduler: ${log}`]);
});

test.each([
  {
    id: 'epochs of a fixed length, two processes, then one',
    from: 2,
    to: 1,
    until: 12,
    epochLength: 6,
    accumulation: 1,
  },
  { id: 'one process, then two', from: 1, to: 2, until: 12, epochLength: 6, accumulation: 1 },
  // 8 batches a pass in groups of 3 are 3 scheduler steps for one process, 4 for two
  { id: 'passes that do not divide evenly', from: 1, to: 2, until: 8, epochLength: null, accumulation: 3 },
])('on another number of processes a schedule goes on at its share of the training: $id', async (row) => {
  const yaml = `${base}  epochs: 4
  epoch_length: ${row.epochLength}
  gradient_accumulation_steps: ${row.accumulation}
  log_every_n_steps: 1
lr_scheduler: {_target_: transformers.get_scheduler, name: linear}
warmup_params: {warmup_steps: 6}
`.replace('  epochs: 2\n  epoch_length: null\n  gradient_accumulation_steps: 3\n', '');
  const until = { step: row.until, epoch: row.until / (row.epochLength ?? 8) };
  const whole = await ratesOf(yaml, row.to);
  const { checkpoint } = await ratesOf(yaml, row.from, { until });
  const resumed = await ratesOf(yaml, row.to, { resumeFrom: checkpoint });
  // the schedule of the processes there are now, as if they had trained from the beginning
  const begun = row.epochLength === null ? 4 : row.until;
  expect(resumed.rates.map(({ value }) => value)).toEqual(
    whole.rates.filter(({ step }) => step >= begun).map(({ value }) => value),
  );
  expect(resumed.texts).toContainEqual(
    expect.stringMatching(
      /^lr_scheduler: num_training_steps \d+ → \d+.* at the same share of the training, at step \d+/,
    ),
  );
});

test.each([
  { warmup: '100', says: /'warmup_params' must be a section with warmup_steps.* it is 100/ },
  { warmup: '{warmup_steps: many}', says: /'warmup_params\.warmup_steps' must be a number.* it is "many"/ },
  { warmup: '{warmup_epochs: -1}', says: /'warmup_params\.warmup_epochs' must be a number of at least 0/ },
  { warmup: '{warmup_step: 100}', says: /warmup_params takes no option 'warmup_step'\. Did you mean 'warmup_steps'/ },
])('a warm-up that means nothing is refused: $warmup', async ({ warmup, says }) => {
  const schedule = 'lr_scheduler: {_target_: transformers.get_scheduler, name: linear}';
  await expect(prepare(`${base}\nwarmup_params: ${warmup}\n${schedule}`)).rejects.toThrow(says);
});

test.each([
  { id: 'a _partial_ function', lambda: '{_target_: project.rates.decay, _partial_: true, rate: 0.25}', rate: 0.25 },
  { id: 'a function that makes one', lambda: '{_target_: project.rates.make, every: 1}', rate: 0.1 },
  { id: 'one for each group', lambda: '[{_target_: project.rates.decay, _partial_: true}]', rate: 0.5 },
])("LambdaLR in YAML takes the project's own function: $id", async ({ lambda, rate }) => {
  const section = `lr_scheduler: {_target_: torch.optim.lr_scheduler.LambdaLR, lr_lambda: ${lambda}}`;
  const { trainer } = await prepare(`${base}\n${section}`);
  expect(trainer.lr_scheduler?.getLastLr()).toEqual([0.001]);
  await trainer.fit();
  // 8 batches a pass in groups of 3, two passes: 6 optimizer steps
  expect(trainer.lr_scheduler?.getLastLr()[0]).toBeCloseTo(0.001 * rate ** 6, 15);
});

test('a sampler section gets the dataset, which is built once; a null batch sampler means none', async () => {
  Curve.built = 0;
  const yaml = base.replace(
    '  shuffle: true',
    '  batch_sampler: null\n  sampler: {_target_: accel_hydra.data_module.sampler.BucketSampler, num_buckets: 4, batch_size: 4}',
  );
  const { trainer } = await prepare(yaml);
  expect(Curve.built).toBe(1);
  await trainer.fit();
  expect(trainer.step).toBe(16);
});

test('a batch sampler section gets the dataset too', async () => {
  const section =
    '  batch_sampler: {_target_: accelhydra.data.SortedDynamicBatchSampler, batch_length_threshold: 2, drop_last: true}';
  const { trainer } = await prepare(base.replace('  batch_size: 4\n  shuffle: true', section));
  await trainer.fit();
  expect(trainer.step).toBeGreaterThan(10);
});

test("a sampler inside a batch sampler's section gets the dataset too, as PyTorch writes it", async () => {
  const section =
    '  batch_sampler: {_target_: torch.utils.data.BatchSampler, batch_size: 4, sampler: {_target_: torch.utils.data.RandomSampler, num_samples: 8}}';
  const { trainer } = await prepare(base.replace('  batch_size: 4\n  shuffle: true', section));
  expect(trainer.train_dataloader.length).toBe(2);
});

test('a tf model from tf.sequential trains', async () => {
  const model = `model:
  _target_: tf.sequential
  layers:
    - {_target_: tf.layers.dense, units: 4, inputShape: [3], activation: tanh}
    - {_target_: tf.layers.dense, units: 1}
train_dataloader:`;
  const { trainer } = await prepare(base.replace(/model:[\s\S]*?train_dataloader:/, model));
  await trainer.fit();
  expect(trainer.model.namedParameters().map(({ name }) => name)).toEqual(['0.kernel', '0.bias', '1.kernel', '1.bias']);
});

test.each([
  { id: 'no model', yaml: base.replace('model:', 'modle:'), message: /no section 'model'\. Did you mean 'modle'/ },
  { id: 'no loss', yaml: base.replace(/loss_fn.*/, ''), message: /no section 'loss_fn'.*loss_fn: null/ },
  {
    id: 'a trainer of another kind',
    yaml: base.replace(/_target_: project.RegressionTrainer[\s\S]*/, '_target_: project.Other'),
    message: /must be a subclass of Trainer/,
  },
  {
    id: 'a model of another kind',
    yaml: base
      .replace('_target_: torch.nn.Sequential', '_target_: torch.nn.MSELoss')
      .replace(/ {2}_args_:[\s\S]*?train/, 'train'),
    message: /must be a Module/,
  },
  {
    id: 'a loader section that is a number',
    yaml: base.replace('val_dataloader: null', 'val_dataloader: 3'),
    message: /'val_dataloader' must be a mapping/,
  },
  { id: 'a seed that is text', yaml: base.replace('seed: 5', 'seed: five'), message: /'seed' must be a whole number/ },
  {
    id: 'a layer option that does not exist',
    yaml: base.replace('in_features: 3', 'in_featuers: 3'),
    message: /Did you mean 'in_features'/,
  },
])('refuses $id', async ({ yaml, message }) => {
  await expect(prepare(yaml)).rejects.toThrow(message);
});

test('every built-in target is a class or a function', () => {
  expect(Object.entries(builtinTargets).filter(([, value]) => typeof value !== 'function')).toEqual([]);
});
