import * as tf from '@tensorflow/tfjs';
import { z } from 'zod';
import { number } from '../gradients.ts';
import { defineOptimizer, Optimizer } from '../optimizer.ts';
import type { NamedParameter, ParameterGroup } from '../parameter.ts';
import type { HostState, UpdateRule } from '../updateRule.ts';
import { betas, commonOptions, decaySquare, decoupled, epsilon, lerp, slot } from './shared.ts';

const averages = {
  betas: betas.default([0.9, 0.999]).describe('decay rates of the averages of the gradient and of its square'),
  eps: epsilon(1e-8),
};
const adamaxSchema = z.object({ ...commonOptions({ lr: 2e-3 }), ...averages });
const radamSchema = z.object({ ...commonOptions({ lr: 1e-3 }), ...averages, decoupled_weight_decay: decoupled });
const nadamSchema = z.object({
  ...commonOptions({ lr: 2e-3 }),
  ...averages,
  momentum_decay: z.number().nonnegative().default(4e-3).describe('decay of the momentum schedule'),
  decoupled_weight_decay: decoupled,
});

export type AdamaxOptions = z.input<typeof adamaxSchema>;
export type RadamOptions = z.input<typeof radamSchema>;
export type NadamOptions = z.input<typeof nadamSchema>;
export type AdamaxGroup = ParameterGroup & Omit<z.output<typeof adamaxSchema>, 'param_groups'>;
export type RadamGroup = ParameterGroup & Omit<z.output<typeof radamSchema>, 'param_groups'>;
export type NadamGroup = ParameterGroup & Omit<z.output<typeof nadamSchema>, 'param_groups'>;

const adamSlots = [
  { name: 'exp_avg', fill: 0 },
  { name: 'exp_avg_sq', fill: 0 },
];

/** Adam with the infinity norm. TensorFlow's kernel places eps elsewhere, so there is no fused path. */
const adamaxRule: UpdateRule<AdamaxGroup> = {
  slots: () => [
    { name: 'exp_avg', fill: 0 },
    { name: 'exp_inf', fill: 0 },
  ],
  scalars: (group, { step }) => ({
    rate: group.lr / (1 - group.betas[0] ** step),
    gradient_weight: 1 - group.betas[0],
    beta2: group.betas[1],
    epsilon: group.eps,
  }),
  apply(_group, { parameter, gradient, slots, scalars }) {
    const average = lerp(slot(slots, 'exp_avg'), gradient, number(scalars, 'gradient_weight'));
    const decayed = tf.mul(slot(slots, 'exp_inf'), number(scalars, 'beta2'));
    const norm = tf.maximum(decayed, tf.add(tf.abs(gradient), number(scalars, 'epsilon')));
    const change = tf.div(tf.mul(average, number(scalars, 'rate')), norm);
    return { parameter: tf.sub(parameter, change), slots: { exp_avg: average, exp_inf: norm } };
  },
};

function momentumAt(group: NadamGroup, step: number): number {
  return group.betas[0] * (1 - 0.5 * 0.96 ** (step * group.momentum_decay));
}

/** Dozat, "Incorporating Nesterov momentum into Adam" (2016), with PyTorch's momentum schedule. */
const nadamRule: UpdateRule<NadamGroup> = {
  slots: () => adamSlots,
  advance(group, host): HostState {
    const step = host.step + 1;
    // PyTorch keeps the product in float32.
    return { step, mu_product: Math.fround((host.mu_product ?? 1) * Math.fround(momentumAt(group, step))) };
  },
  scalars(group, { step, mu_product: product = 1 }) {
    const [beta1, beta2] = group.betas;
    const correction2 = Math.sqrt(1 - beta2 ** step);
    const next = momentumAt(group, step + 1);
    return {
      gradient_rate: (group.lr * (1 - momentumAt(group, step)) * correction2) / (1 - product),
      average_rate: (group.lr * next * correction2) / (1 - product * next),
      epsilon: group.eps * correction2,
      gradient_weight: 1 - beta1,
      beta2,
      square_weight: 1 - beta2,
    };
  },
  apply(_group, { parameter, gradient, slots, scalars }) {
    const average = lerp(slot(slots, 'exp_avg'), gradient, number(scalars, 'gradient_weight'));
    const weight = number(scalars, 'square_weight');
    const square = decaySquare(slot(slots, 'exp_avg_sq'), gradient, number(scalars, 'beta2'), weight);
    const direction = tf.add(
      tf.mul(gradient, number(scalars, 'gradient_rate')),
      tf.mul(average, number(scalars, 'average_rate')),
    );
    const change = tf.div(direction, tf.add(tf.sqrt(square), number(scalars, 'epsilon')));
    return { parameter: tf.sub(parameter, change), slots: { exp_avg: average, exp_avg_sq: square } };
  },
};

