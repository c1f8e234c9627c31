import { z } from 'zod';
import { parseOptions } from '../options.ts';
import { LRScheduler, type SchedulableOptimizer } from './scheduler.ts';
import { fraction, lastEpoch, positiveInteger } from './schemas.ts';

const constantSchema = z.object({
  factor: fraction.default(1 / 3).describe('factor until total_iters is reached'),
  total_iters: z.number().int().default(5).describe('steps for which the factor holds'),
  last_epoch: lastEpoch,
});

/** Multiplies the rate by `factor` for the first `total_iters` steps. */
export class ConstantLR extends LRScheduler {
  static readonly optionsSchema = constantSchema;
  readonly #options: z.output<typeof constantSchema>;

  constructor(optimizer: SchedulableOptimizer, options: z.input<typeof constantSchema> = {}) {
    const target = 'accelhydra.lr_scheduler.ConstantLR';
    const parsed = parseOptions(constantSchema, options, target);
    super(optimizer, parsed.last_epoch, target);
    this.#options = parsed;
    this.start();
  }

  protected override rates(): readonly number[] {
    const { factor, total_iters: total } = this.#options;
    if (this.lastEpoch === 0) return this.scaled(factor);
    return this.lastEpoch === total ? this.scaled(1 / factor) : this.currentRates();
  }

  protected override closedForm(): readonly number[] {
    const { factor, total_iters: total } = this.#options;
    return this.baseLrs.map((base) => base * (this.lastEpoch >= total ? 1 : factor));
  }
}

const linearSchema = z.object({
  start_factor: z
    .number()
    .positive()
    .max(1)
    .default(1 / 3)
    .describe('factor at the first step'),
  end_factor: fraction.default(1).describe('factor at the end'),
  total_iters: positiveInteger.default(5).describe('steps from start_factor to end_factor'),
  last_epoch: lastEpoch,
});

/** Changes the rate linearly from `start_factor` to `end_factor` of the base rate over `total_iters` steps. */
export class LinearLR extends LRScheduler {
  static readonly optionsSchema = linearSchema;
  readonly #options: z.output<typeof linearSchema>;

  constructor(optimizer: SchedulableOptimizer, options: z.input<typeof linearSchema> = {}) {
    const target = 'accelhydra.lr_scheduler.LinearLR';
    const parsed = parseOptions(linearSchema, options, target);
    super(optimizer, parsed.last_epoch, target);
    this.#options = parsed;
    this.start();
  }

  protected override rates(): readonly number[] {
    const { start_factor: start, end_factor: end, total_iters: total } = this.#options;
    if (this.lastEpoch === 0) return this.scaled(start);
    if (this.isInitial || this.lastEpoch > total) return this.currentRates();
    return this.scaled(1 + (end - start) / (total * start + (this.lastEpoch - 1) * (end - start)));
  }

  protected override closedForm(): readonly number[] {
    const { start_factor: start, end_factor: end, total_iters: total } = this.#options;
    return this.baseLrs.map((base) => base * (start + ((end - start) * Math.min(total, this.lastEpoch)) / total));
  }
}

const polynomialSchema = z.object({
  total_iters: positiveInteger.default(5).describe('steps until the rate is 0'),
  power: z.number().default(1).describe('power of the polynomial'),
  last_epoch: lastEpoch,
});

/** Lets the rate fall to 0 over `total_iters` steps as a polynomial of the given power. */
export class PolynomialLR extends LRScheduler {
  static readonly optionsSchema = polynomialSchema;
  readonly #options: z.output<typeof polynomialSchema>;

  constructor(optimizer: SchedulableOptimizer, options: z.input<typeof polynomialSchema> = {}) {
    const target = 'accelhydra.lr_scheduler.PolynomialLR';
    const parsed = parseOptions(polynomialSchema, options, target);
    super(optimizer, parsed.last_epoch, target);
    this.#options = parsed;
    this.start();
  }

  protected override rates(): readonly number[] {
    const { total_iters: total, power } = this.#options;
    if (this.isInitial || this.lastEpoch > total) return this.currentRates();
    return this.scaled(((1 - this.lastEpoch / total) / (1 - (this.lastEpoch - 1) / total)) ** power);
  }

  protected override closedForm(): readonly number[] {
    const { total_iters: total, power } = this.#options;
    return this.baseLrs.map((base) => base * (1 - Math.min(total, this.lastEpoch) / total) ** power);
  }
}
