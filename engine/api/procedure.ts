import type { z } from 'zod';

/** One ability of the engine: what it takes and what it gives. Both sides validate at the transport's edge. */
export interface Procedure<I extends z.ZodType = z.ZodType, O extends z.ZodType = z.ZodType> {
  readonly input: I;
  readonly output: O;
}

export type Contract = Readonly<Record<string, Procedure>>;

export function procedure<I extends z.ZodType, O extends z.ZodType>(input: I, output: O): Procedure<I, O> {
  return { input, output };
}
