import { z } from 'zod';
import { LaunchOptions } from './launch.ts';

/** How a person asks for a run in the launcher page or on the command line. */
export const LaunchRequest = LaunchOptions.extend({
  configName: z.string(),
  overrides: z.array(z.string()),
  /** Path of an accelerate launch file, relative to the project. */
  launchFile: z.string().optional(),
  name: z.string().optional(),
  /** As in a ComposeRequest. */
  searchPath: z.array(z.string()).optional(),
});
export type LaunchRequest = z.infer<typeof LaunchRequest>;

export const LaunchPreview = z.object({
  command: z.string(),
  processes: z.array(z.object({ rank: z.number().int(), device: z.string(), threads: z.number().int() })),
  expDir: z.string(),
  /** Checkpoint that a new run would go on from: `launch.plan` looks whether it could. */
  resumeFrom: z.string().optional(),
  /** Things that keep the launch from starting, each a sentence with what to do. */
  problems: z.array(z.string()),
  warnings: z.array(z.string()),
});
export type LaunchPreview = z.infer<typeof LaunchPreview>;

/** From where a run goes on, or branches off, and with what. */
export const ContinueRequest = z.object({
  runId: z.string(),
  /** Checkpoint folder within the run: `checkpoints/epoch_3`. */
  checkpoint: z.string().optional(),
  /** Instead: the checkpoint of this step. Without either the newest by step. */
  step: z.number().int().nonnegative().optional(),
  /** Hydra overrides on the run's saved config; a resumed run takes only some. */
  overrides: z.array(z.string()).default([]),
  /** Another spread over processes and devices than the run had. */
  launch: LaunchOptions.optional(),
});
export type ContinueRequest = z.infer<typeof ContinueRequest>;
