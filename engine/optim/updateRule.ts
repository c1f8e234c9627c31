import type * as tf from '@tensorflow/tfjs';
import type { ParameterGroup } from './parameter.ts';

/** What an optimizer counts per parameter on the host: `step` (updates done), and a product where one needs it. */
export type HostState = Readonly<Record<string, number>> & { readonly step: number };

/** A state tensor of the parameter's shape; `fill` is its value before the first update. */
export interface StateSlot {
  readonly name: string;
  readonly fill: number;
}

export interface UpdateInputs {
  readonly parameter: tf.Tensor;
  /** After `maximize` and, where not decoupled, weight decay. */
  readonly gradient: tf.Tensor;
  readonly slots: Readonly<Record<string, tf.Tensor>>;
  readonly scalars: Readonly<Record<string, tf.Scalar>>;
}

export interface UpdateOutputs {
  readonly parameter: tf.Tensor;
  readonly slots: Readonly<Record<string, tf.Tensor>>;
}

/**
 * A TensorFlow op that updates resource variables in place. `inputs` name them in the op's own order: `parameter`,
 * `gradient`, `value` (the parameter's value before the step), a slot, or a scalar.
 */
export interface FusedOperation {
  readonly name: string;
  readonly inputs: readonly string[];
  readonly flags?: Readonly<Record<string, boolean>>;
}

/**
 * One optimizer's arithmetic. All numbers that change from step to step come through `scalars`, so that a step recorded
 * once can be replayed with others; the shape of the computation depends only on the group's fixed options.
 */
export interface UpdateRule<G extends ParameterGroup> {
  slots(group: G): readonly StateSlot[];
  /** Host counters after one more update; by default `step` grows by one. */
  advance?(group: G, host: HostState): HostState;
  /**
   * The numbers of this update; `host` already counts it. Computed in double precision, as PyTorch does.
   * @param isFused whether the fused operations take them, which may round other numbers to float32 than `apply`
   */
  scalars(group: G, host: HostState, isFused: boolean): Readonly<Record<string, number>>;
  /** The update as tensor operations, for every backend. Pure. */
  apply(group: G, inputs: UpdateInputs): UpdateOutputs;
  /** The same update as native fused operations, or undefined when TensorFlow has none with this result. */
  fused?(group: G): readonly FusedOperation[] | undefined;
}
