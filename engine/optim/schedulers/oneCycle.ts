import { z } from 'zod';
import { EngineError } from '../../api/errors.ts';
import { parseOptions, refuseOptions } from '../options.ts';
import type { ParameterGroup } from '../parameter.ts';
import {
  LRScheduler,
  numberIn,
  perGroup,
  requireMomentum,
  type SchedulableOptimizer,
  type SchedulerState,
  setMomentum,
} from './scheduler.ts';
import { fraction, lastEpoch, numberPerGroup, positiveInteger } from './schemas.ts';

const schema = z.object({
  max_lr: numberPerGroup.describe('highest rate'),
  total_steps: positiveInteger.nullish().describe('steps of the whole cycle; otherwise epochs · steps_per_epoch'),
  epochs: positiveInteger.nullish().describe('epochs of the whole cycle'),
  steps_per_epoch: positiveInteger.nullish().describe('steps in each epoch'),
  pct_start: fraction.default(0.3).describe('part of the cycle in which the rate rises'),
  anneal_strategy: z.enum(['cos', 'linear']).default('cos'),
  cycle_momentum: z.boolean().default(true).describe('move momentum against the rate'),
  base_momentum: numberPerGroup.default(0.85).describe('lowest momentum'),
  max_momentum: numberPerGroup.default(0.95).describe('highest momentum'),
  div_factor: z.number().positive().default(25).describe('max_lr / first rate'),
  final_div_factor: z.number().positive().default(1e4).describe('first rate / last rate'),
  three_phase: z.boolean().default(false).describe('come back to the first rate before falling to the last'),
  last_epoch: lastEpoch,
});

interface Phase {
  readonly end: number;
  readonly rate: readonly [RateMark, RateMark];
  readonly momentum: readonly [MomentumMark, MomentumMark];
}
type RateMark = 'initial_lr' | 'max_lr' | 'min_lr';
type MomentumMark = 'base_momentum' | 'max_momentum';

const target = 'accelhydra.lr_scheduler.OneCycleLR';

/** Smith's one-cycle policy: up to `max_lr`, then far below the first rate, over a fixed number of steps. */
export class OneCycleLR extends LRScheduler {
  static readonly optionsSchema = schema;
  readonly totalSteps: number;
  readonly #options: z.output<typeof schema>;

  constructor(optimizer: SchedulableOptimizer, options: z.input<typeof schema>) {
    const parsed = parseOptions(schema, options, target);
    const total = totalSteps(parsed);
    markGroups(optimizer, parsed);
    super(optimizer, parsed.last_epoch, target);
    this.#options = parsed;
    this.totalSteps = total;
    this.start();
  }

  /** @throws EngineError `optim.scheduler.exhausted` after more than `total_steps` steps */
  protected override rates(): readonly number[] {
    if (this.lastEpoch > this.totalSteps) {
      throw new EngineError(
        'optim.scheduler.exhausted',
        `OneCycleLR was stepped ${this.lastEpoch} times, but its cycle has ${this.totalSteps} steps. Set total_steps (or epochs and steps_per_epoch) to the number of optimizer steps.`,
        { step: this.lastEpoch, totalSteps: this.totalSteps },
      );
    }
    return this.optimizer.paramGroups.map((group) => this.#rate(group));
  }

  #rate(group: ParameterGroup): number {
    const { anneal_strategy: strategy, cycle_momentum: cycles } = this.#options;
    const { phase, part } = this.#place();
    const [from, to] = phase.rate;
    if (cycles) {
      const [first, last] = phase.momentum;
      setMomentum(group, anneal(strategy, group[first] ?? 0, group[last] ?? 0, part));
    }
    return anneal(strategy, group[from] ?? 0, group[to] ?? 0, part);
  }

  #place(): { readonly phase: Phase; readonly part: number } {
    const phases = phasesOf(this.totalSteps, this.#options);
    const index = phases.findIndex((phase, at) => this.lastEpoch <= phase.end || at === phases.length - 1);
    const phase = phases[index];
    if (phase === undefined) throw new Error('Internal error: OneCycleLR without phases');
    const start = phases[index - 1]?.end ?? 0;
    return { phase, part: phase.end === start ? 1 : (this.lastEpoch - start) / (phase.end - start) };
  }

  override stateDict(): SchedulerState {
    return { ...super.stateDict(), total_steps: this.totalSteps };
  }

  override loadStateDict(state: SchedulerState): void {
    super.loadStateDict(state);
    const saved = numberIn(state, 'total_steps');
    if (saved === this.totalSteps) return;
    throw new EngineError(
      'optim.scheduler.state',
      `The saved OneCycleLR ran over ${saved} steps, this one over ${this.totalSteps}. Resume with the saved config, or start a new schedule.`,
      { saved, totalSteps: this.totalSteps },
    );
  }
}

function totalSteps(options: z.output<typeof schema>): number {
  if (typeof options.total_steps === 'number') return options.total_steps;
  if (typeof options.epochs === 'number' && typeof options.steps_per_epoch === 'number') {
    return options.epochs * options.steps_per_epoch;
  }
  return refuseOptions(target, 'it needs total_steps, or both epochs and steps_per_epoch.', { option: 'total_steps' });
}

function markGroups(optimizer: SchedulableOptimizer, options: z.output<typeof schema>): void {
  const highest = perGroup(optimizer, options.max_lr, 'max_lr', target);
  const base = perGroup(optimizer, options.base_momentum, 'base_momentum', target);
  const max = perGroup(optimizer, options.max_momentum, 'max_momentum', target);
  if (options.cycle_momentum) requireMomentum(optimizer, target);
  if (options.last_epoch !== -1) return;
  for (const [index, group] of optimizer.paramGroups.entries()) {
    group.max_lr = highest[index] ?? 0;
    group.initial_lr = group.max_lr / options.div_factor;
    group.min_lr = group.initial_lr / options.final_div_factor;
    if (!options.cycle_momentum) continue;
    group.max_momentum = max[index] ?? 0;
    group.base_momentum = base[index] ?? 0;
    setMomentum(group, group.max_momentum);
  }
}

function phasesOf(total: number, options: z.output<typeof schema>): readonly Phase[] {
  const rise: Phase = {
    end: options.pct_start * total - 1,
    rate: ['initial_lr', 'max_lr'],
    momentum: ['max_momentum', 'base_momentum'],
  };
  if (!options.three_phase) {
    return [rise, { end: total - 1, rate: ['max_lr', 'min_lr'], momentum: ['base_momentum', 'max_momentum'] }];
  }
  return [
    rise,
    {
      end: 2 * options.pct_start * total - 2,
      rate: ['max_lr', 'initial_lr'],
      momentum: ['base_momentum', 'max_momentum'],
    },
    { end: total - 1, rate: ['initial_lr', 'min_lr'], momentum: ['max_momentum', 'max_momentum'] },
  ];
}

function anneal(strategy: 'cos' | 'linear', start: number, end: number, part: number): number {
  if (strategy === 'linear') return (end - start) * part + start;
  return end + ((start - end) / 2) * (Math.cos(Math.PI * part) + 1);
}
