import { closeSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { MediaNotice } from '../api/media.ts';
import type { Disposable } from '../base/disposable.ts';
import { parseExact, stringifyExact } from '../base/exactJson.ts';
import { runFiles } from './runFolder.ts';

const journalFile = 'media.jsonl';

/**
 * `media/media.jsonl`: one logged item a line, so that the store can be filled again from the folder. A line
 * `{"truncate": 40}` means that the run went on from step 40: items of later steps written before it no longer hold.
 */
export class MediaJournal implements Disposable {
  readonly #folder: string;
  #descriptor: number | undefined;

  /** For the run in `expDir`; nothing is made before there is something to write. */
  constructor(expDir: string) {
    this.#folder = join(expDir, runFiles.media);
  }

  append(notices: readonly MediaNotice[]): void {
    if (notices.length > 0) this.#write(notices.map((notice) => `${stringifyExact(notice)}\n`).join(''));
  }

  truncate(step: number): void {
    this.#write(`${JSON.stringify({ truncate: step })}\n`);
  }

  dispose(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  #write(text: string): void {
    if (this.#descriptor === undefined) {
      mkdirSync(this.#folder, { recursive: true });
      this.#descriptor = openSync(join(this.#folder, journalFile), 'a');
    }
    writeSync(this.#descriptor, text);
  }
}

const Line = z.union([MediaNotice, z.object({ truncate: z.number().int() })]);

/** The items that hold, in the order in which they were logged; torn and foreign lines are passed over. */
export function readMediaJournal(expDir: string): MediaNotice[] {
  let notices: MediaNotice[] = [];
  for (const text of textOf(join(expDir, runFiles.media, journalFile)).split('\n')) {
    const line = text === '' ? undefined : parseLine(text);
    if (line === undefined) continue;
    if ('truncate' in line) notices = notices.filter(({ step }) => step <= line.truncate);
    else notices.push(line);
  }
  return notices;
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return ''; // nothing was logged
  }
}

function parseLine(text: string): z.infer<typeof Line> | undefined {
  try {
    return Line.safeParse(parseExact(text)).data;
  } catch {
    return undefined;
  }
}
