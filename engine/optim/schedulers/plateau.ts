import { z } from 'zod';
import { parseOptions } from '../options.ts';
import { isImprovement, requireMetric, worstMetric } from './metricChange.ts';
import {
  type LearningRateScheduler,
  numberIn,
  numbersIn,
  perGroup,
  type SchedulableOptimizer,
  type SchedulerState,
} from './scheduler.ts';
import { numberPerGroup } from './schemas.ts';

const schema = z.object({
  mode: z.enum(['min', 'max']).default('min').describe('whether lower or higher is better'),
  factor: z.number().lt(1).default(0.1).describe('factor of each reduction'),
  patience: z.number().int().nonnegative().default(10).describe('steps without improvement that are borne'),
  threshold: z.number().default(1e-4).describe('least change that counts as an improvement'),
  threshold_mode: z.enum(['rel', 'abs']).default('rel'),
  cooldown: z.number().int().nonnegative().default(0).describe('steps after a reduction in which nothing counts'),
  min_lr: numberPerGroup.default(0).describe('lowest rate'),
  eps: z.number().default(1e-8).describe('least reduction that is carried out'),
});

/** Reduces the rate when a metric stops improving. `step` needs the metric. */
export class ReduceLROnPlateau implements LearningRateScheduler {
  static readonly optionsSchema = schema;
  readonly optimizer: SchedulableOptimizer;
  lastEpoch = 0;
  readonly #options: z.output<typeof schema>;
  readonly #lowest: readonly number[];
  #best: number;
  #bad = 0;
  #cooldown = 0;
  #lastLr: readonly number[];

  constructor(optimizer: SchedulableOptimizer, options: z.input<typeof schema> = {}) {
    const target = 'accelhydra.lr_scheduler.ReduceLROnPlateau';
    this.#options = parseOptions(schema, options, target);
    this.optimizer = optimizer;
    this.#lowest = perGroup(optimizer, this.#options.min_lr, 'min_lr', target);
    this.#best = worstMetric(this.#options.mode);
    this.#lastLr = optimizer.paramGroups.map((group) => group.lr);
  }

  /** @throws EngineError `optim.scheduler.no-metric` */
  step(value?: number): void {
    const metric = requireMetric(value, 'ReduceLROnPlateau');
    this.lastEpoch++;
    if (isImprovement(metric, this.#best, this.#options)) {
      this.#best = metric;
      this.#bad = 0;
    } else {
      this.#bad++;
    }
    if (this.#cooldown > 0) {
      this.#cooldown--;
      this.#bad = 0;
    }
    if (this.#bad > this.#options.patience) {
      this.#reduce();
      this.#cooldown = this.#options.cooldown;
      this.#bad = 0;
    }
    this.#lastLr = this.optimizer.paramGroups.map((group) => group.lr);
  }

  #reduce(): void {
    for (const [index, group] of this.optimizer.paramGroups.entries()) {
      const reduced = Math.max(group.lr * this.#options.factor, this.#lowest[index] ?? 0);
      if (group.lr - reduced > this.#options.eps) group.lr = reduced;
    }
  }

  getLastLr(): readonly number[] {
    return this.#lastLr;
  }

  stateDict(): SchedulerState {
    return {
      last_epoch: this.lastEpoch,
      best: this.#best,
      num_bad_epochs: this.#bad,
      cooldown_counter: this.#cooldown,
      last_lr: [...this.#lastLr],
    };
  }

  loadStateDict(state: SchedulerState): void {
    const lastLr = numbersIn(state, 'last_lr', this.optimizer.paramGroups.length);
    this.lastEpoch = numberIn(state, 'last_epoch');
    this.#best = numberIn(state, 'best');
    this.#bad = numberIn(state, 'num_bad_epochs');
    this.#cooldown = numberIn(state, 'cooldown_counter');
    this.#lastLr = lastLr;
  }
}
