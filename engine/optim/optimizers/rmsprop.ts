import * as tf from '@tensorflow/tfjs';
import { z } from 'zod';
import { number } from '../gradients.ts';
import { defineOptimizer, Optimizer } from '../optimizer.ts';
import type { NamedParameter, ParameterGroup } from '../parameter.ts';
import type { UpdateRule } from '../updateRule.ts';
import { commonOptions, decaySquare, epsilon, lerp, slot } from './shared.ts';

const schema = z.object({
  ...commonOptions({ lr: 1e-2 }),
  alpha: z.number().nonnegative().default(0.99).describe('smoothing of the average of the squared gradient'),
  eps: epsilon(1e-8),
  momentum: z.number().nonnegative().default(0).describe('momentum factor'),
  centered: z.boolean().default(false).describe('normalise by an estimate of the variance'),
});

export type RmspropOptions = z.input<typeof schema>;
export type RmspropGroup = ParameterGroup & Omit<z.output<typeof schema>, 'param_groups'>;

/** TensorFlow's fused RMSProp adds eps under the root and so gives other results: there is no fused path. */
const rule: UpdateRule<RmspropGroup> = {
  slots: (group) => [
    { name: 'square_avg', fill: 0 },
    ...(group.momentum > 0 ? [{ name: 'momentum_buffer', fill: 0 }] : []),
    ...(group.centered ? [{ name: 'grad_avg', fill: 0 }] : []),
  ],
  scalars: (group) => ({
    lr: group.lr,
    alpha: group.alpha,
    gradient_weight: 1 - group.alpha,
    epsilon: group.eps,
    momentum: group.momentum,
  }),
  apply(group, { parameter, gradient, slots, scalars }) {
    const lr = number(scalars, 'lr');
    const weight = number(scalars, 'gradient_weight');
    const square = decaySquare(slot(slots, 'square_avg'), gradient, number(scalars, 'alpha'), weight);
    const mean = group.centered ? lerp(slot(slots, 'grad_avg'), gradient, weight) : undefined;
    const variance = mean === undefined ? square : tf.sub(square, tf.square(mean));
    const direction = tf.div(gradient, tf.add(tf.sqrt(variance), number(scalars, 'epsilon')));
    const centred = mean === undefined ? {} : { grad_avg: mean };
    if (group.momentum === 0) {
      const moved = tf.sub(parameter, tf.mul(direction, lr));
      return { parameter: moved, slots: { square_avg: square, ...centred } };
    }
    const buffer = tf.add(tf.mul(slot(slots, 'momentum_buffer'), number(scalars, 'momentum')), direction);
    return {
      parameter: tf.sub(parameter, tf.mul(buffer, lr)),
      slots: { square_avg: square, momentum_buffer: buffer, ...centred },
    };
  },
};

const definition = defineOptimizer(
  'RMSprop',
  schema,
  ({ param_groups: _groups, ...options }, params): RmspropGroup => ({ ...options, params }),
  rule,
);

/** RMSprop (torch.optim.RMSprop). State: `square_avg`, with momentum `momentum_buffer`, centered `grad_avg`. */
export class RMSprop extends Optimizer<RmspropGroup> {
  static readonly optionsSchema = schema;

  constructor(parameters: readonly NamedParameter[], options: RmspropOptions = {}) {
    super(parameters, options, definition);
  }
}
