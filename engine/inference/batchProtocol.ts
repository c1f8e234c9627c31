import { z } from 'zod';
import { ChildFailure } from '../process/childFailure.ts';

/** What a batch inference process is to do, given to it as its first message. */
export const BatchStart = z.object({
  type: z.literal('start'),
  projectRoot: z.string(),
  configName: z.string(),
  overrides: z.array(z.string()),
  searchPath: z.array(z.string()).optional(),
  threads: z.number().int().positive().optional(),
});
export type BatchStart = z.infer<typeof BatchStart>;

/** Asks it to end soon; what was computed so far is not kept. */
export const BatchStop = z.object({ type: z.literal('stop') });

export const BatchDone = z.object({
  outputDir: z.string(),
  expDir: z.string(),
  checkpoint: z.string(),
  step: z.number().int(),
  epoch: z.number().int(),
  samples: z.number().int(),
  metrics: z.record(z.string(), z.union([z.number(), z.nan()])),
  elapsedMs: z.number(),
});
export type BatchDone = z.infer<typeof BatchDone>;

export const BatchMessage = z.discriminatedUnion('type', [
  z.object({ type: z.literal('note'), text: z.string() }),
  z.object({ type: z.literal('progress'), done: z.number().int(), total: z.number().int().optional() }),
  z.object({ type: z.literal('done'), result: BatchDone }),
  z.object({ type: z.literal('failed'), failure: ChildFailure }),
]);
export type BatchMessage = z.infer<typeof BatchMessage>;
