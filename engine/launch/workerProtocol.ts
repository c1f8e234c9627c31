import { z } from 'zod';
import { WorkerReport } from '../api/training.ts';
import { ChildFailure } from '../process/childFailure.ts';

/** How a training ended by itself. `recycled`: a new process is to go on from the newest checkpoint. */
export const WorkerOutcome = z.enum(['completed', 'stopped', 'recycled']);
export type WorkerOutcome = z.infer<typeof WorkerOutcome>;

/** What a worker tells its launcher. */
export const WorkerMessage = z.discriminatedUnion('type', [
  /** Config, objects and the other ranks are there: training begins. `backend` in words, for a person. */
  z.object({ type: z.literal('ready'), backend: z.string() }),
  z.object({ type: z.literal('reports'), reports: z.array(WorkerReport) }),
  /** Asks to hear when all reports so far are in the run's folder. */
  z.object({ type: z.literal('keep'), id: z.number().int() }),
  /** A signal asked this process to stop; the launcher asks all of them. */
  z.object({ type: z.literal('stop-requested') }),
  z.object({ type: z.literal('ended'), outcome: WorkerOutcome }),
  z.object({ type: z.literal('failed'), failure: ChildFailure }),
]);
export type WorkerMessage = z.infer<typeof WorkerMessage>;

/** What a launcher tells its workers. */
export const LauncherMessage = z.discriminatedUnion('type', [
  z.object({ type: z.literal('stop') }),
  /** The answer to `keep`. */
  z.object({ type: z.literal('kept'), id: z.number().int() }),
]);
export type LauncherMessage = z.infer<typeof LauncherMessage>;

/** Environment variables of a worker; those that others also set have the names that torchrun and accelerate use. */
export const WorkerEnvironment = z.object({
  RANK: z.coerce.number().int().nonnegative(),
  WORLD_SIZE: z.coerce.number().int().positive(),
  ACCELHYDRA_RUN_DIR: z.string(),
  /** Where the ranks meet; absent for a single process. */
  ACCELHYDRA_RANKS_ADDRESS: z.string().optional(),
  ACCELHYDRA_RANKS_TOKEN: z.string().optional(),
  ACCELHYDRA_RESUME_FROM: z.string().optional(),
});
export type WorkerEnvironment = z.infer<typeof WorkerEnvironment>;

/** Exit codes of workers and launchers. */
export const exitCodes = {
  done: 0,
  failed: 1,
  /** Another process is to go on from the newest checkpoint. */
  recycled: 69,
  /** The launcher went away. */
  abandoned: 70,
  /** A second signal ended the process at once. */
  interrupted: 130,
  killed: 137,
} as const;
