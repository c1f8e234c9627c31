import * as tf from '@tensorflow/tfjs';
import { z } from 'zod';
import type { ParameterGroupRequest } from '../parameter.ts';
import { isGroupBuilder, type ParameterGroupBuilder } from '../parameterGroups.ts';

const nonNegative = z.number().nonnegative();

/** `low ≤ value < 1`, the range of decay rates. */
const decayRate = z.number().min(0).lt(1);

export const betas = z.tuple([decayRate, decayRate]);

/** Options that PyTorch has for its own machinery. Accepted so that configs run unchanged; they change no result here. */
const speedHints = {
  foreach: z.boolean().nullish().describe('accepted and without effect'),
  capturable: z.boolean().optional().describe('accepted and without effect'),
  differentiable: z
    .literal(false, 'differentiating through the optimizer is not possible here; leave it out')
    .optional(),
};

/** The options all optimizers share, with this optimizer's default learning rate and weight decay. */
export function commonOptions(defaults: { readonly lr: number; readonly weight_decay?: number }) {
  return {
    lr: nonNegative.default(defaults.lr).describe('learning rate'),
    weight_decay: nonNegative.default(defaults.weight_decay ?? 0).describe('weight decay'),
    maximize: z.boolean().default(false).describe('climb the objective instead of descending'),
    fused: z
      .boolean()
      .nullish()
      .describe("use TensorFlow's fused operations: null where possible, false never, true or fail"),
    ...speedHints,
    param_groups: z
      .union([
        z.array(
          z.custom<ParameterGroupRequest>((value) => typeof value === 'object' && value !== null && 'params' in value),
        ),
        z.custom<ParameterGroupBuilder>(isGroupBuilder, 'it must be a list of groups, or an object that makes them'),
      ])
      .optional()
      .describe(
        'groups of parameters with options of their own: [{ params: ["*.bias"], weight_decay: 0 }], or what makes them: accelhydra.optim.NoWeightDecay, LayerwiseLRDecay',
      ),
  };
}

export const epsilon = (value: number) => nonNegative.default(value).describe('added to a denominator for stability');

export const decoupled = z.boolean().default(false).describe('decay the weights themselves instead of the gradients');

/** `old + (target - old) * weight`, PyTorch's `lerp`. */
export function lerp(old: tf.Tensor, target: tf.Tensor, weight: tf.Scalar): tf.Tensor {
  return tf.add(old, tf.mul(tf.sub(target, old), weight));
}

/** `old * decay + gradient² * weight`. */
export function decaySquare(old: tf.Tensor, gradient: tf.Tensor, decay: tf.Scalar, weight: tf.Scalar): tf.Tensor {
  return tf.add(tf.mul(old, decay), tf.mul(tf.square(gradient), weight));
}

/** A slot that the rule itself declared. */
export function slot(slots: Readonly<Record<string, tf.Tensor>>, name: string): tf.Tensor {
  const found = slots[name];
  if (found === undefined) throw new Error(`Internal error: the optimizer keeps no '${name}'`);
  return found;
}
