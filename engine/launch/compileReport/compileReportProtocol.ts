import { z } from 'zod';
import { ChildFailure } from '../../process/childFailure.ts';

/** What a process is to report on, given to it as its first message. */
export const CompileReportStart = z.object({
  type: z.literal('report'),
  projectRoot: z.string(),
  /** Composed, interpolations kept. */
  configYaml: z.string(),
  /** Where each value was written, by dotted path, for errors. */
  origins: z.unknown(),
  threads: z.number().int().positive(),
  /** Steps of each of the two trainings. */
  steps: z.number().int().positive(),
  /** Folder that gets the graphs. Absolute. */
  output: z.string(),
});
export type CompileReportStart = z.infer<typeof CompileReportStart>;

/** How often which operation, most frequent first. */
const Kinds = z.array(z.object({ op: z.string(), count: z.number().int() }));

const GraphReport = z.object({
  signature: z.string(),
  isHost: z.boolean(),
  /** Why it does, where that was seen, with the user's line. */
  hostWhy: z.string().optional(),
  parts: z.array(z.string()),
  recorded: z.number().int(),
  operations: z.number().int(),
  nodes: z.number().int(),
  kinds: Kinds,
  /** After TensorFlow's optimiser, without what holds, feeds and fetches values; absent where it was not told. */
  optimised: z.object({ operations: z.number().int(), kinds: Kinds }).optional(),
  constants: z.object({
    count: z.number().int(),
    bytes: z.number().int(),
    /** By the line of the project's code that made them, or called the layer that did. */
    own: z.array(z.object({ place: z.string(), count: z.number().int(), bytes: z.number().int() })),
  }),
  varying: z.number().int(),
  milliseconds: z.number(),
  /** GraphDef, for Netron. */
  file: z.string(),
});
export type GraphReport = z.infer<typeof GraphReport>;

export const CompileReport = z.object({
  backend: z.string(),
  /** trainer.compile as the config has it; a `false` is tried as 'auto'. */
  mode: z.union([z.boolean(), z.literal('auto')]),
  steps: z.number().int(),
  graphs: z.array(GraphReport),
  refusal: z.object({ reason: z.string(), place: z.string().optional() }).optional(),
  /** What the trainer said meanwhile. */
  notes: z.array(z.string()),
  /** Milliseconds of a step: the median of those after the first ones, the better of two trainings. */
  eagerMs: z.number(),
  compiledMs: z.number().optional(),
  /** Folder for TensorBoard's --logdir, where there is a graph. */
  logdir: z.string().optional(),
});
export type CompileReport = z.infer<typeof CompileReport>;

export const CompileReportMessage = z.discriminatedUnion('type', [
  z.object({ type: z.literal('note'), text: z.string() }),
  z.object({ type: z.literal('done'), report: CompileReport }),
  z.object({ type: z.literal('failed'), failure: ChildFailure }),
]);
export type CompileReportMessage = z.infer<typeof CompileReportMessage>;
