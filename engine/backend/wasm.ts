import { createRequire } from 'node:module';
import { dirname, sep } from 'node:path';
import { EngineError } from '../api/errors.ts';
import { borrowKernels } from './borrowedKernels.ts';
import { conv2dFilterGradient } from './conv2dFilterGradient.ts';
import type { LoadedBackend, TensorApi } from './types.ts';

const require = createRequire(import.meta.url);

/**
 * Makes WebAssembly the backend: one thread, SIMD where the processor has it.
 * @throws EngineError `backend.wasm.failed`
 */
export async function loadWasm(): Promise<Omit<LoadedBackend, 'passedOver'>> {
  const tf: TensorApi = require('@tensorflow/tfjs');
  const wasm: { setWasmPaths(folder: string): void } = require('@tensorflow/tfjs-backend-wasm');
  wasm.setWasmPaths(dirname(require.resolve('@tensorflow/tfjs-backend-wasm')) + sep);
  quietJavascriptBackend(tf);
  if (!(await tf.setBackend('wasm'))) {
    throw new EngineError('backend.wasm.failed', 'The WebAssembly backend does not start on this machine.', {});
  }
  await tf.ready();
  // Training needs kernels that this backend lacks: one is put together from those it has, the rest is borrowed.
  tf.registerKernel(conv2dFilterGradient(tf, 'wasm'));
  borrowKernels(tf, 'wasm');
  const simd = await tf.env().getAsync('WASM_HAS_SIMD_SUPPORT');
  return { tf, name: 'wasm', description: `WebAssembly${simd ? ' with SIMD' : ''}, 1 thread`, gpu: false, threads: 1 };
}

/** Makes plain JavaScript the backend: works everywhere, slowest of all. */
export async function loadJavascript(): Promise<Omit<LoadedBackend, 'passedOver'>> {
  const tf: TensorApi = require('@tensorflow/tfjs');
  quietJavascriptBackend(tf);
  await tf.setBackend('cpu');
  return { tf, name: 'cpu', description: 'plain JavaScript, 1 thread', gpu: false, threads: 1 };
}

/** The JavaScript backend advertises the native one on its first tensor; we say ourselves which backend runs and why. */
export function quietJavascriptBackend(tf: TensorApi): void {
  const backend: object | null = tf.engine().findBackend('cpu');
  if (backend !== null && 'firstUse' in backend) backend.firstUse = false;
}
