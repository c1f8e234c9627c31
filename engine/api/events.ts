import { z } from 'zod';
import { Progress } from './training.ts';

/** Events say what changed; readers ask for what they can draw. */
export const EngineEvent = z.discriminatedUnion('type', [
  /** Files of the project's config tree changed on disk (relative paths). */
  z.object({ type: z.literal('config.changed'), files: z.array(z.string()) }),
  /** The project that the engine works on is another one now. */
  z.object({ type: z.literal('project.changed') }),
  /** Rows appeared or disappeared. */
  z.object({ type: z.literal('runs.changed') }),
  /** A run's status or properties changed. */
  z.object({ type: z.literal('run.changed'), runId: z.string() }),
  z.object({ type: z.literal('run.progress'), runId: z.string(), progress: Progress }),
  /** Points of these keys are in the store now. */
  z.object({ type: z.literal('metrics.appended'), runId: z.string(), keys: z.array(z.string()), lastStep: z.number() }),
  z.object({ type: z.literal('checkpoints.changed'), runId: z.string() }),
  /** Images, audio, text, histograms or tables of these names are in the store now; none named: some are gone. */
  z.object({ type: z.literal('media.appended'), runId: z.string(), keys: z.array(z.string()) }),
  z.object({ type: z.literal('log.appended'), runId: z.string(), file: z.string() }),
  z.object({ type: z.literal('inference.progress'), sessionId: z.string(), done: z.number(), total: z.number() }),
  z.object({ type: z.literal('inference.ended'), sessionId: z.string(), reason: z.string() }),
  z.object({ type: z.literal('settings.changed') }),
]);
export type EngineEvent = z.infer<typeof EngineEvent>;
