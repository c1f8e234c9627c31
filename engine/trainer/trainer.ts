import { basename, resolve } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { EngineError } from '../api/errors.ts';
import type { Random } from '../base/random.ts';
import { asLoader, type Loader } from '../data/index.ts';
import type { CheckpointFiles } from './checkpoints/checkpointFiles.ts';
import { folderFiles } from './checkpoints/folderFiles.ts';
import { TrainingStore } from './checkpoints/trainingStore.ts';
import { standaloneEnvironment, type TrainerEnvironment } from './environment.ts';
import type { MetricRecord, TrainerHooks, TrainerSubject } from './hooks.ts';
import { flattenHyperparameters } from './logging/hyperparameters.ts';
import { MediaMethods, type MediaTarget } from './logging/media/mediaMethods.ts';
import { checkMetrics, type MetricValue } from './logging/metricLog.ts';
import { unavailableTrackers } from './logging/trackers/openTrackers.ts';
import { buildParts, type LoopParts } from './loop/loopParts.ts';
import { shareWeights } from './loop/shareWeights.ts';
import { type FitResult, TrainLoop } from './loop/trainLoop.ts';
import { gatherRows } from './loop/validation.ts';
import { installFastGradients } from './model/fastGradients.ts';
import { Module } from './model/module.ts';
import { stepScalar } from './model/stepInputs.ts';
import type { LossLike, OptimizerLike, SchedulerLike } from './ports.ts';
import { readOptimizer, readScheduler } from './settingObjects.ts';
import {
  checkHookNames,
  checkTrainerKeys,
  readSettings,
  type TrainerSettings,
  type TrainerSettingsOptions,
} from './settings.ts';
import type { Checkpointable } from './state/checkpointable.ts';

export type AnyModel = Module<never[], unknown>;

export interface TrainerOptions<Model = AnyModel, Loss = LossLike> extends TrainerSettingsOptions {
  readonly model: Model;
  readonly optimizer: OptimizerLike;
  readonly lr_scheduler?: SchedulerLike | null;
  readonly loss_fn: Loss;
  readonly train_dataloader: unknown;
  readonly val_dataloader?: unknown;
}

/**
 * Base of a project's trainers, with AccelHydra's hooks, keys and order of an epoch. A subclass implements
 * `training_step` and `validation_step`; the trainer does the rest: gradients, accumulation, averaging over processes,
 * clipping, schedule, logging, validation, checkpoints, early stop, resume.
 *
 * Type parameters: the batch that the loader gives, the model, the loss.
 */
