import { z } from 'zod';
import { serializeError } from '../api/errors.ts';

/** An error as it crosses the channel between a child and its parent. */
export const ChildFailure = z.object({
  code: z.string(),
  message: z.string(),
  details: z.record(z.string(), z.unknown()),
});
export type ChildFailure = z.infer<typeof ChildFailure>;

/** An error in the form that crosses the channel: details that cannot be cloned are left out. */
export function failureOf(error: unknown): ChildFailure {
  const { code, message, details } = serializeError(error);
  try {
    return { code, message, details: structuredClone({ ...details }) };
  } catch {
    return { code, message, details: {} };
  }
}
