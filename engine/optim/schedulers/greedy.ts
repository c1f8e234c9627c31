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
import { numberPerGroup, positiveInteger } from './schemas.ts';

const count = z.number().int().nonnegative();

const schema = z.object({
  mode: z.enum(['min', 'max']).default('min').describe('whether lower or higher is better'),
  factor: z.number().gt(0).lt(1).default(0.95).describe('the rate is multiplied by it, or divided'),
  patience: count.default(10).describe('steps of one kind in a row that are borne before the rate changes'),
  threshold: z.number().default(1e-6).describe('least change that counts as an improvement'),
  threshold_mode: z.enum(['rel', 'abs']).default('abs'),
  cooldown: count.default(0).describe('steps after a reduction in which nothing counts'),
  warmup: count.default(0).describe('steps after an increase in which nothing counts'),
  min_lr: numberPerGroup.default(1e-3).describe('lowest rate'),
  max_lr: numberPerGroup.default(1).describe('highest rate'),
  eps: z.number().default(1e-8).describe('least change that is carried out'),
  verbose: z.boolean().default(false).describe('accepted, without effect: every rate is logged'),
  smooth: z.boolean().default(false).describe('whether the mean of the last metrics counts instead of the last'),
  window_size: positiveInteger.default(50).describe('how many metrics that mean is over'),
  reset_start: count.default(500).describe('reductions at the lowest rate after which everything begins anew'),
});

/**
 * Raises the rate while a metric improves and lowers it while it does not (transformers.optimization.GreedyLR; arXiv
 * 2512.14527). `step` needs the metric.
 */
export class GreedyLR implements LearningRateScheduler {
  static readonly optionsSchema = schema;
  readonly optimizer: SchedulableOptimizer;
  lastEpoch = 0;
  readonly #options: z.output<typeof schema>;
  readonly #lowest: readonly number[];
  readonly #highest: readonly number[];
  #initial: readonly number[];
  #best: number;
  #good = 0;
  #bad = 0;
  #cooldown = 0;
  #warmup = 0;
  #untilReset: number;
  #recent: readonly number[] = [];
  #sum = 0;
  #lastLr: readonly number[];

  constructor(optimizer: SchedulableOptimizer, options: z.input<typeof schema> = {}) {
    const target = 'accelhydra.lr_scheduler.GreedyLR';
    this.#options = parseOptions(schema, options, target);
    this.optimizer = optimizer;
    this.#lowest = perGroup(optimizer, this.#options.min_lr, 'min_lr', target);
    this.#highest = perGroup(optimizer, this.#options.max_lr, 'max_lr', target);
    this.#initial = optimizer.paramGroups.map((group) => group.lr);
    this.#lastLr = this.#initial;
    this.#best = worstMetric(this.#options.mode);
    this.#untilReset = this.#options.reset_start;
  }

  /** @throws EngineError `optim.scheduler.no-metric` */
  step(value?: number): void {
    const metric = requireMetric(value, 'GreedyLR');
    this.lastEpoch++;
    const current = this.#options.smooth ? this.#smoothed(metric) : metric;
    if (this.#cooldown > 0 || this.#warmup > 0) {
      if (this.#cooldown > 0) this.#cooldown--;
      else this.#warmup--;
      this.#good = 0;
      this.#bad = 0;
    } else this.#judge(current);
    this.#lastLr = this.optimizer.paramGroups.map((group) => group.lr);
  }

  #judge(metric: number): void {
    const { patience } = this.#options;
    const isBetter = isImprovement(metric, this.#best, this.#options);
    if (isBetter) this.#best = metric;
    this.#good = isBetter ? this.#good + 1 : 0;
    this.#bad = isBetter ? 0 : this.#bad + 1;
    if (this.#good > patience) {
      this.#raise();
      this.#warmup = this.#options.warmup;
      this.#good = 0;
    } else if (this.#bad > patience) {
      this.#lower();
      this.#cooldown = this.#options.cooldown;
      this.#bad = 0;
    }
  }

  #smoothed(metric: number): number {
    this.#recent = [...this.#recent, metric];
    // a running sum, as the original keeps it: its rounding decides whether a plateau is one
    this.#sum += metric;
    const [oldest = 0] = this.#recent;
    if (this.#recent.length > this.#options.window_size) {
      this.#recent = this.#recent.slice(1);
      this.#sum -= oldest;
    }
    return this.#sum / this.#recent.length;
  }

  #raise(): void {
    for (const [index, group] of this.optimizer.paramGroups.entries()) {
      const raised = Math.min(group.lr / this.#options.factor, this.#highest[index] ?? 1);
      if (raised - group.lr > this.#options.eps) group.lr = raised;
    }
    this.#untilReset = this.#options.reset_start;
  }

  #lower(): void {
    let isLowest = true;
    for (const [index, group] of this.optimizer.paramGroups.entries()) {
      const floor = this.#lowest[index] ?? 0;
      const lowered = Math.max(group.lr * this.#options.factor, floor);
      if (group.lr - lowered > this.#options.eps) group.lr = lowered;
      if (group.lr > floor) isLowest = false;
    }
    if (isLowest && --this.#untilReset <= 0) this.#beginAnew();
  }

  #beginAnew(): void {
    for (const [index, group] of this.optimizer.paramGroups.entries()) group.lr = this.#initial[index] ?? group.lr;
    this.#best = worstMetric(this.#options.mode);
    this.#good = 0;
    this.#bad = 0;
    this.#untilReset = this.#options.reset_start;
    this.#recent = [];
    this.#sum = 0;
  }

  getLastLr(): readonly number[] {
    return this.#lastLr;
  }

  stateDict(): SchedulerState {
    return {
      last_epoch: this.lastEpoch,
      best: this.#best,
      num_good_epochs: this.#good,
      num_bad_epochs: this.#bad,
      cooldown_counter: this.#cooldown,
      warmup_counter: this.#warmup,
      reset_start: this.#untilReset,
      recent: [...this.#recent],
      sum: this.#sum,
      init_lrs: [...this.#initial],
      last_lr: [...this.#lastLr],
    };
  }

  /** @throws EngineError `optim.scheduler.state` when the state is another scheduler's */
  loadStateDict(state: SchedulerState): void {
    const groups = this.optimizer.paramGroups.length;
    const [initial, lastLr] = [numbersIn(state, 'init_lrs', groups), numbersIn(state, 'last_lr', groups)];
    const { recent } = state;
    this.#recent = numbersIn(state, 'recent', Array.isArray(recent) ? recent.length : 0);
    this.#sum = numberIn(state, 'sum');
    this.lastEpoch = numberIn(state, 'last_epoch');
    this.#best = numberIn(state, 'best');
    this.#good = numberIn(state, 'num_good_epochs');
    this.#bad = numberIn(state, 'num_bad_epochs');
    this.#cooldown = numberIn(state, 'cooldown_counter');
    this.#warmup = numberIn(state, 'warmup_counter');
    this.#untilReset = numberIn(state, 'reset_start');
    this.#initial = initial;
    this.#lastLr = lastLr;
    for (const [index, group] of this.optimizer.paramGroups.entries()) group.lr = lastLr[index] ?? group.lr;
  }
}
