import { EngineError } from '../../api/errors.ts';
import { type Clock, systemClock } from '../../base/clock.ts';
import { isPlainObject, type Loader } from '../../data/index.ts';
import { checkOptions, shownValue } from '../../data/options.ts';
import {
  type FilledOptions,
  fillSchedulerOptions,
  type StepCounts,
  schedulerUpdates,
  type WarmupParams,
} from '../../optim/index.ts';
import type { ScheduleLength, TrainerEnvironment } from '../environment.ts';
import { asModule } from '../model/layersModel.ts';
import type { Module } from '../model/module.ts';
import { manualSeed } from '../model/randomness.ts';
import { readOptimizer } from '../settingObjects.ts';
import { Trainer } from '../trainer.ts';
import { buildDataloader } from './dataloaderSection.ts';
import type { InstantiatePort } from './instantiatePort.ts';
import { loadPretrained, readPretrained } from './loadPretrained.ts';
import { readSeed } from './readSeed.ts';
import { sectionFault, trainingSections } from './sections.ts';

/** The trainer's environment, as far as it does not come from the config, and what the training is built of. */
export interface TrainingSetup
  extends Omit<TrainerEnvironment, 'runDir' | 'seed' | 'clock' | 'schedule' | 'hyperparameters'> {
  /** The composed config, resolved, as plain values. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly instantiate: InstantiatePort;
  readonly runDir: string;
  /** Instead of the config's `seed`. */
  readonly seed?: number | undefined;
  readonly clock?: Clock | undefined;
  /** The trainer's own options in place of the config's. */
  readonly trainerOptions?: Readonly<Record<string, unknown>> | undefined;
}

/**
 * Builds everything that a config with AccelHydra's keys describes, in AccelHydra's order — model, loaders, optimizer,
 * schedule, loss, trainer — and gives the trainer, ready for `fit()`. Throws `trainer.section` for a section that is
 * missing or no section, what building a section throws, and `model.kind` or `trainer.kind` for an object of the wrong kind.
 */
export async function prepareTraining(setup: TrainingSetup): Promise<Trainer> {
  const { config, instantiate: port, trainerOptions, ...environment } = setup;
  requireSections(config);
  const seed = setup.seed ?? readSeed(config);
  manualSeed(seed);
  const model = asModule(await port.instantiate('model'));
  await bringPretrained(setup, model);
  const train = await buildDataloader('train_dataloader', config.train_dataloader, port);
  const validation =
    config.val_dataloader == null ? null : await buildDataloader('val_dataloader', config.val_dataloader, port);
  const built = await port.instantiate('optimizer', { args: [model.namedParameters()] });
  const optimizer = readOptimizer('The config', built);
  const schedule = config.lr_scheduler == null ? undefined : await buildScheduler(setup, optimizer, train);
  const loss = config.loss_fn === null ? null : await port.instantiate('loss_fn');
  const trainer = await port.instantiate('trainer', {
    kwargs: {
      ...autoResume(config),
      ...trainerOptions,
      model,
      optimizer,
      lr_scheduler: schedule?.scheduler ?? null,
      loss_fn: loss,
      train_dataloader: train,
      val_dataloader: validation,
    },
  });
  if (!(trainer instanceof Trainer)) {
    throw new EngineError(
      'trainer.kind',
      `'trainer' must be a subclass of Trainer (import { Trainer } from 'accelhydra-studio').`,
      {},
    );
  }
  const clock = setup.clock ?? systemClock;
  return trainer.attach({ ...environment, clock, seed, schedule: schedule?.length, hyperparameters: config });
}

/** The key stands beside the sections in AccelHydra; either spelling. The trainer's own goes before it. */
function autoResume(config: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const value = config.auto_resume_from_latest_ckpt ?? config.auto_reusme_from_latest_ckpt;
  const own = isPlainObject(config.trainer) ? config.trainer.auto_resume_from_latest_ckpt : undefined;
  return value != null && own === undefined ? { auto_resume_from_latest_ckpt: value } : {};
}

/** Before anything is built: a launch has asked the same, but not with the values that only the project's resolvers know. */
function requireSections(config: Readonly<Record<string, unknown>>): void {
  for (const section of trainingSections) {
    const others = Object.keys(config).filter((key) => config[key] !== null);
    const fault = sectionFault(section, config[section.name], others);
    if (fault !== undefined) throw new EngineError('trainer.section', fault, { section: section.name });
  }
}

/**
 * Pretrained weights come first; what a resume brings comes over them. A resumed run can do without the file: its
 * checkpoint has the weights, or knows the frozen ones that it lacks.
 */