/**
 * Liu et al., "On the variance of the adaptive learning rate and beyond" (2020). While the variance is not tractable
 * (ρ ≤ 5) the plain average is used. Both cases are one formula with one of two rates at 0, so the shape of the
 * computation never changes.
 */
const radamRule: UpdateRule<RadamGroup> = {
  slots: () => adamSlots,
  scalars(group, { step }) {
    const [beta1, beta2] = group.betas;
    const correction2 = 1 - beta2 ** step;
    const rate = group.lr / (1 - beta1 ** step);
    const longest = 2 / (1 - beta2) - 1;
    const length = longest - (2 * step * beta2 ** step) / correction2;
    const tractable = length > 5;
    const rectified = ((length - 4) * (length - 2) * longest) / ((longest - 4) * (longest - 2) * length);
    return {
      adaptive_rate: tractable ? rate * Math.sqrt(correction2) * Math.sqrt(rectified) : 0,
      plain_rate: tractable ? 0 : rate,
      epsilon: group.eps,
      gradient_weight: 1 - beta1,
      beta2,
      square_weight: 1 - beta2,
    };
  },
  apply(_group, { parameter, gradient, slots, scalars }) {
    const average = lerp(slot(slots, 'exp_avg'), gradient, number(scalars, 'gradient_weight'));
    const weight = number(scalars, 'square_weight');
    const square = decaySquare(slot(slots, 'exp_avg_sq'), gradient, number(scalars, 'beta2'), weight);
    const adaptive = tf.div(number(scalars, 'adaptive_rate'), tf.add(tf.sqrt(square), number(scalars, 'epsilon')));
    const change = tf.mul(average, tf.add(adaptive, number(scalars, 'plain_rate')));
    return { parameter: tf.sub(parameter, change), slots: { exp_avg: average, exp_avg_sq: square } };
  },
};

const adamax = defineOptimizer(
  'Adamax',
  adamaxSchema,
  ({ param_groups: _groups, ...options }, params): AdamaxGroup => ({ ...options, params }),
  adamaxRule,
);
const nadam = defineOptimizer(
  'NAdam',
  nadamSchema,
  ({ param_groups: _groups, ...options }, params): NadamGroup => ({ ...options, params }),
  nadamRule,
);
const radam = defineOptimizer(
  'RAdam',
  radamSchema,
  ({ param_groups: _groups, ...options }, params): RadamGroup => ({ ...options, params }),
  radamRule,
);

/** Adamax (torch.optim.Adamax). State: `exp_avg`, `exp_inf`. */
export class Adamax extends Optimizer<AdamaxGroup> {
  static readonly optionsSchema = adamaxSchema;

  constructor(parameters: readonly NamedParameter[], options: AdamaxOptions = {}) {
    super(parameters, options, adamax);
  }
}

/** NAdam (torch.optim.NAdam). State: `exp_avg`, `exp_avg_sq`, and the momentum product on the host. */
export class NAdam extends Optimizer<NadamGroup> {
  static readonly optionsSchema = nadamSchema;

  constructor(parameters: readonly NamedParameter[], options: NadamOptions = {}) {
    super(parameters, options, nadam);
  }
}

/** RAdam (torch.optim.RAdam). State: `exp_avg`, `exp_avg_sq`. */
export class RAdam extends Optimizer<RadamGroup> {
  static readonly optionsSchema = radamSchema;

  constructor(parameters: readonly NamedParameter[], options: RadamOptions = {}) {
    super(parameters, options, radam);
  }
}
