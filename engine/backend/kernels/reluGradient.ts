import type { KernelConfig } from '@tensorflow/tfjs';
import { tensorInput } from './inputs.ts';
import { attribute, type NativeBackend } from './nativeBackend.ts';

/** TensorFlow's ReluGrad: `dy` where `y`, the output of relu, is above zero, and 0 elsewhere; float32. */
export function reluGradient(backend: NativeBackend): KernelConfig {
  return {
    kernelName: 'ReluGrad',
    backendName: 'tensorflow',
    kernelFunc: (call) =>
      backend.executeSingleOutput(
        'ReluGrad',
        [attribute.float32(backend.binding)],
        [tensorInput(call, 'dy'), tensorInput(call, 'y')],
      ),
  };
}
