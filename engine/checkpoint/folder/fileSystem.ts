import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { EngineError } from '../../api/errors.ts';

export interface WritableFile {
  /** Appends them all, in order. */
  write(parts: readonly Uint8Array[]): Promise<void>;
  /** Returns when the bytes are on the disk itself. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** The few operations that saving needs, so that a test can let the disk be full. */
export interface FileSystem {
  makeFolder(path: string): Promise<void>;
  /** Creates a file that must not exist yet. */
  create(path: string): Promise<WritableFile>;
  syncFolder(path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** Removes a folder with everything in it; one that is not there is fine. */
  remove(path: string): Promise<void>;
  /** Names within a folder; none where there is no folder. */
  list(path: string): Promise<readonly string[]>;
}

export const nodeFileSystem: FileSystem = {
  makeFolder,
  create: async (path) => {
    const handle = await open(path, 'wx');
    return {
      write: async (parts) => {
        // The system may take fewer bytes than it is given, 2 GiB at most.
        for (let left = parts; left.length > 0; ) left = rest(left, (await handle.writev([...left])).bytesWritten);
      },
      sync: () => handle.sync(),
      close: () => handle.close(),
    };
  },
  syncFolder: async (path) => {
    // Windows cannot open folders; its file system keeps names safe by itself.
    if (process.platform === 'win32') return;
    const handle = await open(path, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
  rename: (from, to) => rename(from, to),
  remove: (path) => rm(path, { recursive: true, force: true }),
  list: async (path) => {
    try {
      return await readdir(path);
    } catch (error) {
      if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return [];
      throw readFailure(path, error);
    }
  },
};

/** Not mkdir's `recursive`: on a file system that is read-only it gives ENOENT, which would be told as something missing. */
async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return;
    if (errorCode(error) !== 'ENOENT' || dirname(path) === path) throw error;
    await makeFolder(dirname(path));
    await mkdir(path);
  }
}

/** What is left of the parts after so many bytes. */
function rest(parts: readonly Uint8Array[], bytes: number): readonly Uint8Array[] {
  let skipped = bytes;
  const from = parts.findIndex((part) => {
    if (skipped < part.length) return true;
    skipped -= part.length;
    return false;
  });
  if (from < 0) return [];
  return parts.slice(from).map((part, index) => (index === 0 ? part.subarray(skipped) : part));
}

/** What keeps a file or folder from being read: in words where permission is missing. */
export function readFailure(path: string, error: unknown): unknown {
  const code = errorCode(error);
  if (code !== 'EACCES' && code !== 'EPERM') return error;
  return new EngineError(
    'checkpoint.not-readable',
    `${path} cannot be read: you have no permission to. Give yourself read permission there, or choose another folder.`,
    { path },
    { cause: error },
  );
}

export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
