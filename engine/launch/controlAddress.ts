import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { runFiles } from '../runs/runFolder.ts';

/** The kernel takes at most 107 bytes for a socket's path, some systems fewer. */
const longestSocketPath = 100;
/** Says where the socket is when it cannot be in the run's folder. */
const pointerFile = 'control.path';

export interface ControlAddress {
  readonly path: string;
  /** Removes the socket and what was made for it. */
  readonly remove: () => void;
}

/** Chooses where the launcher of the run in `runDir` listens, and leaves a note in the folder when it is elsewhere. */
export function chooseControlAddress(runDir: string): ControlAddress {
  const pointer = join(runDir, pointerFile);
  const inFolder = join(runDir, runFiles.socket);
  rmSync(inFolder, { force: true });
  rmSync(pointer, { force: true });
  if (process.platform === 'win32') {
    const path = `\\\\.\\pipe\\accelhydra-control-${process.pid}-${Date.now().toString(36)}`;
    writeFileSync(pointer, path);
    return { path, remove: () => removeQuietly(pointer) };
  }
  if (Buffer.byteLength(inFolder) <= longestSocketPath) {
    return { path: inFolder, remove: () => removeQuietly(inFolder) };
  }
  // a folder of its own: only this user may enter it
  const path = join(mkdtempSync(join(tmpdir(), 'accelhydra-')), 'control');
  writeFileSync(pointer, path);
  return {
    path,
    remove: () => {
      removeQuietly(dirname(path));
      removeQuietly(pointer);
    },
  };
}

/** At the end: a folder that has become read-only keeps it, and the next launcher of the run clears it. */
function removeQuietly(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch {
    return;
  }
}

/** Where the launcher of the run in `runDir` listens, if there is one. */
export function findControlAddress(runDir: string): string {
  try {
    return readFileSync(join(runDir, pointerFile), 'utf8');
  } catch {
    return join(runDir, runFiles.socket); // no note: the socket is in the folder itself
  }
}
