import * as tf from '@tensorflow/tfjs';
import { EngineError } from '../api/errors.ts';
import type { NamedParameter, ParameterGroup } from './parameter.ts';

/** Gradients by the names of their parameters. */
export type Gradients = ReadonlyMap<string, tf.Tensor>;

/** What the base class itself does with a gradient before an optimizer sees it. */
export interface GroupOptions {
  readonly weight_decay?: number | undefined;
  readonly maximize?: boolean | undefined;
  readonly decoupled_weight_decay?: boolean | undefined;
  readonly fused?: boolean | null | undefined;
}

/** Whether the weights themselves decay, beside the gradient's update. */
export function decouples(group: GroupOptions): boolean {
  return group.decoupled_weight_decay === true && (group.weight_decay ?? 0) !== 0;
}

/** The numbers of the weight decay at the rate in force; none without decay. */
export function decayScalars(group: ParameterGroup & GroupOptions): Record<string, number> {
  const decay = group.weight_decay ?? 0;
  if (decay === 0) return {};
  if (group.decoupled_weight_decay !== true) return { weight_decay: decay };
  return { keep: 1 - group.lr * decay, lr_weight_decay: group.lr * decay };
}

/** The gradient as the optimizer's rule takes it: turned round to climb, with the decay of the weights added. */
export function effectiveGradient(
  group: GroupOptions,
  parameter: tf.Tensor,
  gradient: tf.Tensor,
  scalars: Readonly<Record<string, tf.Scalar>>,
): tf.Tensor {
  const signed = group.maximize === true ? tf.neg(gradient) : gradient;
  const decay = scalars.weight_decay;
  return decay === undefined ? signed : tf.add(signed, tf.mul(parameter, decay));
}

/** Call it inside `tf.tidy`. */
export function toScalars(numbers: Readonly<Record<string, number>>): Readonly<Record<string, tf.Scalar>> {
  return Object.fromEntries(Object.entries(numbers).map(([key, value]) => [key, tf.scalar(value, 'float32')]));
}

/** A scalar that the rule itself put there. */
export function number(scalars: Readonly<Record<string, tf.Scalar>>, name: string): tf.Scalar {
  const found = scalars[name];
  if (found === undefined) throw new Error(`Internal error: the optimizer computes no '${name}'`);
  return found;
}

export function checkShape({ name, variable }: NamedParameter, gradient: tf.Tensor): void {
  if (tf.util.arraysEqual(variable.shape, gradient.shape)) return;
  throw new EngineError(
    'optim.gradient.shape',
    `The gradient of '${name}' has shape [${gradient.shape}], the parameter [${variable.shape}].`,
    { parameter: name, gradient: gradient.shape, shape: variable.shape },
  );
}

export function noGradient(gradients: Gradients, names: ReadonlySet<string>): EngineError {
  const given = [...gradients.keys()];
  return new EngineError(
    'optim.gradient.none',
    given.length === 0
      ? 'The step got no gradients: the loss does not depend on any trainable parameter.'
      : `None of the ${given.length} gradients (${given.slice(0, 3).join(', ')}…) belongs to a parameter of this optimizer (${[...names].slice(0, 3).join(', ')}…).`,
    { gradients: given.slice(0, 20), parameters: [...names].slice(0, 20) },
  );
}
