import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { fileVersionEvent } from './eventProto.ts';
import { frameRecord } from './tfRecord.ts';

const flushAtBytes = 64 * 1024;
const flushEveryMs = 1000;
let filesOfProcess = 0;

/** An event file being written: `events.out.tfevents.SECONDS.HOST.PID.NUMBER`, the name that TensorBoard looks for. */
export class EventFile {
  readonly path: string;
  readonly #descriptor: number;
  readonly #onTrouble: (error: unknown) => void;
  #waiting: Uint8Array[] = [];
  #bytes = 0;
  #timer: NodeJS.Timeout | undefined;

  /** Makes the folder and the file. `onTrouble` is told what a write by the clock threw. */
  constructor(folder: string, seconds: number, onTrouble: (error: unknown) => void) {
    mkdirSync(folder, { recursive: true });
    const name = `events.out.tfevents.${Math.floor(seconds)}.${hostname()}.${process.pid}.${filesOfProcess++}`;
    this.path = join(folder, name);
    this.#descriptor = openSync(this.path, 'a');
    this.#onTrouble = onTrouble;
    this.add(fileVersionEvent(seconds));
    this.flush();
  }

  add(event: Uint8Array): void {
    const record = frameRecord(event);
    this.#waiting.push(record);
    this.#bytes += record.length;
    if (this.#bytes >= flushAtBytes) this.flush();
    else this.#timer ??= setTimeout(() => this.#flushByClock(), flushEveryMs).unref();
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#bytes === 0) return;
    const bytes = Buffer.concat(this.#waiting);
    this.#waiting = [];
    this.#bytes = 0;
    for (let done = 0; done < bytes.length; ) done += writeSync(this.#descriptor, bytes, done);
  }

  close(): void {
    try {
      this.flush();
    } finally {
      closeSync(this.#descriptor);
    }
  }

  #flushByClock(): void {
    try {
      this.flush();
    } catch (error) {
      this.#onTrouble(error);
    }
  }
}
