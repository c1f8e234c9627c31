import { EngineError } from '../../api/errors.ts';
import { refuseOptions } from '../options.ts';
import type { ParameterGroup } from '../parameter.ts';

/** What a scheduler needs of an optimizer: its groups. No tensors, so that a schedule can be computed without a device. */
export interface SchedulableOptimizer {
  readonly paramGroups: readonly ParameterGroup[];
}

/** A scheduler's state as JSON; infinities occur (`best` of a plateau), so write it with a codec that keeps them. */
export type SchedulerState = Readonly<Record<string, unknown>>;

/** Sets the groups' learning rates. Call `step` after each optimizer step (or epoch, as the trainer's interval says). */
export interface LearningRateScheduler {
  readonly optimizer: SchedulableOptimizer;
  step(metric?: number): void;
  /** The rates in force, one per group. */
  getLastLr(): readonly number[];
  stateDict(): SchedulerState;
  loadStateDict(state: SchedulerState): void;
}

/** Something that makes a scheduler once it knows the optimizer: a `_partial_` entry of a config. */
export type SchedulerFactory = (optimizer: SchedulableOptimizer) => LRScheduler;

/**
 * Base of the schedulers that follow a step counter, with PyTorch's results: rates are derived from the rates in force,
 * so several schedulers may act on one optimizer.
 */
export abstract class LRScheduler implements LearningRateScheduler {
  readonly optimizer: SchedulableOptimizer;
  /** Steps done; -1 before the first. */
  lastEpoch: number;
  protected baseLrs: readonly number[];
  protected stepCount = 0;
  /** Whether the first rates are being set, before any optimizer step. */
  protected isInitial = false;
  #lastLr: readonly number[] = [];

  /**
   * Subclasses call `start` at the end of their constructor.
   * @param lastEpoch the last step done by an earlier scheduler, -1 for a fresh start
   * @throws EngineError `optim.scheduler.no-initial-lr` when resumed on an optimizer that never had a scheduler
   */
  protected constructor(optimizer: SchedulableOptimizer, lastEpoch: number, target: string) {
    if (!Array.isArray(optimizer?.paramGroups)) {
      throw new EngineError('optim.scheduler.no-optimizer', `${target} must get the optimizer as its first argument.`, {
        target,
      });
    }
    this.optimizer = optimizer;
    this.lastEpoch = lastEpoch;
    for (const [index, group] of optimizer.paramGroups.entries()) {
      if (lastEpoch === -1) group.initial_lr ??= group.lr;
      else if (group.initial_lr === undefined) {
        throw new EngineError(
          'optim.scheduler.no-initial-lr',
          `${target} resumes at step ${lastEpoch}, but group ${index} of the optimizer has no initial_lr. Load the optimizer's state first.`,
          { target, group: index },
        );
      }
    }
    this.baseLrs = optimizer.paramGroups.map((group) => group.initial_lr ?? group.lr);
  }

  /** Sets the rates in force before the first optimizer step. */
  start(): void {
    this.stepCount = 0;
    this.isInitial = true;
    try {
      this.step();
    } finally {
      this.isInitial = false;
    }
  }

  step(): void {
    this.stepCount++;
    this.lastEpoch++;
    this.applyRates(this.rates());
  }

  /** Jumps to a step, by the closed form where the schedule has one. */
  jumpTo(epoch: number): void {
    this.lastEpoch = epoch;
    this.applyRates(this.closedForm() ?? this.rates());
  }

  /** Undoes the counting, not the rates, of one step. */
  rewind(): void {
    this.lastEpoch--;
  }

  getLastLr(): readonly number[] {
    return this.#lastLr;
  }

  stateDict(): SchedulerState {
    return {
      last_epoch: this.lastEpoch,
      base_lrs: [...this.baseLrs],
      step_count: this.stepCount,
      last_lr: [...this.#lastLr],
    };
  }

  /** @throws EngineError `optim.scheduler.state` when the state is another scheduler's */
  loadStateDict(state: SchedulerState): void {
    this.lastEpoch = numberIn(state, 'last_epoch');
    this.stepCount = numberIn(state, 'step_count');
    this.baseLrs = numbersIn(state, 'base_lrs', this.optimizer.paramGroups.length);
    this.#lastLr = numbersIn(state, 'last_lr', this.optimizer.paramGroups.length);
  }

  /** The rates for step `lastEpoch`, one per group. */
  protected abstract rates(): readonly number[];

  /** The same from the base rates alone, where possible. */
  protected closedForm(): readonly number[] | undefined {
    return undefined;
  }

  protected currentRates(): readonly number[] {
    return this.optimizer.paramGroups.map((group) => group.lr);
  }

  protected scaled(factor: number): readonly number[] {
    return this.optimizer.paramGroups.map((group) => group.lr * factor);
  }

  protected applyRates(rates: readonly number[]): void {
    for (const [index, group] of this.optimizer.paramGroups.entries()) group.lr = rates[index] ?? group.lr;
    this.#lastLr = this.currentRates();
  }

  protected noteRates(): void {
    this.#lastLr = this.currentRates();
  }
}

export function numberIn(state: SchedulerState, key: string): number {
  const value = state[key];
  if (typeof value === 'number') return value;
  throw badState(key, 'a number', value);
}

export function numbersIn(state: SchedulerState, key: string, length: number): readonly number[] {
  const value = state[key];
  if (Array.isArray(value) && value.length === length && value.every((item) => typeof item === 'number')) return value;
  throw badState(key, `a list of ${length} numbers`, value);
}

function badState(key: string, expected: string, found: unknown): EngineError {
  return new EngineError(
    'optim.scheduler.state',
    `The saved scheduler state does not fit this scheduler: '${key}' should be ${expected}. Was lr_scheduler changed since the checkpoint?`,
    { key, expected, found },
  );
}

/** One number for every group, or a list with one per group. */
export function perGroup(
  optimizer: SchedulableOptimizer,
  value: number | readonly number[],
  option: string,
  target: string,
): readonly number[] {
  const count = optimizer.paramGroups.length;
  if (typeof value === 'number') return Array.from({ length: count }, () => value);
  if (value.length === count) return value;
  return refuseOptions(target, `option '${option}' has ${value.length} values for ${count} parameter groups.`, {
    option,
  });
}

/** Sets the group's momentum: `momentum` or the first of `betas`, whichever the optimizer has. */
export function setMomentum(group: ParameterGroup, momentum: number): void {
  if (group.betas) group.betas = [momentum, group.betas[1]];
  else group.momentum = momentum;
}

/** @throws EngineError `optim.option.invalid` when a group has neither momentum nor betas */
export function requireMomentum(optimizer: SchedulableOptimizer, target: string): void {
  if (optimizer.paramGroups.every((group) => group.betas !== undefined || group.momentum !== undefined)) return;
  refuseOptions(
    target,
    'cycle_momentum needs an optimizer with momentum or betas. Set cycle_momentum: false for this one.',
    { option: 'cycle_momentum' },
  );
}
