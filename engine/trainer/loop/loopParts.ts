import { resolve } from 'node:path';
import { EngineError } from '../../api/errors.ts';
import { steadyClock } from '../../base/clock.ts';
import { deriveSeed, Random } from '../../base/random.ts';
import type { Shard, StreamState } from '../../data/index.ts';
import { advanceScheduler, LossScaler, WeightAverage } from '../../optim/index.ts';
import { makeCompiler, makeValidationCompiler } from '../compile/makeCompiler.ts';
import type { StepCompiler } from '../compile/stepCompiler.ts';
import type { TraceSink } from '../compile/stepTrace.ts';
import type { ValidationCompiler } from '../compile/validationCompiler.ts';
import type { TrainerSubject } from '../hooks.ts';
import { LoggingConfig } from '../logging/loggingConfig.ts';
import { MediaLog } from '../logging/media/mediaLog.ts';
import { MetricLog } from '../logging/metricLog.ts';
import { type Position, ProgressMeter } from '../logging/progressMeter.ts';
import { openTrackers } from '../logging/trackers/openTrackers.ts';
import { Trackers } from '../logging/trackers/trackers.ts';
import type { NamedVariable } from '../model/module.ts';
import { LeakGuard } from '../monitor/leakGuard.ts';
import type { SchedulerLike } from '../ports.ts';
import { epochStart, freshState, type TrainState } from '../state/trainState.ts';
import { BatchCursor } from './batchCursor.ts';
import { EagerStep, type StepExecutor } from './eagerStep.ts';
import { FieldKeeper } from './fieldKeeper.ts';
import { readEpochLength, shortestPass, trainingShard } from './lengths.ts';
import { StepGuard } from './stepGuard.ts';
import { Updater } from './updater.ts';
import { MetricSums } from './validation.ts';

/** What the loop works with. */
export interface LoopParts {
  readonly state: TrainState;
  readonly epochLength: number;
  /** What is trained. */
  readonly parameters: readonly NamedVariable[];
  cursor: BatchCursor;
  readonly executor: StepExecutor;
  /** Runs steps as graphs, where trainer.compile asks for it and the backend can. */
  readonly compiler: StepCompiler | undefined;
  /** The same for validation steps. */
  readonly validation: ValidationCompiler | undefined;
  /** Hears what a step logs and asks while it is recorded. */
  sink: TraceSink | undefined;
  readonly updater: Updater;
  readonly guard: StepGuard;
  /** With fp16. */
  readonly scaler: LossScaler | undefined;
  /** The averaged weights, where trainer.ema asks for them. */
  readonly average: WeightAverage | undefined;
  readonly log: MetricLog;
  readonly media: MediaLog;
  readonly trackers: Trackers;
  readonly meter: ProgressMeter;
  readonly keeper: FieldKeeper;
  /** Looks for what is never freed, where trainer.leak_guard asks for it. */
  readonly leaks: LeakGuard | undefined;
  readonly sums: MetricSums;
  /** The trainer's own random numbers, one stream a rank. */
  readonly random: Random;
  /** Whether the ranks agreed to stop. */
  isStopAgreed: boolean;
  /** Whether metrics logged now are wanted: in a training step only when logging is due. */
  isLogging: boolean;
  /** Samples of the current validation batch that count. */
  realSamples: number;
  /** Means of the last validation's accumulate(). */
  accumulated: Readonly<Record<string, number>>;
  /** What get_val_metrics gave last. */
  metrics: Readonly<Record<string, number>>;
  position(): Position;
  advance(scheduler: SchedulerLike): void;
  warn(text: string, level?: 'info' | 'warning' | 'error'): void;
  /** Goes to another place in the data, after a resume; `stream` is the state that a stream had there. */
  moveCursor(stream: StreamState | undefined): Promise<void>;
  dispose(): Promise<void>;
}

