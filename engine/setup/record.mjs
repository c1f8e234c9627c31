// What set-up found and did, kept in .runtime/setup.json: read by every start to skip what is done, and by `doctor`.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { displayObstacle } from './electronBinary.mjs';
import { kernelsStand } from './kernels.mjs';
import { modulesFolder, recordFile, root, runtimeFolder } from './paths.mjs';
import { tensorflowStands } from './tensorflow.mjs';

/** Raised when set-up itself does something new, so that finished checkouts do it too. */
const setupVersion = 2;

/** Changes whenever set-up has something to look at again. */
export function fingerprint() {
  return createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .update(JSON.stringify([setupVersion, process.platform, process.arch, displayObstacle() === undefined]))
    .digest('hex');
}

export function readRecord() {
  try {
    return JSON.parse(readFileSync(recordFile, 'utf8'));
  } catch {
    // Absent, or cut short by a crash: set-up then looks at everything again, which is what is wanted.
    return undefined;
  }
}

export function writeRecord(record) {
  mkdirSync(runtimeFolder, { recursive: true });
  const draft = `${recordFile}.${process.pid}`;
  writeFileSync(draft, `${JSON.stringify(record, null, 2)}\n`);
  renameSync(draft, recordFile);
}

/** Whether everything of the record still stands, so that nothing has to be done. Costs a few milliseconds. */
export function recordStands(record, present) {
  return (
    record !== undefined &&
    present !== undefined &&
    record.fingerprint === fingerprint() &&
    existsSync(record.node.path) &&
    existsSync(join(modulesFolder, '.package-lock.json')) &&
    existsSync(join(modulesFolder, '.bin', process.platform === 'win32' ? 'accelhydra.cmd' : 'accelhydra')) &&
    tensorflowStands(record.tensorflow) &&
    kernelsStand(record.tensorflow)
  );
}
