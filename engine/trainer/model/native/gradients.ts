import * as tf from '@tensorflow/tfjs';
import { EngineError } from '../../../api/errors.ts';

/** Whether the current backend has a kernel of that name (ours are registered with the native backend only). */
export function hasKernel(name: string): boolean {
  return tf.getKernel(name, tf.getBackend()) !== undefined;
}

/** Runs a kernel with one output through the gradient tape. */
export function runKernel(name: string, inputs: tf.NamedTensorMap, attributes: tf.NamedAttrMap = {}): tf.Tensor {
  const output = tf.engine().runKernel(name, inputs, attributes);
  if (output instanceof tf.Tensor) return output;
  throw new Error(`Internal error: ${name} gave several outputs`);
}

type Gradient = Parameters<typeof tf.registerGradient>[0];

/** Registers a gradient unless one of that name is there. */
export function addGradient(gradient: Gradient): void {
  if (tf.getGradient(gradient.kernelName) === undefined) tf.registerGradient(gradient);
}

/** The gradient that a kernel with one output is called with. */
export function only(dy: tf.Tensor | tf.Tensor[]): tf.Tensor {
  const first = Array.isArray(dy) ? dy[0] : dy;
  if (first === undefined) throw new Error('Internal error: a gradient function without a gradient');
  return first;
}

export interface FusedFunction {
  /** For messages, e.g. `LayerNorm`. */
  readonly name: string;
  /** Computes the value; `save` keeps tensors for the backward pass. */
  forward(inputs: readonly tf.Tensor[], save: (tensors: tf.Tensor[]) => void): tf.Tensor;
  /** A gradient for each input. */
  backward(dy: tf.Tensor, saved: readonly tf.Tensor[]): tf.Tensor[];
}

/**
 * A function made of native ops that the gradient tape does not see into. It has a first derivative; asking for a second
 * one is an error rather than a wrong number. Throws `model.second-derivative` then.
 */
export function fused(definition: FusedFunction, inputs: readonly tf.Tensor[]): tf.Tensor {
  return tf.customGrad((...args) => {
    const save = args.at(-1);
    if (typeof save !== 'function') throw new Error('Internal error: unexpected arguments');
    return {
      value: definition.forward(args.slice(0, -1) as tf.Tensor[], save as (tensors: tf.Tensor[]) => void),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => firstDerivative(definition, dy, saved),
    };
  })(...inputs);
}

function firstDerivative({ name, backward }: FusedFunction, dy: tf.Tensor, saved: readonly tf.Tensor[]): tf.Tensor[] {
  const gradients = backward(dy, saved);
  // without an outer tape nobody can ask for a second derivative
  if (!tf.engine().isTapeOn()) return gradients;
  return gradients.map((gradient) =>
    tf.customGrad(() => ({ value: gradient.clone(), gradFunc: () => refuseSecondDerivative(name) }))(dy, ...saved),
  );
}

function refuseSecondDerivative(name: string): never {
  throw new EngineError(
    'model.second-derivative',
    `${name} has no second derivative on the native backend. Give the layer 'fused: false' to compute it from single operations, which have one.`,
    { name },
  );
}