/** Checks loaders and settings against each other and makes the loop's parts. Ranks agree on lengths. */
export async function buildParts(subject: TrainerSubject): Promise<LoopParts> {
  const { settings, environment } = subject;
  const { collective, clock, reporter } = environment;
  checkMonitor(subject);
  const shard = trainingShard(settings, collective.rank, collective.worldSize);
  const passLength = await agreeOnLength(subject, shard);
  const epochLength = readEpochLength(settings, passLength);
  const parameters = subject.model.namedParameters().filter(({ variable }) => variable.trainable);
  const state: TrainState = { ...freshState };
  const isMain = collective.rank === 0;
  const scaler = environment.mixedPrecision === 'fp16' ? new LossScaler() : undefined;
  const guard = new StepGuard({ nanPolicy: settings.nan_policy, lossSpike: settings.loss_spike, scaler });
  const average = settings.ema === null ? undefined : new WeightAverage(parameters, settings.ema);
  const warn: LoopParts['warn'] = (text, level = 'warning') =>
    reporter.report({ type: 'log', level, text, time: clock.now() });
  const runDir = resolve(environment.runDir ?? settings.project_dir);
  const logging = settings.logging_config ?? new LoggingConfig();
  const trackers = new Trackers(isMain ? openTrackers(logging, { runDir, clock }) : [], (text) => warn(text));
  const newCursor = (stream?: StreamState) =>
    new BatchCursor({
      loader: subject.train_dataloader,
      shard,
      length: passLength,
      start: state,
      stream,
      // several ranks agree on a stop while they exchange gradients
      isStopWanted: () => collective.worldSize === 1 && environment.stop.requested,
    });
  const parts: LoopParts = {
    state,
    epochLength,
    parameters,
    cursor: newCursor(),
    executor: new EagerStep(parameters),
    compiler: undefined,
    validation: undefined,
    sink: undefined,
    updater: new Updater({
      parameters,
      optimizer: subject.optimizer,
      collective,
      maxGradNorm: settings.max_grad_norm,
      clipGradValue: settings.clip_grad_value,
      guard,
      scaler,
      average,
    }),
    guard,
    scaler,
    average,
    log: new MetricLog({ reporter: trackers.beside(reporter), clock, isActive: isMain }),
    media: new MediaLog({
      runDir,
      reporter,
      clock,
      isActive: isMain,
      maxItems: logging.max_media_items,
      maxBytes: logging.max_media_bytes,
      warn: (text) => warn(text),
      onWritten: (item) => trackers.media(item),
    }),
    trackers,
    meter: new ProgressMeter({ reporter, clock: steadyClock, isActive: isMain }),
    keeper: new FieldKeeper(subject),
    leaks: makeLeakGuard(subject, () => parts),
    sums: new MetricSums(),
    random: new Random(deriveSeed(environment.seed, 'trainer'), collective.rank),
    isStopAgreed: false,
    isLogging: true,
    realSamples: 0,
    accumulated: {},
    metrics: {},
    position: () => ({
      epoch: state.epoch,
      epochs: settings.epochs,
      step: state.step,
      epochLength,
      epochStart: epochStart(state, epochLength),
      steps: parts.compiler?.form,
    }),
    advance: (scheduler) => advanceScheduler(scheduler, collective.worldSize),
    warn,
    moveCursor: async (stream) => {
      await parts.cursor.dispose();
      parts.cursor = newCursor(stream);
    },
    dispose: async () => {
      await parts.cursor.dispose();
      parts.compiler?.dispose();
      parts.validation?.dispose();
      parts.updater.dispose();
      parts.average?.dispose();
      parts.sums.dispose();
      parts.keeper.dispose();
      parts.log.dispose();
      parts.media.dispose();
    },
  };
  return Object.assign(parts, {
    compiler: makeCompiler(subject, parts),
    validation: makeValidationCompiler(subject, parts),
  });
}

function makeLeakGuard(subject: TrainerSubject, parts: () => LoopParts): LeakGuard | undefined {
  const { leak_guard: settings } = subject.settings;
  if (settings === null) return undefined;
  return new LeakGuard(settings, {
    held: () => parts().log.heldTensors + parts().sums.size,
    rss: () => process.memoryUsage.rss(),
    warn: (text) => parts().warn(text),
    onSample: ({ tensors, rss }) => {
      const { log, state } = parts();
      log.add('system/tensors', tensors, state.step, state.epoch);
      log.add('system/rss_bytes', rss, state.step, state.epoch);
    },
  });
}

function checkMonitor(subject: TrainerSubject): void {
  const { early_stop: patience, restore_best: restores, metric_monitor: monitor } = subject.settings;
  if (monitor !== null && subject.val_dataloader !== null) return;
  const lacks = monitor === null ? 'metric_monitor' : 'val_dataloader';
  if (patience !== null) {
    throw new EngineError(
      'trainer.early-stop',
      `early_stop is ${patience}, but there is no ${lacks} to judge by. Add one, or set early_stop: null.`,
      { lacks },
    );
  }
  if (restores) {
    throw new EngineError(
      'trainer.restore-best',
      `restore_best is true, but there is no ${lacks} to say what is best. Add one, or set restore_best: false.`,
      { lacks },
    );
  }
}

async function agreeOnLength(subject: TrainerSubject, shard: Shard): Promise<number | undefined> {
  const own = subject.train_dataloader.passLength(shard);
  return shortestPass(await subject.environment.collective.allGather(own ?? null), shard.worldSize);
}
