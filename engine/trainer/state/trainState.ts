import { z } from 'zod';

/** Where a training stands: everything that decides what the next step is. JSON. */
export const TrainState = z.object({
  /** Epochs completed. */
  epoch: z.number().int().nonnegative(),
  /** Micro-batches done since the start of the run. */
  step: z.number().int().nonnegative(),
  /** Optimizer steps done. */
  updates: z.number().int().nonnegative(),
  /** Pass over the loader and the next batch in it, as counted on each rank. */
  pass: z.number().int().nonnegative(),
  batch: z.number().int().nonnegative(),
  /** Micro-batches whose gradients wait for the next optimizer step. */
  accumulated: z.number().int().nonnegative(),
  /** The gradient norm is still to be logged at the next optimizer step. */
  gradNormDue: z.boolean(),
  /** Times the run went back to a checkpoint because of a loss or gradient gone wrong. */
  rollbacks: z.number().int().nonnegative().default(0),
  /** Steps that the epochs so far had more than as many of today's length; another number of ranks changes that length. */
  offset: z.number().int().default(0),
});
export type TrainState = z.infer<typeof TrainState>;

export const freshState: TrainState = {
  epoch: 0,
  step: 0,
  updates: 0,
  pass: 0,
  batch: 0,
  accumulated: 0,
  gradNormDue: false,
  rollbacks: 0,
  offset: 0,
};

/** The step that the epoch began with. */
export function epochStart({ epoch, offset }: Pick<TrainState, 'epoch' | 'offset'>, epochLength: number): number {
  return epoch * epochLength + offset;
}
