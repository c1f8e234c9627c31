import { z } from 'zod';
import { LauncherEvent, LauncherStatus } from '../api/launch.ts';
import { parseExact, stringifyExact } from '../base/exactJson.ts';

/** The control channel of a run: JSON, one message a line, requests numbered by the client. */
export const ControlCommand = z.enum(['status', 'stop', 'kill', 'subscribe']);
export type ControlCommand = z.infer<typeof ControlCommand>;

export const ControlRequest = z.object({ id: z.number().int(), command: ControlCommand });
export type ControlRequest = z.infer<typeof ControlRequest>;

export const ControlMessage = z.union([
  z.object({ id: z.number().int(), status: LauncherStatus }),
  z.object({ id: z.number().int(), error: z.object({ code: z.string(), message: z.string() }) }),
  z.object({ event: LauncherEvent }),
]);
export type ControlMessage = z.infer<typeof ControlMessage>;

/** A message longer than this is no message of ours. */
const longestLine = 1024 * 1024;

export function encodeLine(message: ControlRequest | ControlMessage): string {
  return `${stringifyExact(message)}\n`;
}

/** Cuts a stream into lines and parses each; a line that is not JSON comes out as `undefined`. */
export class LineReader {
  #rest = '';

  /** Throws when a line grows beyond all measure. */
  push(chunk: string, onMessage: (message: unknown) => void): void {
    const lines = (this.#rest + chunk).split('\n');
    this.#rest = lines.pop() ?? '';
    if (this.#rest.length > longestLine) throw new Error('a line of the control channel is too long');
    for (const line of lines) if (line !== '') onMessage(parseLine(line));
  }
}

function parseLine(line: string): unknown {
  try {
    return parseExact(line);
  } catch {
    return undefined;
  }
}
