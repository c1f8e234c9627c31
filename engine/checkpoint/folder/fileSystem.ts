import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import type { ByteSink } from '../safetensors/write.ts';

export interface WritableFile extends ByteSink {
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
  makeFolder: async (path) => {
    await mkdir(path, { recursive: true });
  },
  create: async (path) => {
    const handle = await open(path, 'wx');
    return {
      write: async (bytes) => {
        for (let done = 0; done < bytes.length; ) {
          // The system writes at most 2 GiB at once.
          const length = Math.min(bytes.length - done, 0x4000_0000);
          done += (await handle.write(bytes, done, length)).bytesWritten;
        }
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
      throw error;
    }
  },
};

export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
