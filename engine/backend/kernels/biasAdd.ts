import type { KernelConfig } from '@tensorflow/tfjs';
import { tensorInput } from './inputs.ts';
import { attribute, type NativeBackend } from './nativeBackend.ts';

/** TensorFlow's BiasAdd: x [..., channels] + bias [channels], float32. A graph can fuse it with what comes before. */
export function biasAdd(backend: NativeBackend): KernelConfig {
  return {
    kernelName: 'BiasAdd',
    backendName: 'tensorflow',
    kernelFunc: (call) => {
      const { binding } = backend;
      const attributes = [attribute.float32(binding), attribute.string(binding, 'data_format', 'NHWC')];
      return backend.executeSingleOutput('BiasAdd', attributes, [tensorInput(call, 'x'), tensorInput(call, 'bias')]);
    },
  };
}
