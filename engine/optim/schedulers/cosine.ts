import { z } from 'zod';
import { parseOptions } from '../options.ts';
import { LRScheduler, numberIn, type SchedulableOptimizer, type SchedulerState } from './scheduler.ts';
import { lastEpoch, positiveInteger } from './schemas.ts';

const annealingSchema = z.object({
  T_max: positiveInteger.describe('steps from the base rate to eta_min'),
  eta_min: z.number().default(0).describe('lowest rate'),
  last_epoch: lastEpoch,
});

/** Half a cosine from the base rate to `eta_min` over `T_max` steps, and back again. */
export class CosineAnnealingLR extends LRScheduler {
  static readonly optionsSchema = annealingSchema;
  readonly #options: z.output<typeof annealingSchema>;

  constructor(optimizer: SchedulableOptimizer, options: z.input<typeof annealingSchema>) {
    const target = 'accelhydra.lr_scheduler.CosineAnnealingLR';
    const parsed = parseOptions(annealingSchema, options, target);
    super(optimizer, parsed.last_epoch, target);
    this.#options = parsed;
    this.start();
  }

  protected override rates(): readonly number[] {
    const { T_max: period, eta_min: floor } = this.#options;
    if (this.isInitial) return this.currentRates();
    if (this.stepCount === 1 && this.lastEpoch > 0) return this.closedForm();
    const cosine = (step: number) => 1 + Math.cos((Math.PI * step) / period);
    if ((this.lastEpoch - 1 - period) % (2 * period) === 0) {
      // At the lowest point the ratio below would be 0 / 0.
      const rise = (1 - Math.cos(Math.PI / period)) / 2;
      return this.optimizer.paramGroups.map((group, index) => group.lr + ((this.baseLrs[index] ?? 0) - floor) * rise);
    }
    const ratio = cosine(this.lastEpoch) / cosine(this.lastEpoch - 1);
    return this.optimizer.paramGroups.map((group) => ratio * (group.lr - floor) + floor);
  }

  protected override closedForm(): readonly number[] {
    const { T_max: period, eta_min: floor } = this.#options;
    const height = (1 + Math.cos((Math.PI * this.lastEpoch) / period)) / 2;
    return this.baseLrs.map((base) => floor + (base - floor) * height);
  }
}

const restartsSchema = z.object({
  T_0: positiveInteger.describe('steps until the first restart'),
  T_mult: positiveInteger.default(1).describe('factor by which each cycle is longer than the one before'),
  eta_min: z.number().default(0).describe('lowest rate'),
  last_epoch: lastEpoch,
});

/** Cosine annealing that starts again from the base rate, each cycle `T_mult` times as long (SGDR). */
export class CosineAnnealingWarmRestarts extends LRScheduler {
  static readonly optionsSchema = restartsSchema;
  readonly #options: z.output<typeof restartsSchema>;
  #cycleLength: number;
  #cycleStep: number;

  constructor(optimizer: SchedulableOptimizer, options: z.input<typeof restartsSchema>) {
    const target = 'accelhydra.lr_scheduler.CosineAnnealingWarmRestarts';
    const parsed = parseOptions(restartsSchema, options, target);
    super(optimizer, parsed.last_epoch, target);
    this.#options = parsed;
    this.#cycleLength = parsed.T_0;
    this.#cycleStep = parsed.last_epoch;
    this.start();
  }

  override step(): void {
    this.stepCount++;
    if (this.lastEpoch < 0) {
      this.#place(0);
      this.lastEpoch = 0;
    } else {
      this.lastEpoch++;
      this.#cycleStep++;
      if (this.#cycleStep >= this.#cycleLength) {
        this.#cycleStep %= this.#cycleLength;
        this.#cycleLength *= this.#options.T_mult;
      }
    }
    this.applyRates(this.rates());
  }

  override jumpTo(epoch: number): void {
    this.#place(epoch);
    this.lastEpoch = epoch;
    this.applyRates(this.rates());
  }

  #place(epoch: number): void {
    const { T_0: first, T_mult: factor } = this.#options;
    this.#cycleLength = first;
    this.#cycleStep = epoch;
    if (epoch < first) return;
    if (factor === 1) {
      this.#cycleStep = epoch % first;
      return;
    }
    while (this.#cycleStep >= this.#cycleLength) {
      this.#cycleStep -= this.#cycleLength;
      this.#cycleLength *= factor;
    }
  }

  protected override rates(): readonly number[] {
    const floor = this.#options.eta_min;
    const height = 1 + Math.cos((Math.PI * this.#cycleStep) / this.#cycleLength);
    return this.baseLrs.map((base) => floor + ((base - floor) * height) / 2);
  }

  override stateDict(): SchedulerState {
    return { ...super.stateDict(), T_cur: this.#cycleStep, T_i: this.#cycleLength };
  }

  override loadStateDict(state: SchedulerState): void {
    super.loadStateDict(state);
    this.#cycleStep = numberIn(state, 'T_cur');
    this.#cycleLength = numberIn(state, 'T_i');
  }
}