async function bringPretrained(setup: TrainingSetup, model: Module<never[], unknown>): Promise<void> {
  const { config, collective, reporter, clock = systemClock } = setup;
  const settings = readPretrained(config);
  if (settings === undefined) return;
  const say = (text: string, level: 'info' | 'warning') => {
    if (collective.rank === 0) reporter.report({ type: 'log', level, text, time: clock.now() });
  };
  try {
    const { text, isWhole } = await loadPretrained(model, settings);
    say(text, isWhole ? 'info' : 'warning');
  } catch (error) {
    if (setup.resumeFrom === undefined || !EngineError.is(error, 'checkpoint.not-found')) throw error;
    say(`load_pretrained: ${error.message} Going on without: the checkpoint has the trained weights.`, 'info');
  }
}

/** Fills in what only the loop knows (num_training_steps, num_warmup_steps, …) and builds the schedule. */
async function buildScheduler(
  setup: TrainingSetup,
  optimizer: unknown,
  train: Loader,
): Promise<{ readonly scheduler: unknown; readonly length: ScheduleLength }> {
  const { instantiate: port, reporter } = setup;
  const options = schedulerSection(setup.config);
  const filled = await filledScheduler(setup, train);
  const kwargs: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(filled.options)) if (value !== options[key]) kwargs[key] = value;
  for (const key of Object.keys(options)) if (!(key in filled.options)) kwargs[key] = null;
  if (setup.collective.rank === 0 && filled.notes.length > 0) {
    const text = `lr_scheduler: ${filled.notes.join(', ')}`;
    reporter.report({ type: 'log', level: 'info', text, time: (setup.clock ?? systemClock).now() });
  }
  const counts = stepCounts(setup, train);
  const numbers = Object.entries(kwargs).filter((entry): entry is [string, number] => typeof entry[1] === 'number');
  return {
    scheduler: await port.instantiate('lr_scheduler', { args: [optimizer], kwargs }),
    length: {
      filled: Object.fromEntries(numbers),
      stepsWithin: (microSteps) => schedulerUpdates(microSteps, counts),
    },
  };
}

/** The schedule's options with what only the loop knows filled in. */
export async function filledScheduler(
  { config, instantiate: port, collective }: Pick<TrainingSetup, 'config' | 'instantiate' | 'collective'>,
  train: Loader,
): Promise<FilledOptions> {
  const warmup = readWarmup(config.warmup_params);
  const counts = stepCounts({ config, collective }, train);
  const interval = isPlainObject(config.trainer) && config.trainer.lr_scheduler_interval === 'epoch' ? 'epoch' : 'step';
  return fillSchedulerOptions(await port.target('lr_scheduler'), schedulerSection(config), counts, warmup, interval);
}

function schedulerSection(config: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const section = isPlainObject(config.lr_scheduler) ? config.lr_scheduler : {};
  const { _target_: _name, ...options } = section;
  return options;
}

/** The numbers that AccelHydra's step arithmetic starts from; all of them the trainer's own, the warm-up's too. */
export function stepCounts(setup: Pick<TrainingSetup, 'config' | 'collective'>, train: Loader): StepCounts {
  const trainer = isPlainObject(setup.config.trainer) ? setup.config.trainer : {};
  const processes = setup.collective.worldSize;
  const epochLength = wholeOrUndefined(trainer.epoch_length);
  return {
    loaderLength: train.length ?? (epochLength ?? 0) * processes,
    processes,
    accumulation: wholeOrUndefined(trainer.gradient_accumulation_steps) ?? 1,
    epochs: wholeOrUndefined(trainer.epochs) ?? 1,
    epochLength,
  };
}

/** The config's `warmup_params`, null for none. Throws `trainer.section` and `options.unknown`. */
export function readWarmup(section: unknown): WarmupParams {
  if (section == null) return {};
  const keys = ['warmup_steps', 'warmup_epochs', 'epoch_length'] as const;
  if (!isPlainObject(section)) throw wrongWarmup('warmup_params', `a section with ${keys.join(', ')}`, section);
  checkOptions('warmup_params', section, keys);
  const read = (key: (typeof keys)[number]): number | undefined => {
    const value = section[key] ?? undefined;
    if (value === undefined || (typeof value === 'number' && value >= 0 && Number.isFinite(value))) return value;
    throw wrongWarmup(`warmup_params.${key}`, 'a number of at least 0, or null', value);
  };
  return {
    warmup_steps: read('warmup_steps'),
    warmup_epochs: read('warmup_epochs'),
    epoch_length: read('epoch_length') || undefined,
  };
}

function wrongWarmup(key: string, what: string, value: unknown): EngineError {
  return new EngineError('trainer.section', `'${key}' must be ${what}; it is ${shownValue(value)}.`, { key, value });
}

function wholeOrUndefined(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 ? value : undefined;
}
