import type { TensorInfo } from '@tensorflow/tfjs';
import type { TensorApi } from './types.ts';

/** Every WebGPU device lets a shader use 8 storage buffers, and one is for the result. */
const atOnce = 7;

/**
 * Makes WebGPU's sum of tensors right for any number of them. TensorFlow.js's own binds each to a storage buffer of one
 * shader; a device refuses the shader when they are too many, and the sum (of the squares of all gradients, say) stays
 * zero.
 */
export function addInParts(tf: TensorApi): void {
  const own = tf.getKernel('AddN', 'webgpu');
  tf.unregisterKernel('AddN', 'webgpu');
  tf.registerKernel({
    ...own,
    kernelFunc: (call) => {
      const add = (terms: unknown[]): TensorInfo =>
        Reflect.apply(own.kernelFunc, undefined, [{ ...call, inputs: terms }]);
      const terms = Object.values(call.inputs);
      let sum = add(terms.slice(0, atOnce));
      for (let next = atOnce; next < terms.length; next += atOnce - 1) {
        const before = sum;
        sum = add([before, ...terms.slice(next, next + atOnce - 1)]);
        tf.backend().disposeData(before.dataId);
      }
      return sum;
    },
  });
}