export abstract class Trainer<Batch = unknown, Model extends AnyModel = Module, Loss = LossLike>
  extends MediaMethods
  implements TrainerHooks<Batch>, TrainerSubject<Batch>
{
  /** Names of a subclass's own options, where they resemble one of Trainer's. */
  static readonly options: readonly string[] = [];

  readonly settings: TrainerSettings;
  readonly model: Model;
  readonly optimizer: OptimizerLike;
  readonly lr_scheduler: SchedulerLike | null;
  readonly loss_fn: Loss;
  readonly train_dataloader: Loader;
  readonly val_dataloader: Loader | null;
  #environment: TrainerEnvironment = standaloneEnvironment();
  #files: CheckpointFiles = folderFiles;
  #parts: LoopParts | undefined;

  constructor(options: TrainerOptions<Model, Loss>) {
    super();
    checkTrainerKeys(new.target.name, options, new.target.options);
    checkHookNames(this, Trainer.prototype);
    this.settings = readSettings(new.target.name, options);
    if (!(options.model instanceof Module)) {
      throw new EngineError('trainer.option', `${new.target.name}: 'model' must be a Module.`, { key: 'model' });
    }
    this.model = options.model;
    this.optimizer = readOptimizer(new.target.name, options.optimizer);
    this.lr_scheduler = readScheduler(new.target.name, options.lr_scheduler);
    this.loss_fn = options.loss_fn;
    this.train_dataloader = asLoader(options.train_dataloader, 'train_dataloader');
    this.val_dataloader = options.val_dataloader == null ? null : asLoader(options.val_dataloader, 'val_dataloader');
  }

  /** The loss of one micro-batch, a scalar; gradients are taken of it. Must not be asynchronous. */
  abstract training_step(batch: Batch, batch_idx: number): tf.Tensor;

  /** Looks at one validation batch; hand what it finds to `accumulate`, or keep it in a field. */
  abstract validation_step(batch: Batch, batch_idx: number): void | Promise<void>;

  on_train_start(): void | Promise<void> {
    return undefined;
  }

  on_train_end(): void | Promise<void> {
    return undefined;
  }

  on_train_epoch_start(): void | Promise<void> {
    return undefined;
  }

  on_train_epoch_end(): void | Promise<void> {
    return undefined;
  }

  on_validation_start(): void | Promise<void> {
    return undefined;
  }

  on_validation_end(): void | Promise<void> {
    return undefined;
  }

  /** Validation metrics for the monitor and the record; by default the means of what was accumulated. */
  get_val_metrics(): MetricRecord | Promise<MetricRecord> {
    return this.accumulated;
  }

  /** Objects of the project's that checkpoints include. */
  get checkpoint_objects(): readonly Checkpointable[] {
    return [];
  }

  /** Epochs completed. */
  get epoch(): number {
    this.#parts?.sink?.looks('this.epoch');
    return this.#parts?.state.epoch ?? 0;
  }

  /** Micro-batches done since the start of the run. */
  get step(): number {
    const sink = this.#parts?.sink;
    sink?.looks('this.step');
    return (this.#parts?.state.step ?? 0) + (sink?.ahead ?? 0);
  }

  /** Steps of an epoch; known once training has begun. */
  get epoch_length(): number | null {
    return this.#parts?.epochLength ?? this.settings.epoch_length;
  }

  get project_dir(): string {
    return this.settings.project_dir;
  }

  get rank(): number {
    return this.#environment.collective.rank;
  }

  get world_size(): number {
    return this.#environment.collective.worldSize;
  }

  get is_main_process(): boolean {
    return this.rank === 0;
  }

  /** Random numbers for hooks; saved with checkpoints, a stream of its own for each rank. */
  get random(): Random {
    const { random, sink } = this.#running('random');
    sink?.looks('this.random');
    return random;
  }

  /** Means over the whole validation set of what validation_step gave to `accumulate`; complete in on_validation_end. */
  get accumulated(): Readonly<Record<string, number>> {
    return this.#parts?.accumulated ?? {};
  }

  get environment(): TrainerEnvironment {
    return this.#environment;
  }

  /** Gives the trainer its surroundings; called once, before `fit`, by whoever runs it. */
  attach(environment: TrainerEnvironment): this {
    this.#environment = environment;
    return this;
  }

  /** Records metrics at the current step, rank 0's. In training_step they are taken when logging is due, or `always`. */
  log(values: Readonly<Record<string, MetricValue>>, options: { readonly always?: boolean } = {}): void {
    const parts = this.#running('log');
    checkMetrics('log', values);
    const isAlways = options.always === true;
    parts.sink?.log(values, isAlways);
    if (parts.sink !== undefined || !(parts.isLogging || isAlways)) return;
    for (const [key, value] of Object.entries(values)) parts.log.add(key, value, parts.state.step, parts.state.epoch);
  }

  /**
   * In training_step: a scalar on the device for a number that differs from step to step (a weight of a loss that grows
   * with this.step, say). A compiled step asks for it anew each time.
   */
  step_value(compute: () => number): tf.Scalar {
    const parts = this.#running('step_value');
    const unheard = (): number => {
      const { sink } = parts;
      parts.sink = undefined;
      try {
        return compute();
      } finally {
        parts.sink = sink;
      }
    };
    return stepScalar(unheard);
  }

  /** A line for the run's log, from rank 0. */
  print(text: string): void {
    if (!this.is_main_process) return;
    const { reporter, clock } = this.#environment;
    const print = () => reporter.report({ type: 'log', level: 'info', text, time: clock.now() });
    const sink = this.#parts?.sink;
    if (sink === undefined) print();
    else sink.print(print);
  }

  /**
   * In validation_step: adds means over this batch's samples to the means over the validation set. Samples that only
   * keep the ranks in step do not count.
   */
  accumulate(values: Readonly<Record<string, number | tf.Tensor>>, count?: number): void {
    const parts = this.#running('accumulate');
    checkMetrics('accumulate', values);
    if (parts.sink !== undefined) {
      parts.sink.accumulate(values, count);
      return;
    }
    if (parts.realSamples > 0) parts.sums.add(values, count ?? parts.realSamples);
  }

  /** In validation_step: the rows of all ranks, duplicates left out, in rank order. Every rank must call it. */
  async gather_for_metrics<T extends Readonly<Record<string, tf.Tensor>>>(
    values: T,
  ): Promise<{ [K in keyof T]: tf.Tensor }>;
  async gather_for_metrics(values: tf.Tensor): Promise<tf.Tensor>;
  async gather_for_metrics(
    values: tf.Tensor | Readonly<Record<string, tf.Tensor>>,
  ): Promise<tf.Tensor | Record<string, tf.Tensor>> {
    const { collective } = this.#environment;
    if (collective.worldSize === 1) return values instanceof tf.Tensor ? values : { ...values };
    const { realSamples } = this.#running('gather_for_metrics');
    if (!(values instanceof tf.Tensor)) return gatherRows(values, realSamples, collective);
    const { rows } = await gatherRows({ rows: values }, realSamples, collective);
    return rows ?? values;
  }

  /** Another place for checkpoints than folders on the disk. */
  storeCheckpointsIn(files: CheckpointFiles): this {
    this.#files = files;
    return this;
  }

  /**
   * Trains to the end, to an early stop or to the stop signal. Throws what went wrong in a hook (with rank, epoch, step
   * and hook named), in the data, or while going on from a checkpoint; checkpoints written before stay.
   */
  async fit(): Promise<FitResult> {
    const { reporter } = this.#environment;
    installFastGradients();
    // the user's line lies below many of the tensor API's
    Error.stackTraceLimit = Math.max(Error.stackTraceLimit, 60);
    const parts = await buildParts(this);
    this.#parts = parts;
    let isWhole = false;
    try {
      const store = new TrainingStore(this, this.#files);
      await this.#begin(parts, store);
      const result = await new TrainLoop(this, parts, store).run();
      isWhole = true;
      return result;
    } finally {
      try {
        await parts.log.flush();
      } finally {
        await parts.media.flush();
        parts.trackers.end(isWhole ? 'completed' : 'failed');
        await parts.dispose();
        await this.train_dataloader.dispose?.();
        await this.val_dataloader?.dispose?.();
        await reporter.flush();
      }
    }
  }

  async #begin(parts: LoopParts, store: TrainingStore): Promise<void> {
    const { collective, reporter, hyperparameters, resumeFrom, seed } = this.#environment;
    this.train_dataloader.setDefaultSeed?.(seed);
    this.val_dataloader?.setDefaultSeed?.(seed);
    const checkpoint = await store.findStart(resumeFrom ?? this.settings.resume_from_checkpoint, parts);
    if (checkpoint === null) await shareWeights(this.model, collective);
    else await store.load(checkpoint, parts);
    await store.setLaterAside(parts);
    if (checkpoint !== null) await parts.media.dropLater(parts.state.step);
    parts.average?.begin();
    this.#listenToLoaders(parts);
    if (collective.rank !== 0) return;
    const values = flattenHyperparameters(hyperparameters ?? {});
    if (hyperparameters !== undefined) reporter.report({ type: 'hyperparameters', values });
    const { logging_config: logging, metric_monitor: monitor } = this.settings;
    parts.trackers.begin({
      hyperparameters: values,
      name: logging?.name ?? basename(resolve(this.#environment.runDir ?? this.project_dir)),
      step: parts.state.step,
      monitor: monitor === null ? undefined : `val/${monitor.metric_name}`,
    });
    const unavailable = unavailableTrackers(logging);
    if (unavailable !== undefined) parts.warn(unavailable);
    parts.meter.report(parts.position());
  }

  #listenToLoaders(parts: LoopParts): void {
    const loaders = { train_dataloader: this.train_dataloader, val_dataloader: this.val_dataloader };
    for (const [name, loader] of Object.entries(loaders)) {
      if (name === 'val_dataloader' && loader?.length === 0) throw emptyValidation();
      loader?.setNoteSink?.((text) => parts.warn(`${name}: ${text}`));
      if (this.is_main_process) for (const note of loader?.notes ?? []) parts.warn(`${name}: ${note}`, 'info');
    }
  }

  protected override mediaTarget(method: string): MediaTarget {
    this.#parts?.sink?.looks(`what ${method} logs`);
    this.#parts?.sink?.refuse(`it logs media with ${method}`);
    return this.#running(method);
  }

  #running(what: string): LoopParts {
    if (this.#parts !== undefined) return this.#parts;
    throw new EngineError('trainer.not-running', `${what} can be used in hooks, while fit() runs.`, { what });
  }
}

function emptyValidation(): EngineError {
  return new EngineError(
    'trainer.loader.empty',
    `The validation loader gives no batch: its dataset is empty, or smaller than batch_size with drop_last: true. Correct it, or set val_dataloader: null.`,
    {},
  );
}
