import type * as tf from '@tensorflow/tfjs';
import type { LearningRateScheduler, SavedOptimizer, SchedulableOptimizer } from '../optim/index.ts';

/** The parts of an optimizer that the loop uses; engine/optim's have more, a project's own need no more. */
export interface OptimizerLike extends SchedulableOptimizer {
  step(gradients: ReadonlyMap<string, tf.Tensor>): void;
  stateDict(): SavedOptimizer<tf.Tensor>;
  loadStateDict(state: SavedOptimizer<tf.Tensor>): void;
  /** Throws what `loadStateDict` would throw, before there is anything to load. */
  checkStateDict?(state: SavedOptimizer<{ readonly shape: readonly number[] }>): unknown;
}

export type SchedulerLike = LearningRateScheduler;

/** A loss: an object with `call`, as PyTorch's modules are. */
export interface LossLike {
  call(...inputs: tf.Tensor[]): tf.Tensor;
}
