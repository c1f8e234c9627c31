import { isDeepStrictEqual } from 'node:util';
import type * as tf from '@tensorflow/tfjs';
import { loadYaml, toPlain } from '../../config/index.ts';
import { advanceScheduler, followsMetric } from '../../optim/index.ts';
import type { OptimizerLike, SchedulerLike } from '../ports.ts';
import type { SavedState } from './savedState.ts';

type Section = Readonly<Record<string, unknown>>;

export interface SavedRates {
  readonly saved: SavedState;
  /** Optimizer slots by name. */
  readonly slots: ReadonlyMap<string, tf.Tensor>;
  /** The config that the checkpoint was trained with, YAML. */
  readonly configText: string | undefined;
  /** The resolved config of this training. */
  readonly config: Section | undefined;
  readonly interval: 'step' | 'epoch';
}

/**
 * Optimizer and scheduler as the config made them, and how they are put back from a checkpoint. Their saved state holds
 * options too (rates, decay): where the config has others by now, as a branch may, the config's count, which the state alone
 * would silently undo. With another rate, or another schedule, the schedule is the new one at the place that was reached.
 */
export class Rates {
  readonly #optimizer: OptimizerLike;
  readonly #scheduler: SchedulerLike | null;
  readonly #groups: readonly Section[];
  readonly #fresh: Section | undefined;

  /** Call it before the first step and before anything is loaded. */
  constructor(optimizer: OptimizerLike, scheduler: SchedulerLike | null) {
    this.#optimizer = optimizer;
    this.#scheduler = scheduler;
    this.#groups = optimizer.paramGroups.map(({ params: _params, ...options }) => options);
    this.#fresh = scheduler?.stateDict();
  }

  /** Gives what differs from the checkpoint's own config, as keys of it. Throws what either state throws. */
  load({ saved, slots, configText, config, interval }: SavedRates): readonly string[] {
    const then = configText === undefined ? undefined : sectionOf(toPlain(loadYaml(configText)));
    const changes = (name: string) => changed(sectionOf(then?.[name]), sectionOf(config?.[name]));
    const options = then === undefined ? [] : changes('optimizer');
    const schedule = then === undefined ? [] : changes('lr_scheduler').filter((key) => /^(_target_|name)$/.test(key));
    this.#optimizer.loadStateDict({ tensors: slots, scalars: saved.optimizer });
    const isScheduleNew = schedule.length > 0 || options.some((key) => key === 'lr' || key === 'param_groups');
    this.#putOptions(options, isScheduleNew);
    if (this.#scheduler === null) return named(options, schedule);
    const restarts = isScheduleNew && !followsMetric(this.#scheduler);
    if (!restarts) {
      if (saved.scheduler !== null && schedule.length === 0) this.#scheduler.loadStateDict(saved.scheduler);
      return named(options, schedule);
    }
    if (this.#fresh !== undefined) this.#scheduler.loadStateDict(this.#fresh);
    const { updates, epoch } = saved.train;
    advanceScheduler(this.#scheduler, interval === 'epoch' ? epoch : updates * saved.world_size);
    return named(options, schedule);
  }

  #putOptions(options: readonly string[], areRatesNew: boolean): void {
    const areAllNew = options.includes('param_groups');
    for (const [index, group] of this.#optimizer.paramGroups.entries()) {
      for (const [key, value] of Object.entries(this.#groups[index] ?? {})) {
        const isRate = key === 'lr' || key === 'initial_lr';
        if (isRate ? areRatesNew : areAllNew || options.includes(key)) Object.assign(group, { [key]: value });
      }
    }
  }
}

function changed(then: Section | undefined, now: Section | undefined): string[] {
  const keys = new Set([...Object.keys(then ?? {}), ...Object.keys(now ?? {})]);
  return [...keys].filter((key) => !isDeepStrictEqual(then?.[key], now?.[key]));
}

function named(options: readonly string[], schedule: readonly string[]): string[] {
  return [...options.map((key) => `optimizer.${key}`), ...schedule.map((key) => `lr_scheduler.${key}`)];
}

function sectionOf(value: unknown): Section | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
}
