import { isDeepStrictEqual } from 'node:util';
import type * as tf from '@tensorflow/tfjs';
import { loadYaml, toPlain } from '../../config/index.ts';
import { advanceScheduler, followsMetric, type SavedOptimizer } from '../../optim/index.ts';
import type { ScheduleLength } from '../environment.ts';
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
  /** Of this training's schedule, where the config left its length open. */
  readonly schedule: ScheduleLength | undefined;
  readonly worldSize: number;
  /** Micro-steps to here of a training that began with today's processes and epoch length. */
  readonly place: number;
  /** Whether the optimizer begins with fresh state (trainer.reset_optimizer). */
  readonly resets: boolean;
}

/**
 * Optimizer and scheduler as the config made them, and how they are put back from a checkpoint. Their saved state holds
 * options too (rates, decay): where the config has others by now, as a branch may, the config's count, which the state alone
 * would silently undo. With another rate, or another schedule, the schedule is the new one at the place that was reached. So it is where the
 * number of processes gives the schedule another length than it had: steps of one length say nothing in the other.
 */
export class Rates {
  readonly #optimizer: OptimizerLike;
  readonly #scheduler: SchedulerLike | null;
  readonly #groups: readonly Section[];
  readonly #fresh: Section | undefined;
  #untouched: SavedOptimizer<tf.Tensor> | undefined;

  /** Call it before the first step and before anything is loaded. */
  constructor(optimizer: OptimizerLike, scheduler: SchedulerLike | null) {
    this.#optimizer = optimizer;
    this.#scheduler = scheduler;
    this.#groups = optimizer.paramGroups.map(({ params: _params, ...options }) => options);
    this.#fresh = scheduler?.stateDict();
  }

  /** Gives what a person should know of it, a sentence each. Throws what either state throws. */
  load(request: SavedRates): readonly string[] {
    const { saved, slots, configText, config } = request;
    if (request.resets) return this.#beginAnew(request);
    const then = configText === undefined ? undefined : sectionOf(toPlain(loadYaml(configText)));
    const changes = (name: string) => changed(sectionOf(then?.[name]), sectionOf(config?.[name]));
    const options = then === undefined ? [] : changes('optimizer');
    const schedule = then === undefined ? [] : changes('lr_scheduler').filter((key) => /^(_target_|name)$/.test(key));
    this.#optimizer.loadStateDict({ tensors: slots, scalars: saved.optimizer });
    const isScheduleNew = schedule.length > 0 || options.some((key) => key === 'lr' || key === 'param_groups');
    const notes = taken(options, schedule);
    const lengths = otherLength(request);
    const restarts = (isScheduleNew || lengths !== undefined) && !followsMetric(this.#scheduler);
    this.#putOptions(options, isScheduleNew || (restarts && this.#scheduler !== null));
    if (this.#scheduler === null) return notes;
    if (!restarts) {
      if (saved.scheduler !== null && schedule.length === 0) this.#scheduler.loadStateDict(saved.scheduler);
      return notes;
    }
    if (this.#fresh !== undefined) this.#scheduler.loadStateDict(this.#fresh);
    advanceScheduler(this.#scheduler, stepsReached(request));
    return lengths === undefined ? notes : [...notes, lengths];
  }

  /** The optimizer as the config made it, also after it was stepped; the schedule at the place that was reached. */
  #beginAnew(request: SavedRates): readonly string[] {
    const [optimizer, scheduler] = [this.#optimizer, this.#scheduler];
    if (this.#untouched === undefined) this.#untouched = optimizer.stateDict();
    else optimizer.loadStateDict(this.#untouched);
    const note = `trainer.reset_optimizer: the weights are the checkpoint's, ${optimizer.constructor.name} begins with fresh state`;
    if (scheduler === null || this.#fresh === undefined) return [`${note}.`];
    scheduler.loadStateDict(this.#fresh);
    if (followsMetric(scheduler)) return [`${note}, and so does its schedule.`];
    this.#putOptions([], true);
    const steps = stepsReached(request);
    advanceScheduler(scheduler, steps);
    return [`${note}; its schedule goes on at step ${steps}.`];
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

function taken(options: readonly string[], schedule: readonly string[]): string[] {
  const keys = [...options.map((key) => `optimizer.${key}`), ...schedule.map((key) => `lr_scheduler.${key}`)];
  return keys.length === 0 ? [] : [`${keys.join(', ')}: the config's value counts, not the one of the checkpoint.`];
}

/** Scheduler steps to here: of another number of processes as many as a training of theirs would have done. */
function stepsReached({ saved, interval, schedule, worldSize, place }: SavedRates): number {
  const { updates, epoch } = saved.train;
  if (interval === 'epoch') return epoch;
  const isOpen = Object.keys(schedule?.filled ?? {}).length > 0;
  return schedule !== undefined && isOpen && saved.world_size !== worldSize
    ? schedule.stepsWithin(place)
    : updates * saved.world_size;
}

/** What became of a schedule whose length is another one with today's processes; undefined where it is the same. */
function otherLength(request: SavedRates): string | undefined {
  const { saved, interval, schedule, worldSize } = request;
  if (interval === 'epoch' || saved.world_size === worldSize || schedule === undefined) return undefined;
  const before = saved.schedule ?? schedule.filled;
  const keys = changed(before, schedule.filled);
  if (keys.length === 0) return undefined;
  const lengths = keys.map((key) => `${key} ${before[key] ?? 'unset'} → ${schedule.filled[key] ?? 'unset'}`);
  return `lr_scheduler: ${lengths.join(', ')} with this number of processes; it goes on at the same share of the training, at step ${stepsReached(request)} of its own.`;
}

function sectionOf(value: unknown): Section | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
}
