import type { Tensor } from '@tensorflow/tfjs';
import type { NativeAttribute } from '../nativeBinding.ts';
import { attribute, type NativeBackend } from './nativeBackend.ts';

const missing = new Set<string>();
let plainDepth = 0;

/**
 * Runs `work` with TensorFlow's plain ops only. A graph that is recorded from them loads wherever TensorFlow is, can still be
 * fused, and gets the oneDNN kernels from TensorFlow's own optimiser.
 */
export function withPlainKernels<T>(work: () => T): T {
  plainDepth++;
  try {
    return work();
  } finally {
    plainDepth--;
  }
}

/**
 * Tries an op of the CPU that may not be there; undefined when this process has none of that name, it refuses these inputs,
 * or plain ops are wanted. One that is not there is not asked for again.
 */
export function tryOptional(
  backend: NativeBackend,
  name: string,
  attributes: readonly NativeAttribute[],
  inputs: readonly Tensor[],
  outputs: number,
): Tensor[] | undefined {
  if (plainDepth > 0 || missing.has(name) || backend.binding.isUsingGpuDevice()) return undefined;
  try {
    return backend.executeMultipleOutputs(name, attributes, inputs, outputs);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    // "Could not find device for node", "Op type not registered": neither will change in this process
    if (/not registered|could not find|no registered|no opkernel|unknown op/i.test(reason)) missing.add(name);
    return undefined;
  }
}

/** The label under which TensorFlow registers oneDNN's kernels. */
const kernelLabel = 'MklNameChangeOp';

/** Tries the oneDNN kernel `name` as {@link tryOptional} does. */
export function tryOneDnn(
  backend: NativeBackend,
  name: string,
  attributes: readonly NativeAttribute[],
  inputs: readonly Tensor[],
  outputs = 1,
): Tensor[] | undefined {
  const label = attribute.string(backend.binding, '_kernel', kernelLabel);
  return tryOptional(backend, name, [...attributes, label], inputs, outputs);
}

/** For tests: as if this process had no op of that name, or had it again. */
export function pretendMissing(name: string, isMissing: boolean): void {
  if (isMissing) missing.add(name);
  else missing.delete(name);
}
