import type { KernelConfig } from '@tensorflow/tfjs';
import type { TensorApi } from '../types.ts';

/**
 * 1 above zero, 0 elsewhere, NaN for NaN. TensorFlow.js fills two tensors on the host and uploads them at every call; the
 * sign cut off at zero is the same and stays on the device.
 */
export function step(tf: TensorApi, plain: KernelConfig['kernelFunc']): KernelConfig['kernelFunc'] {
  return (call) => {
    const { x } = call.inputs;
    if (!(x instanceof tf.Tensor) || x.dtype !== 'float32' || call.attrs?.alpha !== 0) return plain(call);
    return tf.tidy(() => tf.relu(tf.sign(x)));
  };
}
