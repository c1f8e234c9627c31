import type { KernelConfig, Tensor, TensorInfo } from '@tensorflow/tfjs';
import type { TensorApi } from '../types.ts';
import { attribute, type NativeBackend } from './nativeBackend.ts';

/**
 * Rows by number. TensorFlow.js reads all numbers back to the host to check them, at every call; TensorFlow checks them
 * itself on the CPU (on a GPU a wrong number gives zeros).
 */
export function gatherWithoutReading(
  tf: TensorApi,
  backend: NativeBackend,
  plain: KernelConfig['kernelFunc'],
): KernelConfig['kernelFunc'] {
  return (call) => {
    const { x, indices } = call.inputs;
    const { axis, batchDims } = call.attrs ?? {};
    if (!isTensor(tf, x) || !isTensor(tf, indices) || typeof axis !== 'number' || typeof batchDims !== 'number') {
      return plain(call);
    }
    if (x.dtype !== 'float32' || indices.dtype !== 'int32') return plain(call);
    const { binding } = backend;
    const place = tf.scalar(axis, 'int32');
    try {
      return backend.executeSingleOutput(
        'GatherV2',
        [
          attribute.int(binding, 'batch_dims', batchDims),
          attribute.float32(binding, 'Tparams'),
          attribute.int32(binding, 'Tindices'),
          attribute.int32(binding, 'Taxis'),
        ],
        [x, indices, place],
      );
    } catch (error) {
      throw readable(error, x.shape[axis]);
    } finally {
      place.dispose();
    }
  };
}

/** TensorFlow's "indices[3] = 70 is not in [0, 65)" says which, but not of what. */
function readable(error: unknown, rows: number | undefined): unknown {
  const [, wrong] = /= (-?\d+) is not in/.exec(error instanceof Error ? error.message : '') ?? [];
  if (wrong === undefined) return error;
  return new Error(`GatherV2: the index value ${wrong} is not in [0, ${(rows ?? 0) - 1}]`, { cause: error });
}

function isTensor(tf: TensorApi, value: TensorInfo | TensorInfo[] | undefined): value is Tensor {
  return value instanceof tf.Tensor;
}
