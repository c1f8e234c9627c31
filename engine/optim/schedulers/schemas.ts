import { z } from 'zod';

export const positiveInteger = z.number().int().positive();

export const lastEpoch = z
  .number()
  .int()
  .min(-1)
  .default(-1)
  .describe('last step done by an earlier scheduler; -1 starts afresh');

export const fraction = z.number().min(0).max(1);

/** One number for all parameter groups, or one per group. */
export const numberPerGroup = z.union([z.number(), z.array(z.number())]);
