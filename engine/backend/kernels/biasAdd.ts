import type { KernelConfig } from '@tensorflow/tfjs';
import { tensorInput } from './inputs.ts';
import { attribute, type NativeBackend } from './nativeBackend.ts';

/** TensorFlow's BiasAdd: x [..., channels] + bias [channels], float32. A graph can fuse it with what comes before. */
export function biasAdd(backend: NativeBackend): KernelConfig {
  return {
    kernelName: 'BiasAdd',
    backendName: 'tensorflow',
    kernelFunc: (call) =>
      backend.executeSingleOutput('BiasAdd', channelsLast(backend), [
        tensorInput(call, 'x'),
        tensorInput(call, 'bias'),
      ]),
  };
}

/** The gradient of BiasAdd by its bias: `dy` [..., channels] summed to [channels], float32. */
export function biasAddGradient(backend: NativeBackend): KernelConfig {
  return {
    kernelName: 'BiasAddGrad',
    backendName: 'tensorflow',
    kernelFunc: (call) => backend.executeSingleOutput('BiasAddGrad', channelsLast(backend), [tensorInput(call, 'dy')]),
  };
}

function channelsLast({ binding }: NativeBackend) {
  return [attribute.float32(binding), attribute.string(binding, 'data_format', 'NHWC')];
}
