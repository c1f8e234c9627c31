import { type SchedulerInterval, type StepCounts, schedulerLengths, type WarmupParams } from '../schedulerSteps.ts';
import { GreedyLR } from './greedy.ts';
import { ReduceLROnPlateau } from './plateau.ts';
import type { LearningRateScheduler } from './scheduler.ts';

export interface FilledOptions {
  readonly options: Readonly<Record<string, unknown>>;
  /** What was filled in or replaced, for the log: `num_training_steps = 750`. */
  readonly notes: readonly string[];
}

/**
 * Gives a scheduler's options the numbers that only the trainer knows, where the target takes them and the config leaves
 * them open: `num_training_steps`, `num_warmup_steps`, and for one-cycle targets the length of the cycle.
 *
 * A target that takes `total_steps` gets the scheduler steps of the whole run, and `epochs` (which such configs carry for
 * steps_per_epoch · epochs) is left out: multiplying the run's total by the epochs once more would end the run in the
 * cycle's first part. Total and warm-up both come from the same `counts`, in epochs where the scheduler steps by epoch.
 *
 * @param target the scheduler's class or factory; without a declared `optionsSchema` nothing is filled
 */
export function fillSchedulerOptions(
  target: unknown,
  options: Readonly<Record<string, unknown>>,
  counts: StepCounts,
  warmup: WarmupParams = {},
  interval: SchedulerInterval = 'step',
): FilledOptions {
  const known = optionNames(target);
  const filled: Record<string, unknown> = { ...options };
  const notes: string[] = [];
  const open = (name: string) => known.has(name) && (filled[name] === undefined || filled[name] === null);
  const fill = (name: string, value: number) => {
    filled[name] = value;
    notes.push(`${name} = ${value}`);
  };
  const lengths = schedulerLengths(counts, warmup, interval);
  const { total } = lengths;
  if (open('num_training_steps')) fill('num_training_steps', total);
  if (open('num_warmup_steps')) fill('num_warmup_steps', lengths.warmup ?? 0);
  if (open('total_steps') && open('steps_per_epoch')) {
    delete filled.epochs;
    fill('total_steps', total);
  } else if (!known.has('total_steps') && open('steps_per_epoch')) {
    const epochs = typeof filled.epochs === 'number' ? filled.epochs : 1;
    fill('steps_per_epoch', Math.ceil(total / epochs));
  }
  return { options: filled, notes };
}

/** The keyword options that a class or factory declares; empty when it declares none. */
function optionNames(target: unknown): ReadonlySet<string> {
  if ((typeof target !== 'function' && typeof target !== 'object') || target === null) return new Set();
  const schema: unknown = Reflect.get(target, 'optionsSchema');
  const shape: unknown = typeof schema === 'object' && schema !== null ? Reflect.get(schema, 'shape') : undefined;
  return new Set(typeof shape === 'object' && shape !== null ? Object.keys(shape) : []);
}

/**
 * What one optimizer step means for the scheduler: a step per process, never beyond a schedule of fixed length (the last
 * group of a pass may be counted for more processes than it had).
 */
export function advanceScheduler(scheduler: LearningRateScheduler, processes: number, metric?: number): void {
  const end: unknown = Reflect.get(scheduler, 'totalSteps');
  for (let process = 0; process < processes; process++) {
    const done: unknown = Reflect.get(scheduler, 'lastEpoch');
    if (typeof end === 'number' && typeof done === 'number' && done >= end) return;
    scheduler.step(metric);
  }
}

/** Whether only the training itself can tell the rates, by the metric that it monitors. */
export function followsMetric(scheduler: LearningRateScheduler | null): boolean {
  return scheduler instanceof ReduceLROnPlateau || scheduler instanceof GreedyLR;
}
