import { z } from 'zod';
import { parseExact, stringifyExact } from '../base/exactJson.ts';
import type { SerializedError } from './errors.ts';
import type { EngineEvent } from './events.ts';

/** What travels between a client and the engine, in either direction, whatever carries it. */
export type WireMessage =
  | { readonly type: 'call'; readonly id: number; readonly name: string; readonly input: unknown }
  | { readonly type: 'cancel'; readonly id: number }
  | { readonly type: 'result'; readonly id: number; readonly output: unknown }
  | { readonly type: 'error'; readonly id: number; readonly error: SerializedError }
  | { readonly type: 'event'; readonly event: EngineEvent };

const Envelope = z.object({ type: z.enum(['call', 'cancel', 'result', 'error', 'event']) });

/** Text for one message; NaN, infinities and Float64Array (a series) survive it. */
export function encodeWire(message: WireMessage): string {
  return stringifyExact(message);
}

/** The message in `text`. Throws a SyntaxError or ZodError when it is none. */
export function decodeWire(text: string): WireMessage {
  const value = parseExact(text);
  Envelope.parse(value);
  return value as WireMessage;
}
