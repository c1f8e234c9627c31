import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import { type Clock, systemClock } from '../base/clock.ts';
import type { Disposable } from '../base/disposable.ts';

/** A line is cut here, so that output without line ends cannot fill the memory. */
const longestLine = 64 * 1024;

/** A log file whose lines carry the time they came at. A full disk loses lines, never the run. */
export class OutputLog implements Disposable {
  readonly #descriptor: number;
  readonly #clock: Clock;
  readonly #onDidAppend: () => void;
  #open = true;
  #lost = 0;

  /** Appends to `file`, creating it and its folder. */
  constructor(file: string, onDidAppend: () => void = () => undefined, clock: Clock = systemClock) {
    mkdirSync(dirname(file), { recursive: true });
    this.#descriptor = openSync(file, 'a');
    this.#onDidAppend = onDidAppend;
    this.#clock = clock;
  }

  /** Adds one line, or several. */
  write(text: string): void {
    if (!this.#open) return;
    const time = new Date(this.#clock.now()).toISOString();
    const note = this.#lost > 0 ? [`[${this.#lost} lines lost: the disk was full]`] : [];
    const lines = [...note, ...text.split('\n')];
    try {
      writeSync(this.#descriptor, lines.map((line) => `${time} ${line}\n`).join(''));
      this.#lost = 0;
    } catch {
      this.#lost += lines.length - note.length; // told with the next line that can be written
    }
    this.#onDidAppend();
  }

  /** A writer for one stream of a process: takes chunks cut anywhere, writes whole lines, `end` writes the rest. */
  stream(): { readonly write: (chunk: Buffer) => void; readonly end: () => void } {
    const decoder = new StringDecoder('utf8');
    let rest = '';
    const take = (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lastShown(lines.pop() ?? '');
      for (const [index, line] of lines.entries()) lines[index] = lastShown(line.replace(/\r$/, ''));
      if (rest.length > longestLine) lines.push(rest.slice(0, longestLine));
      rest = rest.length > longestLine ? rest.slice(longestLine) : rest;
      if (lines.length > 0) this.write(lines.join('\n'));
    };
    return {
      write: (chunk) => take(decoder.write(chunk)),
      end: () => {
        take(decoder.end());
        if (rest !== '') this.write(rest);
        rest = '';
      },
    };
  }

  dispose(): void {
    if (!this.#open) return;
    this.#open = false;
    closeSync(this.#descriptor);
  }
}

/** A progress bar returns to the start of its line: only what it shows last is kept. */
function lastShown(line: string): string {
  return line.replace(/^.*\r(?=[^\r])/, '');
}
