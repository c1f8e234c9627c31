import { closeSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { BinaryReader } from '@bufbuild/protobuf/wire';

/** Long enough for an event's time and step, which stand first in it. */
const headBytes = 32;

/**
 * The events that an earlier attempt of a training wrote for one step, encoded as they stand there, by the tags of their
 * values: what TensorBoard shows of that step. Of several with the same tags the last one; none where the folder has no
 * event files. Throws what reading throws; what is cut off at a file's end is left out.
 */
export function eventsOfStep(folder: string, step: number): Map<string, Uint8Array> {
  const kept = new Map<string, Uint8Array>();
  for (const name of eventFiles(folder)) {
    readRecords(join(folder, name), (head, whole) => {
      if (stepOf(head) > step) return; // a start at a later step drops nothing of this one
      const bytes = whole();
      const event = parseEvent(bytes);
      if (event.isStart && event.step <= step) kept.clear();
      if (event.step === step && event.tags.length > 0) kept.set(event.tags.join('\n'), bytes);
    });
  }
  return kept;
}

/** In the order that TensorBoard reads them: by name, which begins with the time. */
function eventFiles(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.includes('tfevents'))
      .sort();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}

/** Calls back with the beginning of each record, and with a way to read all of it. */
function readRecords(file: string, onRecord: (head: Uint8Array, whole: () => Uint8Array) => void): void {
  const descriptor = openSync(file, 'r');
  try {
    const head = Buffer.alloc(12 + headBytes);
    for (let position = 0; ; ) {
      const found = readSync(descriptor, head, 0, head.length, position);
      if (found < 12) return;
      const length = Number(head.readBigUInt64LE(0));
      const start = position + 12;
      position = start + length + 4;
      // the last record may be a write that was cut off
      if (readSync(descriptor, Buffer.alloc(1), 0, 1, position - 1) < 1) return;
      onRecord(head.subarray(12, Math.min(found, 12 + length)), () => {
        const bytes = Buffer.alloc(length);
        readSync(descriptor, bytes, 0, length, start);
        return bytes;
      });
    }
  } finally {
    closeSync(descriptor);
  }
}

/** From the beginning of an event: its step, which follows its time; 0 where there is none. */
function stepOf(head: Uint8Array): number {
  const reader = new BinaryReader(head);
  let [field] = reader.len === 0 ? [0] : reader.tag();
  if (field === 1) {
    reader.double();
    [field] = reader.pos < reader.len ? reader.tag() : [0];
  }
  return field === 2 ? Number(reader.int64()) : 0;
}

interface ReadEvent {
  readonly step: number;
  readonly isStart: boolean;
  readonly tags: readonly string[];
}

/** Field numbers as in eventProto.ts. */
function parseEvent(bytes: Uint8Array): ReadEvent {
  const tags: string[] = [];
  let step = 0;
  let isStart = false;
  eachField(bytes, {
    2: (event) => {
      step = Number(event.int64());
    },
    5: (event) =>
      eachField(event.bytes(), {
        1: (summary) => eachField(summary.bytes(), { 1: (value) => tags.push(value.string()) }),
      }),
    7: (event) =>
      eachField(event.bytes(), {
        1: (log) => {
          isStart = log.int32() === 1;
        },
      }),
  });
  return { step, isStart, tags };
}

/** Reads the fields that are wanted and skips the others. */
function eachField(bytes: Uint8Array, wanted: Readonly<Record<number, (reader: BinaryReader) => unknown>>): void {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, wire] = reader.tag();
    const read = wanted[field];
    if (read === undefined) reader.skip(wire, field);
    else read(reader);
  }
}
