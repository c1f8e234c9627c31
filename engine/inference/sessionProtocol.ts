import { z } from 'zod';
import { ModelSignature, PredictInput, Prediction, SamplePage } from '../api/inferenceModel.ts';
import { ChildFailure } from '../process/childFailure.ts';

/** What a session's process needs to know, given to it as its first message. */
export const SessionStart = z.object({
  type: z.literal('start'),
  projectRoot: z.string(),
  /** Folder of the run, absolute. */
  expDir: z.string(),
  /** Folder of the checkpoint, absolute. */
  checkpoint: z.string(),
  useEma: z.boolean().optional(),
  backend: z.string().optional(),
  threads: z.number().int().positive().optional(),
});
export type SessionStart = z.infer<typeof SessionStart>;

export const SessionRequest = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('predict'),
    id: z.number().int(),
    input: PredictInput,
    arguments: z.record(z.string(), z.union([z.number(), z.boolean()])),
  }),
  z.object({
    type: z.literal('samples'),
    id: z.number().int(),
    split: z.string(),
    offset: z.number().int().nonnegative(),
    limit: z.number().int().positive(),
  }),
]);
export type SessionRequest = z.infer<typeof SessionRequest>;

/** What the process says of the model once it is loaded. */
export const SessionDescription = z.object({
  signature: ModelSignature,
  backend: z.string(),
  parameters: z.number().int(),
  step: z.number().int(),
  epoch: z.number().int(),
  hasAverages: z.boolean(),
  isAveraged: z.boolean(),
  splits: z.array(z.string()),
});
export type SessionDescription = z.infer<typeof SessionDescription>;

export const SessionMessage = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready'), description: SessionDescription }),
  /** The model could not be loaded; the process ends. */
  z.object({ type: z.literal('failed'), failure: ChildFailure }),
  z.object({ type: z.literal('prediction'), id: z.number().int(), prediction: Prediction }),
  z.object({ type: z.literal('samples'), id: z.number().int(), page: SamplePage }),
  z.object({ type: z.literal('refused'), id: z.number().int(), failure: ChildFailure }),
]);
export type SessionMessage = z.infer<typeof SessionMessage>;
