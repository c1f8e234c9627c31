import { existsSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import type { NativeSessions } from '../graph/index.ts';
import type { NativeBinding } from '../nativeBinding.ts';
import { packageRoot, readSetup } from '../setupRecord.ts';

/** Where set-up puts the library built from `engine/backend/native`. */
function libraryPath(): string {
  const folder = join(packageRoot(), 'node_modules', '@tensorflow', 'tfjs-node-gpu', 'lib', 'napi-v8');
  return join(folder, 'accelhydra_kernels.node');
}

/**
 * Whether set-up has built them for a TensorFlow of this version: they use its C++ interface, which another one does not
 * have, so that loading them there may end the process.
 */
function hasOwnKernels(version: string): boolean {
  const built = readSetup()?.tensorflow.kernels;
  return built?.built === true && built.version === version && existsSync(libraryPath());
}

/**
 * Gives the TensorFlow of this process the operations of `engine/backend/native`. To be called after TensorFlow is loaded.
 * Where they were not built, or not for this TensorFlow, its own ones do the same work in more steps.
 */
export function loadOwnKernels(binding: NativeBinding): void {
  if (!hasOwnKernels(binding.TF_Version) || areLoaded(binding)) return;
  const library: { exports: object } = { exports: {} };
  try {
    process.dlopen(library, libraryPath());
    const { exports } = library;
    Reflect.set(globalThis, loaded, exports);
    // before the process takes TensorFlow apart, which must not happen to a graph that runs
    if (isSessions(exports)) process.once('exit', () => exports.end());
  } catch {
    // Built against a TensorFlow that has been exchanged since for another of the same version: set-up builds it anew.
  }
}

/** Where the library's functions are kept: it is one for the whole process, whatever loads this file again. */
const loaded = Symbol.for('accelhydra.nativeLibrary');

/** Graphs on a thread of their own, where the library is loaded and computing is the CPU's. */
export function nativeSessions(binding: NativeBinding): NativeSessions | undefined {
  const library: unknown = Reflect.get(globalThis, loaded);
  return isSessions(library) && !binding.isUsingGpuDevice() ? library : undefined;
}

function isSessions(library: unknown): library is NativeSessions {
  return typeof library === 'object' && library !== null && 'open' in library && 'start' in library;
}

/** TensorFlow ends the process when an operation is added twice, as it would be after set-up has put a new file in place. */
function areLoaded(binding: NativeBinding): boolean {
  const number = binding.createTensor([], binding.TF_FLOAT, new Float32Array(1));
  try {
    for (const { id } of binding.executeOp('AccelHydraGelu', [], [number], 1)) binding.deleteTensor(id);
    return true;
  } catch {
    return false;
  } finally {
    binding.deleteTensor(number);
  }
}
