import * as tf from '@tensorflow/tfjs';
import { z } from 'zod';
import { number } from '../gradients.ts';
import { defineOptimizer, Optimizer } from '../optimizer.ts';
import { refuseOptions } from '../options.ts';
import type { NamedParameter, ParameterGroup } from '../parameter.ts';
import type { UpdateRule } from '../updateRule.ts';
import { commonOptions, slot } from './shared.ts';

const schema = z.object({
  ...commonOptions({ lr: 1e-3 }),
  momentum: z.number().nonnegative().default(0).describe('momentum factor'),
  dampening: z.number().default(0).describe('dampening of the momentum'),
  nesterov: z.boolean().default(false).describe('Nesterov momentum'),
});

export type SgdOptions = z.input<typeof schema>;
export type SgdGroup = ParameterGroup & Omit<z.output<typeof schema>, 'param_groups'>;

const rule: UpdateRule<SgdGroup> = {
  slots: (group) => (group.momentum === 0 ? [] : [{ name: 'momentum_buffer', fill: 0 }]),
  // The buffer starts as the first gradient itself, undamped.
  scalars: (group, { step }) => ({
    lr: group.lr,
    momentum: group.momentum,
    gradient_weight: step === 1 ? 1 : 1 - group.dampening,
  }),
  apply(group, { parameter, gradient, slots, scalars }) {
    const lr = number(scalars, 'lr');
    if (group.momentum === 0) return { parameter: tf.sub(parameter, tf.mul(gradient, lr)), slots: {} };
    const momentum = number(scalars, 'momentum');
    const added = group.dampening === 0 ? gradient : tf.mul(gradient, number(scalars, 'gradient_weight'));
    const buffer = tf.add(tf.mul(slot(slots, 'momentum_buffer'), momentum), added);
    const direction = group.nesterov ? tf.add(gradient, tf.mul(buffer, momentum)) : buffer;
    return { parameter: tf.sub(parameter, tf.mul(direction, lr)), slots: { momentum_buffer: buffer } };
  },
  fused(group) {
    if (group.momentum === 0) {
      return [{ name: 'ResourceApplyGradientDescent', inputs: ['parameter', 'lr', 'gradient'] }];
    }
    if (group.dampening !== 0) return undefined;
    const inputs = ['parameter', 'momentum_buffer', 'lr', 'gradient', 'momentum'];
    return [{ name: 'ResourceApplyMomentum', inputs, flags: { use_nesterov: group.nesterov } }];
  },
};

const definition = defineOptimizer(
  'SGD',
  schema,
  ({ param_groups: _groups, ...options }, params): SgdGroup => {
    if (options.nesterov && (options.momentum <= 0 || options.dampening !== 0)) {
      refuseOptions('accelhydra.optim.SGD', 'nesterov needs a momentum above 0 and dampening 0.', {
        option: 'nesterov',
      });
    }
    return { ...options, params };
  },
  rule,
);

/** Stochastic gradient descent with momentum (torch.optim.SGD). State: `momentum_buffer`. */
export class SGD extends Optimizer<SgdGroup> {
  static readonly optionsSchema = schema;

  constructor(parameters: readonly NamedParameter[], options: SgdOptions = {}) {
    super(parameters, options, definition);
  }
}
