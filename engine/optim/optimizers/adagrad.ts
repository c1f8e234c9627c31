import * as tf from '@tensorflow/tfjs';
import { z } from 'zod';
import { number } from '../gradients.ts';
import { defineOptimizer, Optimizer } from '../optimizer.ts';
import type { NamedParameter, ParameterGroup } from '../parameter.ts';
import type { UpdateRule } from '../updateRule.ts';
import { commonOptions, decaySquare, epsilon, slot } from './shared.ts';

const adagradSchema = z.object({
  ...commonOptions({ lr: 1e-2 }),
  lr_decay: z.number().nonnegative().default(0).describe('learning rate decay per update'),
  initial_accumulator_value: z.number().nonnegative().default(0).describe('start of the sum of squares'),
  eps: epsilon(1e-10),
});
const adadeltaSchema = z.object({
  ...commonOptions({ lr: 1.0 }),
  rho: z.number().min(0).max(1).default(0.9).describe('decay of the averages'),
  eps: epsilon(1e-6),
});

export type AdagradOptions = z.input<typeof adagradSchema>;
export type AdadeltaOptions = z.input<typeof adadeltaSchema>;
export type AdagradGroup = ParameterGroup & Omit<z.output<typeof adagradSchema>, 'param_groups'>;
export type AdadeltaGroup = ParameterGroup & Omit<z.output<typeof adadeltaSchema>, 'param_groups'>;

const adagradRule: UpdateRule<AdagradGroup> = {
  slots: (group) => [{ name: 'sum', fill: group.initial_accumulator_value }],
  scalars: (group, { step }) => ({ rate: group.lr / (1 + (step - 1) * group.lr_decay), epsilon: group.eps }),
  apply(_group, { parameter, gradient, slots, scalars }) {
    const sum = tf.add(slot(slots, 'sum'), tf.square(gradient));
    const change = tf.div(tf.mul(gradient, number(scalars, 'rate')), tf.add(tf.sqrt(sum), number(scalars, 'epsilon')));
    return { parameter: tf.sub(parameter, change), slots: { sum } };
  },
  fused: () => [
    {
      name: 'ResourceApplyAdagradV2',
      inputs: ['parameter', 'sum', 'rate', 'epsilon', 'gradient'],
      flags: { update_slots: true },
    },
  ],
};

const adadeltaRule: UpdateRule<AdadeltaGroup> = {
  slots: () => [
    { name: 'square_avg', fill: 0 },
    { name: 'acc_delta', fill: 0 },
  ],
  scalars: (group) => ({ lr: group.lr, rho: group.rho, weight: 1 - group.rho, epsilon: group.eps }),
  apply(_group, { parameter, gradient, slots, scalars }) {
    const rho = number(scalars, 'rho');
    const weight = number(scalars, 'weight');
    const epsilon = number(scalars, 'epsilon');
    const square = decaySquare(slot(slots, 'square_avg'), gradient, rho, weight);
    const before = slot(slots, 'acc_delta');
    const delta = tf.mul(tf.div(tf.sqrt(tf.add(before, epsilon)), tf.sqrt(tf.add(square, epsilon))), gradient);
    return {
      parameter: tf.sub(parameter, tf.mul(delta, number(scalars, 'lr'))),
      slots: { square_avg: square, acc_delta: decaySquare(before, delta, rho, weight) },
    };
  },
  fused: () => [
    {
      name: 'ResourceApplyAdadelta',
      inputs: ['parameter', 'square_avg', 'acc_delta', 'lr', 'rho', 'epsilon', 'gradient'],
    },
  ],
};

const adagrad = defineOptimizer(
  'Adagrad',
  adagradSchema,
  ({ param_groups: _groups, ...options }, params): AdagradGroup => ({ ...options, params }),
  adagradRule,
);

const adadelta = defineOptimizer(
  'Adadelta',
  adadeltaSchema,
  ({ param_groups: _groups, ...options }, params): AdadeltaGroup => ({ ...options, params }),
  adadeltaRule,
);

/** Adagrad (torch.optim.Adagrad). State: `sum`. */
export class Adagrad extends Optimizer<AdagradGroup> {
  static readonly optionsSchema = adagradSchema;

  constructor(parameters: readonly NamedParameter[], options: AdagradOptions = {}) {
    super(parameters, options, adagrad);
  }
}

/** Adadelta (torch.optim.Adadelta). State: `square_avg`, `acc_delta`. */
export class Adadelta extends Optimizer<AdadeltaGroup> {
  static readonly optionsSchema = adadeltaSchema;

  constructor(parameters: readonly NamedParameter[], options: AdadeltaOptions = {}) {
    super(parameters, options, adadelta);
  }
}
