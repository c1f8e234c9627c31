import type { KernelConfig, TensorInfo } from '@tensorflow/tfjs';
import type { TensorApi } from './types.ts';

type Values = Float32Array | Int32Array | Uint8Array;

/** The parts of TensorFlow.js's own backends that moving values between them takes. */
interface MemoryBackend {
  readSync(dataId: object): Values;
  write(values: Values, shape: number[], dtype: TensorInfo['dtype']): object;
  disposeData(dataId: object, force?: boolean): boolean;
}

/**
 * Gives a backend the kernels that it lacks and the plain JavaScript backend has: inputs are copied over and the result
 * back, which is slow but right. Gives the names of what was borrowed.
 */
export function borrowKernels(tf: TensorApi, backendName: 'wasm' | 'webgpu'): readonly string[] {
  const own = new Set(tf.getKernelsForBackend(backendName).map((kernel) => kernel.kernelName));
  const missing = tf.getKernelsForBackend('cpu').filter((kernel) => !own.has(kernel.kernelName));
  for (const kernel of missing) tf.registerKernel(borrowed(tf, kernel, backendName));
  return missing.map((kernel) => kernel.kernelName);
}

function borrowed(tf: TensorApi, kernel: KernelConfig, backendName: string): KernelConfig {
  const kernelFunc: KernelConfig['kernelFunc'] = ({ inputs, backend, attrs }) => {
    const borrower = memoryOf(backend);
    const javascript = memoryOf(tf.engine().findBackend('cpu'));
    const moved: object[] = [];
    const move = (info: TensorInfo): TensorInfo => {
      // the copy must be a real one: a kernel may hand its input on as its output
      const dataId = javascript.write(borrower.readSync(info.dataId).slice(), info.shape, info.dtype);
      moved.push(dataId);
      return { ...info, dataId, shape: info.shape, dtype: info.dtype };
    };
    const given: Record<string, TensorInfo | TensorInfo[] | undefined> = {};
    for (const [name, input] of Object.entries(inputs)) given[name] = moveEach(input, move);
    const results = kernel.kernelFunc({
      inputs: given as typeof inputs,
      backend: javascript,
      ...(attrs === undefined ? {} : { attrs }),
    });
    const back = (info: TensorInfo): TensorInfo => {
      moved.push(info.dataId);
      const dataId = borrower.write(javascript.readSync(info.dataId), info.shape, info.dtype);
      return { dataId, shape: info.shape, dtype: info.dtype };
    };
    const outputs = Array.isArray(results) ? results.map(back) : back(results);
    for (const dataId of new Set(moved)) javascript.disposeData(dataId, true);
    return outputs;
  };
  return { kernelName: kernel.kernelName, backendName, kernelFunc };
}

function moveEach(
  input: TensorInfo | TensorInfo[] | undefined,
  move: (info: TensorInfo) => TensorInfo,
): TensorInfo | TensorInfo[] | undefined {
  return Array.isArray(input) ? input.map(move) : input === undefined ? undefined : move(input);
}

function memoryOf(backend: unknown): MemoryBackend {
  if (isMemoryBackend(backend)) return backend;
  throw new Error('Internal error: a TensorFlow.js backend without readSync and write');
}

function isMemoryBackend(backend: unknown): backend is MemoryBackend {
  return typeof backend === 'object' && backend !== null && 'readSync' in backend && 'write' in backend;
}
