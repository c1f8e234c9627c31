import { z } from 'zod';
import { parseOptions } from '../options.ts';
import { LRScheduler, type SchedulableOptimizer } from './scheduler.ts';
import { lastEpoch, positiveInteger } from './schemas.ts';

const stepSchema = z.object({
  step_size: positiveInteger.describe('steps between two decays'),
  gamma: z.number().default(0.1).describe('factor of each decay'),
  last_epoch: lastEpoch,
});

/** Multiplies the rate by `gamma` every `step_size` steps. */
export class StepLR extends LRScheduler {
  static readonly optionsSchema = stepSchema;
  readonly #options: z.output<typeof stepSchema>;

  constructor(optimizer: SchedulableOptimizer, options: z.input<typeof stepSchema>) {
    const target = 'accelhydra.lr_scheduler.StepLR';
    const parsed = parseOptions(stepSchema, options, target);
    super(optimizer, parsed.last_epoch, target);
    this.#options = parsed;
    this.start();
  }

  protected override rates(): readonly number[] {
    const { step_size: size, gamma } = this.#options;
    return this.lastEpoch === 0 || this.lastEpoch % size !== 0 ? this.currentRates() : this.scaled(gamma);
  }

  protected override closedForm(): readonly number[] {
    const { step_size: size, gamma } = this.#options;
    return this.baseLrs.map((base) => base * gamma ** Math.floor(this.lastEpoch / size));
  }
}

const multiStepSchema = z.object({
  milestones: z.array(z.number().int()).describe('steps at which the rate decays; one named twice counts twice'),
  gamma: z.number().default(0.1).describe('factor of each decay'),
  last_epoch: lastEpoch,
});

/** Multiplies the rate by `gamma` at each milestone. */
export class MultiStepLR extends LRScheduler {
  static readonly optionsSchema = multiStepSchema;
  readonly #options: z.output<typeof multiStepSchema>;

  constructor(optimizer: SchedulableOptimizer, options: z.input<typeof multiStepSchema>) {
    const target = 'accelhydra.lr_scheduler.MultiStepLR';
    const parsed = parseOptions(multiStepSchema, options, target);
    super(optimizer, parsed.last_epoch, target);
    this.#options = parsed;
    this.start();
  }

  protected override rates(): readonly number[] {
    const hits = this.#options.milestones.filter((milestone) => milestone === this.lastEpoch).length;
    return hits === 0 ? this.currentRates() : this.scaled(this.#options.gamma ** hits);
  }

  protected override closedForm(): readonly number[] {
    const passed = this.#options.milestones.filter((milestone) => milestone <= this.lastEpoch).length;
    return this.baseLrs.map((base) => base * this.#options.gamma ** passed);
  }
}

const exponentialSchema = z.object({
  gamma: z.number().describe('factor of every step'),
  last_epoch: lastEpoch,
});

/** Multiplies the rate by `gamma` at every step. */
export class ExponentialLR extends LRScheduler {
  static readonly optionsSchema = exponentialSchema;
  readonly #gamma: number;

  constructor(optimizer: SchedulableOptimizer, options: z.input<typeof exponentialSchema>) {
    const target = 'accelhydra.lr_scheduler.ExponentialLR';
    const parsed = parseOptions(exponentialSchema, options, target);
    super(optimizer, parsed.last_epoch, target);
    this.#gamma = parsed.gamma;
    this.start();
  }

  protected override rates(): readonly number[] {
    return this.isInitial ? this.currentRates() : this.scaled(this.#gamma);
  }

  protected override closedForm(): readonly number[] {
    return this.baseLrs.map((base) => base * this.#gamma ** this.lastEpoch);
  }
}
