import { createHash } from 'node:crypto';
import { basename, dirname, join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import { EngineError } from '../../api/errors.ts';
import type { ByteSink } from '../safetensors/write.ts';
import { errorCode, type FileSystem, type WritableFile } from './fileSystem.ts';

export interface FolderFile {
  readonly name: string;
  write(sink: ByteSink): Promise<void>;
}

export interface WrittenFile {
  readonly bytes: number;
  readonly sha256: string;
  /** As in zip and PNG (ISO 3309). */
  readonly crc32: number;
}

/** Hashed without a pause. */
const PIECE = 8 * 1024 * 1024;
/** Written by one call: each waits for a thread to be free, which takes long on a busy machine. */
const BATCH = 32 * 1024 * 1024;

let counter = 0;
/** Marks of the folders that this process is working on. */
const active = new Set<string>();

/**
 * Writes a folder as a whole or not at all: into a hidden folder beside, every file on the disk, then renamed. An older
 * folder of that name stays until the new one is complete.
 * @param last made from what was written, and written last: it marks the folder as complete
 * @returns size and hash of each file
 * @throws EngineError `checkpoint.disk-full` | `checkpoint.not-writable`; nothing is left behind then
 */
export async function writeFolder(
  target: string,
  files: readonly FolderFile[],
  last: (written: ReadonlyMap<string, WrittenFile>) => FolderFile,
  fileSystem: FileSystem,
): Promise<ReadonlyMap<string, WrittenFile>> {
  const parent = dirname(target);
  const mark = `${process.pid}-${++counter}`;
  const temporary = join(parent, `.${basename(target)}.tmp-${mark}`);
  active.add(mark);
  try {
    await fileSystem.makeFolder(parent);
    await recoverFolders(parent, fileSystem);
    await fileSystem.makeFolder(temporary);
    const written = new Map<string, WrittenFile>();
    const syncing = new Syncing();
    try {
      for (const file of files) written.set(file.name, await writeFile(temporary, file, fileSystem, syncing));
    } finally {
      await syncing.settled();
    }
    await syncing.done();
    const final = last(written);
    written.set(final.name, await writeFile(temporary, final, fileSystem, syncing));
    await syncing.done();
    await fileSystem.syncFolder(temporary);
    await moveInto(temporary, target, join(parent, `.${basename(target)}.old-${mark}`), fileSystem);
    await fileSystem.syncFolder(parent);
    return written;
  } catch (error) {
    await removeQuietly(temporary, fileSystem);
    throw describe(error, target);
  } finally {
    active.delete(mark);
  }
}

/** Files that are on their way to the disk while the next ones are written. */
class Syncing {
  readonly #files: Promise<void>[] = [];

  #started: Promise<void> | undefined;

  /** Lets the disk begin with what was written so far: it works while the rest is hashed. */
  start(file: WritableFile): void {
    if (this.#started !== undefined) return;
    this.#started = this.#listen(
      file.sync().finally(() => {
        this.#started = undefined;
      }),
    );
  }

  /** The file is complete: it is synced and closed. */
  add(file: WritableFile): void {
    const before = this.#started ?? Promise.resolve();
    this.#listen(before.then(() => file.sync()).finally(() => file.close()));
  }

  #listen(work: Promise<void>): Promise<void> {
    // told by done(); until then nobody listens, which must not end the process
    work.catch(() => undefined);
    this.#files.push(work);
    return work;
  }

  /** Throws what kept one of them from the disk. */
  async done(): Promise<void> {
    await Promise.all(this.#files);
  }

  async settled(): Promise<void> {
    await Promise.allSettled(this.#files);
  }
}

async function writeFile(
  folder: string,
  file: FolderFile,
  fileSystem: FileSystem,
  syncing: Syncing,
): Promise<WrittenFile> {
  let checksum = 0;
  let waiting: Uint8Array[] = [];
  let waitingBytes = 0;
  const hash = createHash('sha256');
  let bytes = 0;
  const output = await fileSystem.create(join(folder, file.name));
  /** The disk takes what waits while it is hashed here; in pieces, so that heartbeats are not held up. */
  const flush = async () => {
    const parts = waiting;
    waiting = [];
    waitingBytes = 0;
    const writing = output.write(parts);
    // a failure is told below; until then nobody listens, which must not end the process
    writing.catch(() => undefined);
    for (const part of parts) {
      hash.update(part);
      checksum = crc32(part, checksum);
      if (part.length >= PIECE) await setImmediate();
    }
    await writing;
  };
  try {
    await file.write({
      write: async (data) => {
        bytes += data.length;
        for (let start = 0; start < data.length; start += PIECE) {
          const part = data.subarray(start, start + PIECE);
          waiting.push(part);
          waitingBytes += part.length;
          if (waitingBytes < BATCH) continue;
          await flush();
          syncing.start(output);
        }
      },
    });
    if (waiting.length > 0) await flush();
  } catch (error) {
    await output.close();
    throw error;
  }
  syncing.add(output);
  return { bytes, sha256: hash.digest('hex'), crc32: checksum };
}

/** A folder cannot be replaced in one operation: the old one steps aside and comes back if the new one cannot move in. */
async function moveInto(from: string, target: string, aside: string, fileSystem: FileSystem): Promise<void> {
  const replaces = (await fileSystem.list(dirname(target))).includes(basename(target));
  if (!replaces) return fileSystem.rename(from, target);
  await fileSystem.rename(target, aside);
  try {
    await fileSystem.rename(from, target);
  } catch (error) {
    await fileSystem.rename(aside, target);
    throw error;
  }
  await removeQuietly(aside, fileSystem);
}

/**
 * Clears what a crash left behind: half-written folders are removed; a folder that had stepped aside for one that never
 * came is put back. Folders of processes that still run are left alone.
 */
export async function recoverFolders(parent: string, fileSystem: FileSystem): Promise<void> {
  const names = await fileSystem.list(parent);
  for (const name of names) {
    const match = /^\.(.+)\.(tmp|old)-((\d+)-\d+)$/.exec(name);
    const [, original = '', kind, mark = '', pid] = match ?? [];
    if (kind === undefined || isInUse(mark, Number(pid))) continue;
    if (kind === 'old' && !names.includes(original)) {
      await fileSystem.rename(join(parent, name), join(parent, original));
    } else {
      await fileSystem.remove(join(parent, name));
    }
  }
}

function isInUse(mark: string, pid: number): boolean {
  // Process ids repeat, in containers above all: what this process does not know of was left by an earlier one.
  if (pid === process.pid) return active.has(mark);
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCode(error) === 'EPERM';
  }
}

/** The failure that led here is the one to report; a leftover is cleared at the next save. */
async function removeQuietly(path: string, fileSystem: FileSystem): Promise<void> {
  await fileSystem.remove(path).catch(() => undefined);
}

function describe(error: unknown, target: string): unknown {
  const code = errorCode(error);
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new EngineError(
      'checkpoint.disk-full',
      `The disk is full: ${target} could not be written. Earlier checkpoints are untouched. Free some space, or lower save_last_k.`,
      { folder: target },
      { cause: error },
    );
  }
  if (code === 'EFBIG') {
    return new EngineError(
      'checkpoint.disk-full',
      `${target} could not be written: the file system, or a limit on this process (ulimit -f), does not take files that large. Earlier checkpoints are untouched. Raise the limit, or choose another project_dir.`,
      { folder: target },
      { cause: error },
    );
  }
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return new EngineError(
      'checkpoint.not-writable',
      `${target} could not be written: ${dirname(target)} does not allow it${code === 'EROFS' ? ' (a read-only file system)' : ''}. Give yourself write permission, or choose another project_dir.`,
      { folder: target },
      { cause: error },
    );
  }
  if (code === 'ENOTDIR') {
    return new EngineError(
      'checkpoint.not-writable',
      `${target} could not be written: a part of that path is a file, not a folder. Move the file away, or choose another project_dir.`,
      { folder: target },
      { cause: error },
    );
  }
  return error;
}
