import { z } from 'zod';
import { ChildFailure } from '../../process/childFailure.ts';

/** What an export process is to do, given to it as its first message. */
export const ExportStart = z.object({
  type: z.literal('start'),
  projectRoot: z.string(),
  /** A checkpoint's folder, a .safetensors file, or a run's folder. Absolute. */
  target: z.string(),
  /** Folder that gets the model; `export/CHECKPOINT` in the run's folder unless given. Absolute. */
  output: z.string().optional(),
  /** Whether an exported model that is there may be replaced. */
  overwrite: z.boolean(),
  /** Averaged weights where the checkpoint has them. */
  useEma: z.boolean(),
  /** One sample's shape, where the model's signature does not say. */
  inputShape: z.array(z.number().int().positive()).optional(),
  inputType: z.enum(['float32', 'int32']).optional(),
  /** Exactly this batch size; any unless given. */
  batchSize: z.number().int().positive().optional(),
});
export type ExportStart = z.infer<typeof ExportStart>;

const Port = z.object({ name: z.string(), dtype: z.string(), shape: z.array(z.number().int()) });

export const ExportDone = z.object({
  output: z.string(),
  checkpoint: z.string(),
  step: z.number().int(),
  epoch: z.number().int(),
  isAveraged: z.boolean(),
  input: Port,
  outputs: z.array(Port),
  /** Why the batch size is fixed although any was wanted. */
  fixedBecause: z.string().optional(),
  operations: z.number().int(),
  parameters: z.number().int(),
  bytes: z.number().int(),
  /** Largest difference between the model and the exported graph, loaded again, on a batch of random numbers. */
  difference: z.number(),
});
export type ExportDone = z.infer<typeof ExportDone>;

export const ExportMessage = z.discriminatedUnion('type', [
  z.object({ type: z.literal('note'), text: z.string() }),
  z.object({ type: z.literal('done'), result: ExportDone }),
  z.object({ type: z.literal('failed'), failure: ChildFailure }),
]);
export type ExportMessage = z.infer<typeof ExportMessage>;
