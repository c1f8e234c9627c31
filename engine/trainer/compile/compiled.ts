import type * as tf from '@tensorflow/tfjs';
import type { Obstacle } from '../../backend/graph/index.ts';
import type { PlannedUpdate } from '../../optim/index.ts';
import type { CompiledStep } from './compiledStep.ts';

/** A graph and what it is right for. */
export interface Compiled {
  readonly step: CompiledStep;
  /** The optimizer's plan that the graph was made for: others of the same structure do. */
  readonly plan: readonly PlannedUpdate[];
  /** The parameters that it has gradients of, in the gradients' place: their shapes are the same. */
  readonly parameters: ReadonlyMap<string, tf.Tensor>;
  /** Whether the step's JavaScript runs each time beside it. */
  readonly isHost: boolean;
  /** What was seen of the step that needs it; undefined where only its text, or earlier steps, show it. */
  readonly hostWhy: Obstacle | undefined;
  uses: number;
  /** Whether it has run once, waited for: one that TensorFlow cannot run at all is left before anything depends on it. */
  isProven: boolean;
}

export function samePlan(a: readonly PlannedUpdate[], b: readonly PlannedUpdate[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (!sameUpdate(a[i], b[i])) return false;
  return true;
}

function sameUpdate(a: PlannedUpdate | undefined, b: PlannedUpdate | undefined): boolean {
  if (a === undefined || b === undefined || a.group !== b.group || a.params.length !== b.params.length) return false;
  return Object.keys(a.scalars).length === Object.keys(b.scalars).length;
}
