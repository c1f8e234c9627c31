import { closeSync, fstatSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { EngineError } from '../api/errors.ts';
import type { LogChunk } from '../api/runModel.ts';
import { runFiles } from './runFolder.ts';

export interface LogFile {
  /** Name within the run's `logs` folder: `rank0.log`. */
  readonly file: string;
  readonly bytes: number;
}

/** Log files of a run, by name. */
export function listLogFiles(expDir: string): LogFile[] {
  const folder = join(expDir, runFiles.logs);
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.log'))
      .map((entry) => ({ file: entry.name, bytes: statSync(join(folder, entry.name)).size }))
      .sort((a, b) => a.file.localeCompare(b.file, 'en', { numeric: true }));
  } catch {
    return []; // no logs yet
  }
}

/** Bytes of each log by name; see `listLogFiles`. */
export function logSizes(expDir: string): Record<string, number> {
  return Object.fromEntries(listLogFiles(expDir).map(({ file, bytes }) => [file, bytes]));
}

/**
 * A piece of a log: from byte `start`, or the end of the file when absent. Pieces begin and end at whole characters, so
 * that following chunks join without damage. Throws `runs.log-not-found` for a name that is no log of the run.
 */
export function readLogChunk(expDir: string, file: string, start: number | undefined, maxBytes: number): LogChunk {
  if (!listLogFiles(expDir).some((known) => known.file === file)) {
    throw new EngineError('runs.log-not-found', `The run has no log '${file}'.`, { file });
  }
  const descriptor = openSync(join(expDir, runFiles.logs, file), 'r');
  try {
    const size = fstatSync(descriptor).size;
    const from = Math.min(start ?? Math.max(0, size - maxBytes), size);
    const bytes = Buffer.alloc(Math.min(maxBytes, size - from));
    const length = readSync(descriptor, bytes, 0, bytes.length, from);
    const head = from === 0 ? 0 : leadingContinuation(bytes, length);
    const end = length - tornTail(bytes, length);
    const text = end > head ? bytes.toString('utf8', head, end) : '';
    return { file, text, start: from + head, end: from + Math.max(head, end), size };
  } finally {
    closeSync(descriptor);
  }
}

/** Bytes at the start that continue a character begun before (at most 3). */
function leadingContinuation(bytes: Buffer, length: number): number {
  let count = 0;
  while (count < Math.min(3, length) && isContinuation(bytes[count])) count++;
  return count;
}

/** Bytes at the end that begin a character without finishing it (at most 3). */
function tornTail(bytes: Buffer, length: number): number {
  for (let back = 1; back <= Math.min(4, length); back++) {
    const byte = bytes[length - back] ?? 0;
    if (isContinuation(byte)) continue;
    const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return needed > back ? back : 0;
  }
  return 0;
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}
