import { z } from 'zod';
import { LaunchRequest } from './launchModel.ts';

/** What will happen when a config is trained, worked out without running a step of it. */

export const FlightPlanRequest = LaunchRequest.extend({
  /** At most so many points of each learning rate come back; all of them unless given. */
  maxPoints: z.number().int().min(2).optional(),
});
export type FlightPlanRequest = z.infer<typeof FlightPlanRequest>;

export const PlanEventKind = z.enum([
  'loss-log',
  'grad-norm-log',
  'validation',
  'step-checkpoint',
  'epoch-checkpoint',
  'best-checkpoint',
  'permanent-checkpoint',
]);
export type PlanEventKind = z.infer<typeof PlanEventKind>;

/** Everything of one kind that will happen. Steps count micro-batches done, as the run's own record does. */
export const PlanEvents = z.object({
  kind: PlanEventKind,
  count: z.number().int().nonnegative(),
  /** Its steps, in order; of very many the first ones and the last. */
  steps: z.array(z.number().int()),
  /** Whether `steps` leaves some out. */
  isCut: z.boolean(),
  /** Distance of the steps, where it is the same throughout. */
  every: z.number().int().optional(),
});
export type PlanEvents = z.infer<typeof PlanEvents>;

/** The rate of a parameter group at its optimizer steps: equal-length columns. */
export const PlannedRate = z.object({
  /** `group 0`, or several groups that go alike: `groups 0, 1`. */
  label: z.string(),
  /** Step (micro-batch) whose optimizer step uses the rate. */
  step: z.instanceof(Float64Array),
  rate: z.instanceof(Float64Array),
  /** Points before thinning out. */
  totalPoints: z.number().int(),
});
export type PlannedRate = z.infer<typeof PlannedRate>;

export const PlanWarning = z.object({
  /** For programs: `schedule-ends-early`, `monitor-not-computed`… */
  code: z.string(),
  /** For people: what, and what to do. */
  text: z.string(),
});
export type PlanWarning = z.infer<typeof PlanWarning>;

export const FlightPlan = z.object({
  processes: z.number().int().positive(),
  trainer: z.string(),
  epochs: z.number().int().nonnegative(),
  /** Steps of an epoch, and of one pass over the loader on each process (absent where the data does not say). */
  epochLength: z.number().int().positive(),
  passLength: z.number().int().positive().optional(),
  totalSteps: z.number().int().nonnegative(),
  accumulation: z.number().int().positive(),
  optimizerSteps: z.number().int().nonnegative(),
  /** Samples that one optimizer step sees over all processes, where batches have a fixed size. */
  samplesPerUpdate: z.number().int().positive().optional(),
  schedule: z
    .object({
      name: z.string(),
      interval: z.enum(['step', 'epoch']),
      /** How often the scheduler will step, by the loop; and what AccelHydra's arithmetic tells it. */
      steps: z.number().int().nonnegative(),
      expectedSteps: z.number().int().nonnegative(),
      /** Its rates follow a metric, so they are not known before. */
      followsMetric: z.boolean(),
    })
    .optional(),
  warmup: z.object({ steps: z.number().int(), schedulerSteps: z.number().int() }).optional(),
  rates: z.array(PlannedRate),
  events: z.array(PlanEvents),
  parameters: z.object({ total: z.number().int(), trainable: z.number().int() }),
  disk: z.object({
    folder: z.string(),
    modelBytes: z.number(),
    optimizerBytes: z.number(),
    /** Averaged weights; 0 where none are kept. */
    emaBytes: z.number(),
    /** Of one checkpoint. */
    checkpointBytes: z.number(),
    /** Checkpoints that lie there at the end. */
    checkpoints: z.number().int(),
    endBytes: z.number(),
    /** The most that is needed at any time: the new one is written before an old one goes. */
    peakBytes: z.number(),
    freeBytes: z.number().optional(),
  }),
  warnings: z.array(PlanWarning),
});
export type FlightPlan = z.infer<typeof FlightPlan>;
