import { z } from 'zod';

export const ProjectInfo = z.object({
  /** Absolute folder of the project on the engine's machine. */
  root: z.string(),
  name: z.string(),
  configDir: z.string(),
  /** Primary configs (files at the config root) that can be composed. */
  configNames: z.array(z.string()),
  defaultConfig: z.string(),
  inferenceConfig: z.string().optional(),
  sourceRoots: z.array(z.string()),
  /** Project code runs only in a trusted project. */
  trusted: z.boolean(),
});
export type ProjectInfo = z.infer<typeof ProjectInfo>;

export const RecentProject = z.object({
  root: z.string(),
  name: z.string(),
  openedAt: z.number(),
  missing: z.boolean(),
});
export type RecentProject = z.infer<typeof RecentProject>;

export const Settings = z.object({
  theme: z.enum(['system', 'light', 'dark']),
  /** Decimal places or SI; how many points a chart smooths over (exponential moving average, 0 = off). */
  chartSmoothing: z.number().min(0).max(0.999),
  defaultProcesses: z.number().int().positive().optional(),
});
export type Settings = z.infer<typeof Settings>;
