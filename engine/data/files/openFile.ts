import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { EngineError } from '../../api/errors.ts';

const opened = new FinalizationRegistry<number>((descriptor) => {
  closeSync(descriptor);
});

/**
 * A file that is read piece by piece, at any place. It is closed when nobody holds it any more (worker threads close
 * theirs when they end). Throws `data.file.read` when it cannot be opened or read, `data.file.changed` when it became
 * shorter since.
 */
export class OpenFile {
  readonly path: string;
  readonly size: number;
  readonly #descriptor: number;

  constructor(path: string) {
    this.path = path;
    this.#descriptor = attempt(path, () => openSync(path, 'r'));
    opened.register(this, this.#descriptor);
    const status = attempt(path, () => fstatSync(this.#descriptor));
    if (status.isDirectory()) throw unreadable(path, new Error('it is a folder'));
    this.size = status.size;
  }

  /** The bytes from `start` on; fewer only where the file ends. */
  readUpTo(start: number, length: number): Uint8Array {
    const bytes = new Uint8Array(Math.max(0, Math.min(length, this.size - start)));
    let done = 0;
    while (done < bytes.length) {
      const count = attempt(this.path, () =>
        readSync(this.#descriptor, bytes, done, bytes.length - done, start + done),
      );
      if (count === 0) throw this.#changed(start + done);
      done += count;
    }
    return bytes;
  }

  /** The bytes from `start` on, all of them. */
  read(start: number, length: number): Uint8Array {
    const bytes = this.readUpTo(start, length);
    if (bytes.length < length) throw this.#changed(start + length);
    return bytes;
  }

  #changed(wanted: number): EngineError {
    return new EngineError(
      'data.file.changed',
      `${this.path} ended before byte ${wanted}: it became shorter while it was in use. Start again with the file at rest.`,
      { path: this.path, offset: wanted },
    );
  }
}

function attempt<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw unreadable(path, error);
  }
}

function unreadable(path: string, error: unknown): EngineError {
  return new EngineError(
    'data.file.read',
    `The file ${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    { path },
    { cause: error },
  );
}
