import { z } from 'zod';
import { EngineError } from '../../api/errors.ts';
import { MeasuredNumber } from '../../api/number.ts';
import type { StreamState } from '../../data/index.ts';
import { epochStart, TrainState } from './trainState.ts';

const RandomStateSchema = z.object({
  algorithm: z.literal('philox4x32-10'),
  seed: z.number(),
  stream: z.number(),
  position: z.number(),
});

const StreamStateSchema = z.object({
  dataset: z.string(),
  reads: z.enum(['whole', 'share']),
  batch_size: z.number().int().positive(),
  world_size: z.number().int().positive(),
  workers: z.number().int().positive(),
  readers: z
    .array(
      z.object({
        worker: z.number().int().nonnegative(),
        next: z.number().int().positive(),
        holder: z.enum(['iterator', 'dataset']),
        state: z.unknown(),
      }),
    )
    .min(1)
    .readonly(),
}) satisfies z.ZodType<StreamState>;

/** The part of a checkpoint that is neither weights nor optimizer slots. */
export const SavedState = z.object({
  format: z.literal(1),
  train: TrainState,
  seed: z.number(),
  world_size: z.number().int().positive(),
  epoch_length: z.number().int().positive(),
  /** The trainer's random numbers, by rank. */
  random: z.array(RandomStateSchema),
  optimizer: z.unknown(),
  scheduler: z.record(z.string(), z.unknown()).nullable(),
  /** Numbers of the schedule that the config left open, as they were filled in. */
  schedule: z.record(z.string(), z.number()).nullish(),
  monitor: z
    .object({
      metric_name: z.string(),
      mode: z.enum(['min', 'max']),
      best_value: MeasuredNumber.nullable(),
      worse_count: z.number().int().nonnegative(),
    })
    .nullable(),
  /** Averaged weights' counters; the averages are tensors beside. */
  ema: z.object({ decay: z.number(), updates: z.number().int().nonnegative() }).nullish(),
  /** With fp16: what the loss is multiplied by. */
  scaler: z.object({ scale: z.number().positive(), growth_tracker: z.number().int().nonnegative() }).nullish(),
  /** What the loss is compared with to find spikes. */
  spikes: z.object({ recent: z.array(z.number()).readonly(), in_a_row: z.number().int().nonnegative() }).nullish(),
  /** How steps ran where graphs are made of them (trainer.compile), so that a resumed training goes on to the bit. */
  steps: z.enum(['graph', 'host', 'eager']).nullish(),
  graphs: z
    .object({
      made: z.number().int().nonnegative(),
      asked: z.number().int().nonnegative(),
      kept: z.array(z.string()).readonly(),
    })
    .nullish(),
  /** Where the data stands, by rank, where it is a stream that says so. */
  streams: z.array(StreamStateSchema.nullable()).nullish(),
  /** Of the last validation. */
  metrics: z.record(z.string(), MeasuredNumber),
  /** States of checkpoint_objects, rank 0's; with several processes every rank's besides. */
  custom: z.array(z.unknown()),
  custom_by_rank: z.array(z.array(z.unknown())).optional(),
});
export type SavedState = z.infer<typeof SavedState>;

/** Throws `trainer.resume` when a checkpoint's state was not written by a trainer of this format. */
export function readSavedState(value: unknown, folder: string): SavedState {
  const parsed = SavedState.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new EngineError(
    'trainer.resume',
    `${folder} cannot be resumed from: its state is not a trainer's of this version (${issue?.path.join('.')}: ${issue?.message}).`,
    { folder, path: issue?.path.join('.') },
  );
}

/**
 * The counters to go on with. On another number of ranks the place in the data is that of the same number of samples,
 * rounded up to a whole round of batches; an unfinished accumulation belongs to the old ranks and is begun anew.
 * Where an epoch has another length by now, the current one goes on at the same share of it: steps are never counted anew.
 */
export function rescaleCursor(saved: SavedState, worldSize: number, epochLength: number): TrainState {
  const share = (saved.train.step - epochStart(saved.train, saved.epoch_length)) / saved.epoch_length;
  const offset = saved.train.step - Math.round(share * epochLength) - saved.train.epoch * epochLength;
  const train = { ...saved.train, offset };
  if (saved.world_size === worldSize) return train;
  return { ...train, batch: Math.ceil((train.batch * saved.world_size) / worldSize), accumulated: 0 };
}
