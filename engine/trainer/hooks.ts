import type * as tf from '@tensorflow/tfjs';
import type { Loader } from '../data/index.ts';
import type { TrainerEnvironment } from './environment.ts';
import type { Module } from './model/module.ts';
import type { OptimizerLike, SchedulerLike } from './ports.ts';
import type { TrainerSettings } from './settings.ts';
import type { Checkpointable } from './state/checkpointable.ts';

export type MetricRecord = Readonly<Record<string, number | tf.Scalar>>;

/** The hooks, in the order in which an epoch calls them. All but training_step may be asynchronous. */
export interface TrainerHooks<Batch> {
  on_train_start(): void | Promise<void>;
  on_train_epoch_start(): void | Promise<void>;
  training_step(batch: Batch, batch_idx: number): tf.Tensor;
  on_validation_start(): void | Promise<void>;
  validation_step(batch: Batch, batch_idx: number): void | Promise<void>;
  on_validation_end(): void | Promise<void>;
  get_val_metrics(): MetricRecord | Promise<MetricRecord>;
  on_train_epoch_end(): void | Promise<void>;
  on_train_end(): void | Promise<void>;
}

/** A trainer as the loop sees it. */
export interface TrainerSubject<Batch = unknown> extends TrainerHooks<Batch> {
  readonly settings: TrainerSettings;
  readonly environment: TrainerEnvironment;
  readonly model: Module<never[], unknown>;
  readonly optimizer: OptimizerLike;
  readonly lr_scheduler: SchedulerLike | null;
  readonly train_dataloader: Loader;
  readonly val_dataloader: Loader | null;
  readonly checkpoint_objects: readonly Checkpointable[];
}
