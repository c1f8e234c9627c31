import type * as tf from '@tensorflow/tfjs';
import type { PlannedUpdate } from '../../optim/index.ts';
import type { CompiledStep } from './compiledStep.ts';

/** A graph and what it is right for. */
export interface Compiled {
  readonly step: CompiledStep;
  /** The structure of the optimizer's plan that the graph was made for. */
  readonly planKey: string;
  /** The parameters that it has gradients of, in the gradients' place: their shapes are the same. */
  readonly parameters: ReadonlyMap<string, tf.Tensor>;
  /** Whether the step's JavaScript runs each time beside it. */
  readonly isHost: boolean;
  uses: number;
}

export function planKeyOf(plan: readonly PlannedUpdate[]): string {
  return plan.map(({ group, params, scalars }) => `${group}:${params.length}:${Object.keys(scalars).length}`).join();
}
