import type * as tf from '@tensorflow/tfjs';
import type { LearningRateScheduler, SchedulableOptimizer } from '../optim/index.ts';

/** The parts of an optimizer that the loop uses; engine/optim's have more, a project's own need no more. */
export interface OptimizerLike extends SchedulableOptimizer {
  step(gradients: ReadonlyMap<string, tf.Tensor>): void;
  stateDict(): { readonly tensors: ReadonlyMap<string, tf.Tensor>; readonly scalars: unknown };
  loadStateDict(state: { readonly tensors: ReadonlyMap<string, tf.Tensor>; readonly scalars: unknown }): void;
}

export type SchedulerLike = LearningRateScheduler;

/** A loss: an object with `call`, as PyTorch's modules are. */
export interface LossLike {
  call(...inputs: tf.Tensor[]): tf.Tensor;
}
