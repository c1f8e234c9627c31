import type { MixedPrecision } from '../api/launch.ts';
import type { Collective, Reporter } from '../api/training.ts';
import { type Clock, systemClock } from '../base/clock.ts';
import type { CompileListener } from './compile/compileListener.ts';

/** Whether somebody asked the training to save and end. Polled between steps. */
export interface StopSignal {
  readonly requested: boolean;
}

/** Steps and epochs done. At the end of an epoch the step alone means before its validation. */
export interface StopPoint {
  readonly step: number;
  readonly epoch: number;
}

/** What of a schedule depends on lengths and on the number of processes. */
export interface ScheduleLength {
  /** Numbers of `lr_scheduler` that the config left open: num_training_steps, num_warmup_steps, total_steps. */
  readonly filled: Readonly<Record<string, number>>;
  /** Scheduler steps that a training of this length does within its first micro-steps. */
  stepsWithin(microSteps: number): number;
}

/** What a trainer gets from whoever runs it, as opposed to its config. */
export interface TrainerEnvironment {
  readonly collective: Collective;
  readonly reporter: Reporter;
  readonly stop: StopSignal;
  readonly clock: Clock;
  /** Decides initial weights, orders and noise. */
  readonly seed: number;
  /** The run's folder, to which reported paths are relative; the trainer's project_dir when absent. */
  readonly runDir?: string | undefined;
  /** Checkpoint folder to go on from; goes before the trainer's own resume_from_checkpoint. */
  readonly resumeFrom?: string | undefined;
  /** Whether a process that ends as `recycled` is replaced by one that goes on from the newest checkpoint. */
  readonly canRecycle?: boolean | undefined;
  /** Saves and ends once so many steps and epochs are done, as a stop would: for replays. */
  readonly until?: StopPoint | undefined;
  /** fp16 scales the loss; what computes in half precision is the backend's affair. */
  readonly mixedPrecision?: MixedPrecision | undefined;
  /** Hears which steps were compiled: for reports. */
  readonly compileListener?: CompileListener | undefined;
  /** Of the schedule, where the config left its length open. */
  readonly schedule?: ScheduleLength | undefined;
  /** Recorded at the start: the resolved config. */
  readonly hyperparameters?: Readonly<Record<string, unknown>> | undefined;
}

/** One process, nobody listening: for a trainer that project code starts by itself. */
export function standaloneEnvironment(): TrainerEnvironment {
  return {
    collective: {
      rank: 0,
      worldSize: 1,
      allReduce: () => Promise.resolve(),
      broadcast: () => Promise.resolve(),
      allGather: (value) => Promise.resolve([value]),
      barrier: () => Promise.resolve(),
    },
    reporter: { report: () => undefined, flush: () => Promise.resolve() },
    stop: { requested: false },
    clock: systemClock,
    seed: 0,
  };
}
