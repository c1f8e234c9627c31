import { z } from 'zod';
import { FlightPlan } from '../api/planModel.ts';
import { ChildFailure } from '../process/childFailure.ts';

/**
 * What a planning process is to plan, or only to check: whether the training could go on from `resumeFrom`. Given to it
 * as its first message.
 */
export const PlanStart = z.object({
  type: z.enum(['plan', 'check']),
  projectRoot: z.string(),
  /** Folder that the run would have. */
  expDir: z.string(),
  /** Composed, interpolations kept. */
  configYaml: z.string(),
  /** Where each value was written, by dotted path, for errors. */
  origins: z.unknown(),
  processes: z.number().int().positive(),
  maxPoints: z.number().int().optional(),
  /** Checkpoint that the training is to go on from, absolute. */
  resumeFrom: z.string().optional(),
});
export type PlanStart = z.infer<typeof PlanStart>;

export const PlanMessage = z.discriminatedUnion('type', [
  z.object({ type: z.literal('planned'), plan: FlightPlan }),
  z.object({ type: z.literal('checked') }),
  z.object({ type: z.literal('failed'), failure: ChildFailure }),
]);
export type PlanMessage = z.infer<typeof PlanMessage>;
