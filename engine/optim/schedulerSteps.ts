/**
 * How often a learning-rate scheduler steps, from what the trainer counts. The scheduler steps once per process at every
 * optimizer step; gradients sync every `accumulation` micro-steps and at the end of each pass over the loader.
 */
export interface StepCounts {
  /** Batches of the whole loader, before it is split over processes. */
  readonly loaderLength: number;
  readonly processes: number;
  /** `gradient_accumulation_steps` of the trainer. */
  readonly accumulation: number;
  readonly epochs: number;
  /** Micro-steps of an epoch; without it one pass over the loader. */
  readonly epochLength?: number | null | undefined;
}

/** Micro-steps of one pass over the loader on each process. */
export function passOutside({ loaderLength, processes }: StepCounts): number {
  return Math.ceil(loaderLength / processes);
}

/** Scheduler steps of one pass over the loader. */
export function passInside(counts: StepCounts): number {
  return Math.ceil(passOutside(counts) / counts.accumulation) * counts.processes;
}

/** Micro-steps of one epoch on each process. */
export function epochLengthOf(counts: StepCounts): number {
  return counts.epochLength ?? passOutside(counts);
}

/** Micro-steps of the whole run on each process. */
export function totalTrainingSteps(counts: StepCounts): number {
  return counts.epochs * epochLengthOf(counts);
}

/** Scheduler steps within the first `microSteps` micro-steps: the `updates(T)` of AccelHydra. */
export function schedulerUpdates(microSteps: number, counts: StepCounts): number {
  const outside = passOutside(counts);
  if (outside === 0) return 0;
  const passes = Math.floor(microSteps / outside);
  const rest = Math.floor((microSteps % outside) / counts.accumulation);
  return passes * passInside(counts) + rest * counts.processes;
}

/** Micro-steps after which the scheduler has stepped at least so often: the smallest T whose `schedulerUpdates` reach it. */
export function microStepsFor(updates: number, counts: StepCounts): number {
  const [outside, inside] = [passOutside(counts), passInside(counts)];
  if (inside === 0) return 0;
  const groups = Math.ceil((updates % inside) / counts.processes);
  return Math.floor(updates / inside) * outside + Math.min(groups * counts.accumulation, outside);
}

/** Scheduler steps of the whole run. */
export function totalUpdates(counts: StepCounts): number {
  return schedulerUpdates(totalTrainingSteps(counts), counts);
}

export interface WarmupParams {
  readonly warmup_steps?: number | null | undefined;
  readonly warmup_epochs?: number | null | undefined;
  /** Length of an epoch for `warmup_epochs`; by default the trainer's. */
  readonly epoch_length?: number | null | undefined;
}

/** Micro-steps of the warm-up: `warmup_steps`, otherwise `warmup_epochs` epochs, rounded down. */
export function warmupMicroSteps(warmup: WarmupParams, counts: StepCounts): number | undefined {
  if (typeof warmup.warmup_steps === 'number') return warmup.warmup_steps;
  if (typeof warmup.warmup_epochs !== 'number') return undefined;
  return Math.floor(warmup.warmup_epochs * (warmup.epoch_length ?? epochLengthOf(counts)));
}

/** Scheduler steps of the warm-up, by the same map as the total; undefined when no warm-up is asked for. */
export function warmupUpdates(warmup: WarmupParams, counts: StepCounts): number | undefined {
  const microSteps = warmupMicroSteps(warmup, counts);
  return microSteps === undefined ? undefined : schedulerUpdates(microSteps, counts);
}

/** What a scheduler's own steps are: optimizer steps, or epochs (trainer.lr_scheduler_interval). */
export type SchedulerInterval = 'step' | 'epoch';

/** How often the scheduler steps in the whole run, and in its warm-up where there is one; an epoch begun is none. */
export function schedulerLengths(
  counts: StepCounts,
  warmup: WarmupParams,
  interval: SchedulerInterval,
): { readonly total: number; readonly warmup: number | undefined } {
  if (interval === 'step') return { total: totalUpdates(counts), warmup: warmupUpdates(warmup, counts) };
  const microSteps = warmupMicroSteps(warmup, counts);
  const epoch = Math.max(1, epochLengthOf(counts));
  return { total: counts.epochs, warmup: microSteps === undefined ? undefined : Math.floor(microSteps / epoch) };
}
