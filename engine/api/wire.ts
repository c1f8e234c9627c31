import { z } from 'zod';
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

// JSON has no NaN, Infinity or typed arrays; both are ordinary data here (a diverging loss, a series), so they get a tag.
const NUMBER_TAG = '$number';
const FLOATS_TAG = '$float64';

/** Text for one message. Float64Array becomes base64 of its little-endian bytes; NaN and infinities keep their value. */
export function encodeWire(message: WireMessage): string {
  return JSON.stringify(message, (_key, value: unknown) => {
    if (typeof value === 'number' && !Number.isFinite(value)) return { [NUMBER_TAG]: String(value) };
    if (value instanceof Float64Array) return { [FLOATS_TAG]: toBase64(value) };
    return value;
  });
}

/** The message in `text`. Throws a SyntaxError or ZodError when it is none. */
export function decodeWire(text: string): WireMessage {
  const value: unknown = JSON.parse(text, (_key, inner: unknown) => {
    if (typeof inner !== 'object' || inner === null) return inner;
    if (NUMBER_TAG in inner && typeof inner[NUMBER_TAG] === 'string') return Number(inner[NUMBER_TAG]);
    if (FLOATS_TAG in inner && typeof inner[FLOATS_TAG] === 'string') return fromBase64(inner[FLOATS_TAG]);
    return inner;
  });
  Envelope.parse(value);
  return value as WireMessage;
}

function toBase64(values: Float64Array): string {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  let binary = '';
  const step = 0x8000; // fromCharCode takes its bytes as arguments: too many overflow the stack
  for (let start = 0; start < bytes.length; start += step) {
    binary += String.fromCharCode(...bytes.subarray(start, start + step));
  }
  return btoa(binary);
}

function fromBase64(text: string): Float64Array {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let index = 0; index < binary.length; index++) bytes[index] = binary.charCodeAt(index);
  return new Float64Array(bytes.buffer);
}
