import { z } from 'zod';
import { MeasuredNumber } from './number.ts';

/** The first place where two checkpoints or two records of the same steps differ. */
export const Difference = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('tensor'),
    /** `model.safetensors`, … */
    file: z.string(),
    name: z.string(),
    /** Place within the tensor; empty for a scalar. */
    index: z.array(z.number().int()),
    recorded: MeasuredNumber,
    replayed: MeasuredNumber,
    /** How many of its elements differ, and the largest difference among them. */
    elements: z.number().int(),
    size: z.number().int(),
    largest: MeasuredNumber,
    /** How many tensors of the file differ. */
    tensors: z.number().int(),
  }),
  /** A tensor that only one of them has, or that has another shape or dtype there. */
  z.object({ kind: z.literal('layout'), file: z.string(), name: z.string(), text: z.string() }),
  /** A value of `state.json`, by dotted path; values as JSON. */
  z.object({ kind: z.literal('state'), path: z.string(), recorded: z.string(), replayed: z.string() }),
  z.object({
    kind: z.literal('metric'),
    key: z.string(),
    step: z.number().int(),
    recorded: MeasuredNumber,
    replayed: MeasuredNumber,
    /** How many points differ. */
    points: z.number().int(),
  }),
  /** The replay did not write the checkpoint that the training wrote. */
  z.object({ kind: z.literal('not-written'), path: z.string() }),
]);
export type Difference = z.infer<typeof Difference>;

/** What a replay is held against. */
export const Evidence = z.enum(['next-checkpoint', 'this-checkpoint', 'record', 'second-replay']);
export type Evidence = z.infer<typeof Evidence>;

export const VerifyReport = z.object({
  /** Folder of the checkpoint. */
  checkpoint: z.string(),
  step: z.number().int(),
  epoch: z.number().int(),
  /** Every file has the hash and size that its manifest states, unless `damage` says what has not. */
  files: z.object({ count: z.number().int(), bytes: z.number() }),
  damage: z.object({ text: z.string(), nextBest: z.string().optional() }).optional(),
  /** Absent when no steps were asked for, and after damage. */
  replay: z
    .object({
      evidence: Evidence,
      /** Folder that the replay began from. */
      from: z.string(),
      /** Checkpoint that it was compared with. */
      against: z.string().optional(),
      fromStep: z.number().int(),
      toStep: z.number().int(),
      processes: z.number().int(),
      compared: z.object({ tensors: z.number().int(), values: z.number().int(), points: z.number().int() }),
      difference: Difference.optional(),
    })
    .optional(),
  /** What may explain a difference: the project's code has changed since, … */
  notes: z.array(z.string()),
});
export type VerifyReport = z.infer<typeof VerifyReport>;

/** Whether nothing was found wrong. */
export function isVerified(report: VerifyReport): boolean {
  return report.damage === undefined && report.replay?.difference === undefined;
}
