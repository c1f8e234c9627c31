import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import { join } from 'node:path';
import util from 'node:util';
import { EngineError } from '../api/errors.ts';
import { callersThread } from './graphThread.ts';
import { installNativeKernels } from './kernels/install.ts';
import { loadOwnKernels } from './kernels/ownKernels.ts';
import { nativeBinding } from './nativeBinding.ts';
import { packageRoot, readSetup } from './setupRecord.ts';
import type { BackendRequest, LoadedBackend, TensorApi } from './types.ts';

const require = createRequire(import.meta.url);

/** Where the binding package looks for its native half; the bootstrap compiles or links it there. */
export function bindingPath(): string {
  return join(packageRoot(), 'node_modules', '@tensorflow', 'tfjs-node-gpu', 'lib', 'napi-v8', 'tfjs_binding.node');
}

/** Why native TensorFlow cannot be loaded here, or undefined when it should work. Loads nothing. */
export function tensorflowObstacle(): string | undefined {
  if (process.env.ACCELHYDRA_TENSORFLOW === 'none') return 'switched off by ACCELHYDRA_TENSORFLOW=none';
  if (existsSync(bindingPath())) return undefined;
  const recorded = readSetup()?.tensorflow;
  return recorded?.reason ?? 'its binding is not built; run `npm run setup`';
}

/**
 * Loads native TensorFlow in this process and makes it the backend of the one `@tensorflow/tfjs`.
 *
 * Thread counts are read by the native library once, when it loads: a later call cannot change them. The library must
 * only ever be loaded on a process's main thread.
 * @throws EngineError `backend.tensorflow.missing` | `backend.tensorflow.failed`
 */
export function loadTensorflow(request: BackendRequest): Omit<LoadedBackend, 'passedOver'> {
  const obstacle = tensorflowObstacle();
  if (obstacle !== undefined) {
    throw new EngineError('backend.tensorflow.missing', `Native TensorFlow is not available: ${obstacle}.`, {});
  }
  const threads = setThreads(request);
  quietBanner();
  chooseOneDnn();
  keepMemory();
  restoreRemovedNodeHelpers();
  const tf = requireBinding();
  const binding = nativeBinding(tf);
  // to find out whether a strange number comes from one of ours, and to measure them
  if (process.env.ACCELHYDRA_KERNELS !== 'plain') {
    loadOwnKernels(binding);
    installNativeKernels(tf);
  }
  const gpu = binding.isUsingGpuDevice();
  const where = gpu ? `GPU ${process.env.CUDA_VISIBLE_DEVICES ?? '0'}` : cpuText(threads);
  return {
    tf,
    name: 'tensorflow',
    description: `TensorFlow ${binding.TF_Version} (native) on ${where}`,
    gpu,
    tensorflowVersion: binding.TF_Version,
    threads,
  };
}

function requireBinding(): TensorApi {
  try {
    require('@tensorflow/tfjs-node-gpu');
    const tf: TensorApi = require('@tensorflow/tfjs');
    tf.setBackend('tensorflow');
    return tf;
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    throw new EngineError(
      'backend.tensorflow.failed',
      `Native TensorFlow is built but does not load: ${cause.split('\n')[0]}. Run \`npm run setup\` to repair it.`,
      { binding: bindingPath() },
      { cause: error },
    );
  }
}

/** The library reads these once while it loads; a value the user has set stands unless the request names another. */
function setThreads(request: BackendRequest): number {
  const set = (name: string, value: number | undefined): void => {
    if (value !== undefined) process.env[name] = String(Math.max(1, Math.floor(value)));
  };
  set('TF_NUM_INTRAOP_THREADS', request.threads);
  set('OMP_NUM_THREADS', request.threads);
  set('TF_NUM_INTEROP_THREADS', request.interOpThreads);
  if (!(Number(process.env.TF_NUM_INTEROP_THREADS) > 1)) process.env.TF_NUM_INTEROP_THREADS = callersThread;
  return Number(process.env.TF_NUM_INTRAOP_THREADS ?? os.availableParallelism());
}

/** Hides the library's informational banner, never its warnings and errors; and lets processes share a GPU's memory. */
function quietBanner(): void {
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '1';
  process.env.TF_FORCE_GPU_ALLOW_GROWTH ??= 'true';
}

/**
 * oneDNN's kernels are asked for one by one (kernels/oneDnn.ts), where they are right and faster. On processors with AVX-512
 * TensorFlow 2.21 would also put them in by itself, which makes nothing faster that is left and some things wrong: bf16
 * convolutions of an odd number of channels give garbage (seen on a Zen 5), those of an empty batch a wrong shape.
 *
 * They keep what they have planned and compiled for a shape: by default TensorFlow makes it anew for every gradient of a
 * convolution, which takes a tenth of the step of a small net.
 */
function chooseOneDnn(): void {
  process.env.TF_ENABLE_ONEDNN_OPTS ??= '0';
  process.env.TF_MKL_OPTIMIZE_PRIMITIVE_MEMUSE ??= 'false';
}

/**
 * Tensors lie in memory that TensorFlow's own allocator (BFC, as on a GPU) keeps from step to step. By default they come from
 * the C library, which gives much of it back to the system after each step, to be cleared and mapped again in the next: on a
 * virtual machine a transformer trained twice as fast without that, in 0.8 of the memory. TensorFlow would stop at 64 GiB.
 */
function keepMemory(): void {
  process.env.TF_CPU_ALLOCATOR_USE_BFC ??= 'true';
  process.env.TF_CPU_BFC_MEM_LIMIT_IN_MB ??= String(Math.ceil(os.totalmem() / 2 ** 20));
}

/**
 * Node 23 removed old `util.is…` helpers that the binding's JavaScript half still calls, and those that are left print a
 * deprecation warning into every training's log: plain functions take the place of both.
 */
function restoreRemovedNodeHelpers(): void {
  const helpers: Record<string, (value: unknown) => boolean> = {
    isNullOrUndefined: (value) => value === null || value === undefined,
    isArray: (value) => Array.isArray(value),
  };
  for (const [name, value] of Object.entries(helpers)) {
    Object.defineProperty(util, name, { value, configurable: true, writable: true });
  }
}

function cpuText(threads: number): string {
  return `CPU, ${threads} ${threads === 1 ? 'thread' : 'threads'}`;
}
