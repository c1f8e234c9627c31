// Brings a fresh clone to where everything runs: Node, npm packages, native TensorFlow and kernels of our own for it,
// Electron's binary. Needs nothing but Node 20 and npm; what is done already is skipped; run twice it does nothing.
//
//   node engine/setup/bootstrap.mjs [--again] [--quiet]
//
// --again looks at everything anew, also at what could not be had before.
// ACCELHYDRA_PYTHON=PATH            the Python whose TensorFlow (or pip) to use
// ACCELHYDRA_TENSORFLOW=auto|system|official|wheel|none   where TensorFlow may come from
// ACCELHYDRA_ELECTRON=1             fetch Electron's binary although no display is seen
import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { refreshBundle } from './buildCommandBundle.mjs';
import { ensureElectron } from './electronBinary.mjs';
import { ensureKernels } from './kernels.mjs';
import { acquireLock } from './lock.mjs';
import { ensureNode, presentNode } from './nodeRuntime.mjs';
import { ensurePackages } from './packages.mjs';
import { lockFile } from './paths.mjs';
import { fingerprint, readRecord, recordStands, writeRecord } from './record.mjs';
import { createReport, SetupError } from './report.mjs';
import { ensureTensorflow } from './tensorflow.mjs';

/**
 * @param {{ again?: boolean, quiet?: boolean, stream?: NodeJS.WritableStream, onPackages?: (node: { path: string }) => void }} [options]
 *   `onPackages` is told as soon as Node and the npm packages are there, while TensorFlow is still on its way; never when
 *   there was nothing to do
 * @returns {Promise<{ node: { path: string, version: string }, tensorflow: object, changed: boolean }>} the record
 */
export async function bootstrap(options = {}) {
  const before = readRecord();
  if (!options.again && recordStands(before, presentNode())) {
    await refreshBundle();
    return { ...before, changed: false };
  }
  const report = createReport(options);
  const release = await acquireLock(lockFile, (owner) => report.line(`waiting for another set-up (process ${owner})`));
  try {
    const recorded = readRecord();
    if (!options.again && recordStands(recorded, presentNode())) return { ...recorded, changed: false };
    const started = Date.now();
    const node = await ensureNode(report);
    await ensurePackages(report, node);
    options.onPackages?.(node);
    const tensorflow = await ensureTensorflow(report, node, options.again ? undefined : recorded?.tensorflow);
    const electron = await ensureElectron(report, node);
    // The compiler was begun with TensorFlow's binding; what is fetched meanwhile costs no time.
    const kernels = await ensureKernels(report, node, tensorflow);
    const record = {
      fingerprint: fingerprint(),
      node,
      tensorflow: { ...tensorflow, kernels },
      electron,
      steps: report.steps,
    };
    writeRecord(record);
    await refreshBundle();
    report.line(`ready (${Math.round((Date.now() - started) / 100) / 10} s)`);
    return { ...record, changed: true };
  } finally {
    release();
  }
}

/** Prints what a person can act on and ends with a failure; anything unexpected keeps its stack. */
export function failSetup(error, name = 'setup') {
  process.stderr.write(`${name}: ${error instanceof SetupError ? error.message : error?.stack}\n`);
  process.exitCode = 1;
}

const isMain = process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url);
if (isMain) {
  const flags = process.argv.slice(2);
  const quiet = flags.includes('--quiet');
  try {
    const record = await bootstrap({ again: flags.includes('--again'), quiet });
    if (!record.changed && !quiet) process.stdout.write('setup: nothing to do\n');
  } catch (error) {
    failSetup(error);
  }
}
