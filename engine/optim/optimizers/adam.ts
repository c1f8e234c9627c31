import * as tf from '@tensorflow/tfjs';
import { z } from 'zod';
import { number } from '../gradients.ts';
import { defineOptimizer, Optimizer } from '../optimizer.ts';
import type { NamedParameter, ParameterGroup } from '../parameter.ts';
import type { UpdateRule } from '../updateRule.ts';
import { betas, commonOptions, decaySquare, decoupled, epsilon, lerp, slot } from './shared.ts';

const common = {
  betas: betas.default([0.9, 0.999]).describe('decay rates of the averages of the gradient and of its square'),
  eps: epsilon(1e-8),
  amsgrad: z.boolean().default(false).describe('use the maximum of all past averages of the square'),
};
const adamSchema = z.object({ ...commonOptions({ lr: 1e-3 }), ...common, decoupled_weight_decay: decoupled });
const adamwSchema = z.object({ ...commonOptions({ lr: 1e-3, weight_decay: 1e-2 }), ...common });

export type AdamOptions = z.input<typeof adamSchema>;
export type AdamWOptions = z.input<typeof adamwSchema>;
export type AdamGroup = ParameterGroup & Omit<z.output<typeof adamSchema>, 'param_groups'>;

/**
 * Kingma and Ba, "Adam" (2015); Reddi et al., "On the convergence of Adam and beyond" (2018) for amsgrad. Written as
 * `p -= step_size · m / (√v + epsilon)` with the bias corrections folded into both numbers:
 * step_size = lr · √(1-β₂ᵗ) / (1-β₁ᵗ), epsilon = eps · √(1-β₂ᵗ).
 */
const rule: UpdateRule<AdamGroup> = {
  slots: (group) =>
    ['exp_avg', 'exp_avg_sq', ...(group.amsgrad ? ['max_exp_avg_sq'] : [])].map((name) => ({ name, fill: 0 })),
  scalars(group, { step }, isFused) {
    const [beta1, beta2] = group.betas;
    // The kernel makes 1-β of β in float32, and that is the bias its averages have: off by 1.7e-4 for β₂ = 0.9999.
    const [decay1, decay2] = isFused ? [Math.fround(beta1), Math.fround(beta2)] : group.betas;
    const correction2 = Math.sqrt(1 - decay2 ** step);
    return {
      step_size: (group.lr * correction2) / (1 - decay1 ** step),
      epsilon: group.eps * correction2,
      beta1,
      beta2,
      gradient_weight: 1 - beta1,
      square_weight: 1 - beta2,
      none: 0,
    };
  },
  apply(group, { parameter, gradient, slots, scalars }) {
    const average = lerp(slot(slots, 'exp_avg'), gradient, number(scalars, 'gradient_weight'));
    const square = decaySquare(
      slot(slots, 'exp_avg_sq'),
      gradient,
      number(scalars, 'beta2'),
      number(scalars, 'square_weight'),
    );
    const largest = group.amsgrad ? tf.maximum(slot(slots, 'max_exp_avg_sq'), square) : square;
    const denominator = tf.add(tf.sqrt(largest), number(scalars, 'epsilon'));
    const change = tf.div(tf.mul(average, number(scalars, 'step_size')), denominator);
    return {
      parameter: tf.sub(parameter, change),
      slots: { exp_avg: average, exp_avg_sq: square, ...(group.amsgrad ? { max_exp_avg_sq: largest } : {}) },
    };
  },
  /** With both beta powers given as 0 the kernel adds no bias correction of its own: ours, from double precision, stands. */
  fused(group) {
    const maximum = group.amsgrad ? ['max_exp_avg_sq'] : [];
    const numbers = ['none', 'none', 'step_size', 'beta1', 'beta2', 'epsilon'];
    return [
      {
        name: group.amsgrad ? 'ResourceApplyAdamWithAmsgrad' : 'ResourceApplyAdam',
        inputs: ['parameter', 'exp_avg', 'exp_avg_sq', ...maximum, ...numbers, 'gradient'],
        ...(group.amsgrad ? {} : { flags: { use_nesterov: false } }),
      },
    ];
  },
};

const adam = defineOptimizer(
  'Adam',
  adamSchema,
  ({ param_groups: _groups, ...options }, params): AdamGroup => ({ ...options, params }),
  rule,
);

const adamw = defineOptimizer(
  'AdamW',
  adamwSchema,
  ({ param_groups: _groups, ...options }, params): AdamGroup => ({ ...options, decoupled_weight_decay: true, params }),
  rule,
);

/** Adam (torch.optim.Adam). State: `exp_avg`, `exp_avg_sq`, with amsgrad `max_exp_avg_sq`. */
export class Adam extends Optimizer<AdamGroup> {
  static readonly optionsSchema = adamSchema;

  constructor(parameters: readonly NamedParameter[], options: AdamOptions = {}) {
    super(parameters, options, adam);
  }
}

/** Adam with decoupled weight decay, 0.01 by default (torch.optim.AdamW; Loshchilov and Hutter, 2019). */
export class AdamW extends Optimizer<AdamGroup> {
  static readonly optionsSchema = adamwSchema;

  constructor(parameters: readonly NamedParameter[], options: AdamWOptions = {}) {
    super(parameters, options, adamw);
  }
}
