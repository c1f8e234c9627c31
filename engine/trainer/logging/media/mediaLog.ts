import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { EngineError } from '../../../api/errors.ts';
import { MAX_MEDIA_FILE_BYTES, type MediaDetail, type MediaNotice } from '../../../api/media.ts';
import type { Reporter } from '../../../api/training.ts';
import type { Clock } from '../../../base/clock.ts';
import { formatBytes } from '../../../base/format.ts';
import type { LoggedMedia } from '../trackers/tracker.ts';

export interface MediaPlace {
  readonly key: string;
  readonly step: number;
  readonly epoch: number;
}

/** A file to be, with what is known of it. */
export interface MediaFile {
  readonly bytes: Uint8Array;
  readonly extension: 'png' | 'wav' | 'txt' | 'json';
  readonly detail: MediaDetail;
  readonly caption?: string | undefined;
  readonly text?: string | undefined;
}

/** Something logged that still has to be read, encoded and written. */
export interface MediaJob {
  readonly place: MediaPlace;
  /** Memory held while it waits. */
  readonly bytes: number;
  encode(): Promise<readonly MediaFile[]>;
  release(): void;
}

export interface MediaLogOptions {
  /** Absolute folder of the run. */
  readonly runDir: string;
  readonly reporter: Reporter;
  readonly clock: Clock;
  /** Ranks other than 0 log nothing. */
  readonly isActive: boolean;
  readonly maxItems: number;
  readonly maxBytes: number;
  readonly warn: (text: string) => void;
  readonly onWritten: (item: LoggedMedia) => void;
}

/** More than this waiting to be written means that it is logged faster than the disk takes it. */
const mostWaitingBytes = 256 * 1024 * 1024;

/**
 * Images, audio, text, histograms and tables on their way into the run's `media` folder. Tensors are read, encoded and
 * written beside the training, one after another; a file is reported only when it is complete. What cannot be written and
 * what goes beyond a limit is left out and told once: a log never ends a training.
 */
export class MediaLog {
  readonly #options: MediaLogOptions;
  readonly #told = new Set<string>();
  /** Where the next item of a key goes at its newest step. */
  readonly #next = new Map<string, { step: number; item: number }>();
  readonly #waiting = new Set<MediaJob>();
  #waitingBytes = 0;
  #items = 0;
  #bytes = 0;
  #writing: Promise<void> = Promise.resolve();

  constructor(options: MediaLogOptions) {
    this.#options = options;
  }

  get isActive(): boolean {
    return this.#options.isActive;
  }

  /** Takes a job; its `encode` runs later, its `release` once, whatever happens. */
  add(job: MediaJob): void {
    if (this.#waitingBytes + job.bytes > mostWaitingBytes) {
      job.release();
      this.tellOnce('waiting', `'${job.place.key}' is logged faster than it can be written; some of it is left out.`);
      return;
    }
    this.#waiting.add(job);
    this.#waitingBytes += job.bytes;
    this.#writing = this.#writing.then(() => this.#write(job));
  }

  /**
   * Removes the files of steps after `step`, for a training that goes on from there: their rows are dropped, and what is
   * logged again has files of its own.
   */
  async dropLater(step: number): Promise<void> {
    if (!this.isActive) return;
    try {
      await removeLaterFiles(join(this.#options.runDir, 'media'), step);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.tellOnce('drop', `Media of steps after ${step} could not be removed: ${why}.`);
    }
  }

  /** Resolves when everything added before is written and reported. Never rejects. */
  flush(): Promise<void> {
    return this.#writing;
  }

  /** Frees what was never written. */
  dispose(): void {
    for (const job of this.#waiting) this.#done(job);
  }

  async #write(job: MediaJob): Promise<void> {
    if (!this.#waiting.has(job)) return;
    const { place } = job;
    try {
      const notices: MediaNotice[] = [];
      for (const file of await job.encode()) {
        if (!this.#fits(file, place)) continue;
        const notice = await this.#store(file, place);
        notices.push(notice);
        this.#options.onWritten({ notice, bytes: file.bytes, text: file.text });
      }
      if (notices.length > 0) this.#options.reporter.report({ type: 'media', media: notices });
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      const isMistake = error instanceof EngineError;
      this.tellOnce(
        isMistake ? why : 'write',
        isMistake ? why : `'${place.key}' could not be written: ${why}. Training goes on.`,
      );
    } finally {
      this.#done(job);
    }
  }

  async #store(file: MediaFile, { key, step, epoch }: MediaPlace): Promise<MediaNotice> {
    const item = this.#itemNumber(`${file.detail.kind} ${key}`, step);
    const path = `media/${file.detail.kind}/${pathOfKey(key)}/step_${step}_${item}.${file.extension}`;
    const target = join(this.#options.runDir, path);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(`${target}.tmp`, file.bytes);
    await rename(`${target}.tmp`, target);
    this.#items++;
    this.#bytes += file.bytes.length;
    const { detail, caption, bytes } = file;
    const time = this.#options.clock.now();
    return { key, step, epoch, item, path, bytes: bytes.length, time, detail, ...(caption ? { caption } : {}) };
  }

  #fits(file: MediaFile, { key }: MediaPlace): boolean {
    const { maxItems, maxBytes } = this.#options;
    if (file.bytes.length > MAX_MEDIA_FILE_BYTES) {
      const limit = formatBytes(MAX_MEDIA_FILE_BYTES);
      this.tellOnce(`large ${key}`, `'${key}' is larger than ${limit} as a file and is not logged.`);
      return false;
    }
    if (this.#items >= maxItems) {
      this.tellOnce(
        'items',
        `${maxItems} media items were logged, as many as logging_config.max_media_items allows: no more are kept.`,
      );
      return false;
    }
    if (this.#bytes + file.bytes.length > maxBytes) {
      this.tellOnce(
        'bytes',
        `The logged media take ${this.#bytes} bytes, logging_config.max_media_bytes allows ${maxBytes}: no more are kept.`,
      );
      return false;
    }
    return true;
  }

  /** Several calls for one key at one step add up. */
  #itemNumber(id: string, step: number): number {
    const last = this.#next.get(id);
    const item = last?.step === step ? last.item : 0;
    this.#next.set(id, { step, item: item + 1 });
    return item;
  }

  #done(job: MediaJob): void {
    if (!this.#waiting.delete(job)) return;
    this.#waitingBytes -= job.bytes;
    job.release();
  }

  /** Warns, once for each `what`. */
  tellOnce(what: string, text: string): void {
    if (this.#told.has(what)) return;
    this.#told.add(what);
    this.#options.warn(text);
  }
}

async function removeLaterFiles(folder: string, step: number): Promise<void> {
  if (!existsSync(folder)) return;
  for (const { name, parentPath } of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const number = /^step_(\d+)_\d+\.\w+(\.tmp)?$/.exec(name)?.[1];
    if (number !== undefined && Number(number) > step) await rm(join(parentPath, name));
  }
}

/** A key as folders: its slashes nest, everything a file system could take amiss is percent-encoded. */
function pathOfKey(key: string): string {
  return key
    .split('/')
    .map(
      (part) =>
        encodeURIComponent(part)
          .replaceAll('*', '%2A')
          .replace(/^\.+/, (dots) => '%2E'.repeat(dots.length)) || '%20',
    )
    .join('/');
}
