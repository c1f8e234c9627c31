import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const POLL_MS = 100;

/**
 * Writes files that are missing, once, however many processes ask at the same time: the first takes a lock beside them,
 * the others wait until the files are there. Each file appears whole or not at all. A lock whose process is gone is
 * taken over.
 */
export async function prepareOnce(
  folder: string,
  names: readonly string[],
  write: () => Promise<ReadonlyMap<string, Uint8Array>>,
): Promise<void> {
  const complete = () => names.every((name) => existsSync(join(folder, name)));
  const lock = join(folder, '.preparing');
  mkdirSync(folder, { recursive: true });
  while (!complete()) {
    if (!takeLock(lock)) {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      continue;
    }
    try {
      // another process may have finished between the look and the lock
      if (!complete()) writeFiles(folder, await write());
    } finally {
      rmSync(lock, { force: true });
    }
  }
}

function writeFiles(folder: string, files: ReadonlyMap<string, Uint8Array>): void {
  for (const [name, bytes] of files) {
    const beside = join(folder, `.${name}.${process.pid}`);
    mkdirSync(dirname(beside), { recursive: true });
    writeFileSync(beside, bytes, { flush: true });
    renameSync(beside, join(folder, name));
  }
}

function takeLock(lock: string): boolean {
  try {
    const handle = openSync(lock, 'wx');
    writeFileSync(handle, String(process.pid));
    closeSync(handle);
    return true;
  } catch (error) {
    if (!isExisting(error)) throw error;
    if (isAbandoned(lock)) rmSync(lock, { force: true });
    return false;
  }
}

function isExisting(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EEXIST';
}

function isAbandoned(lock: string): boolean {
  let owner: number;
  try {
    owner = Number(readFileSync(lock, 'utf8'));
  } catch {
    return false; // released just now
  }
  // An owner that has not written its number yet is alive: it does so right after creating the file.
  if (!Number.isInteger(owner) || owner <= 0) return false;
  try {
    process.kill(owner, 0);
    return owner === process.pid;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ESRCH';
  }
}
