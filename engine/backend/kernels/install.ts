import type { KernelConfig } from '@tensorflow/tfjs';
import type { TensorApi } from '../types.ts';
import { biasAdd, biasAddGradient } from './biasAdd.ts';
import { convolutionWithBias } from './convolutionWithBias.ts';
import { gatherWithoutReading } from './gather.ts';
import { matMul } from './matMul.ts';
import { nativeBackendOf } from './nativeBackend.ts';
import { preferOneDnn } from './oneDnn.ts';
import { reluGradient } from './reluGradient.ts';
import { reshapeToItself } from './reshape.ts';
import { step } from './step.ts';

type KernelFunction = KernelConfig['kernelFunc'];

/** Kernels of TensorFlow.js whose native op has a faster oneDNN twin. */
const redirected = [
  'Conv2D',
  'Conv2DBackpropFilter',
  'Conv2DBackpropInput',
  'FusedConv2D',
  'DepthwiseConv2dNative',
  'DepthwiseConv2dNativeBackpropFilter',
  'DepthwiseConv2dNativeBackpropInput',
  'FusedDepthwiseConv2D',
  'MaxPool',
  'MaxPoolGrad',
  'AvgPool',
  'AvgPoolGrad',
  'Softmax',
  'Transpose',
];

/**
 * Puts faster kernels under the native backend's own operations, so that all code gets them, a project's included. Results
 * are the same up to rounding; what a build of TensorFlow lacks falls back to the plain op without a word.
 */
export function installNativeKernels(tf: TensorApi): void {
  const backend = nativeBackendOf(tf);
  if (backend === undefined) return;
  const fast = preferOneDnn(backend);
  for (const name of redirected) replace(tf, name, (plain) => (call) => plain({ ...call, backend: fast }));
  replace(tf, 'BatchMatMul', (plain) => matMul(fast, plain));
  replace(tf, 'GatherV2', (plain) => gatherWithoutReading(tf, backend, plain));
  replace(tf, 'Reshape', (plain) => reshapeToItself(plain));
  replace(tf, 'Step', (plain) => step(tf, plain));
  for (const kernel of [convolutionWithBias(fast), biasAdd(backend), reluGradient(backend)]) tf.registerKernel(kernel);
  // on a GPU it adds up in another order each time
  if (!backend.binding.isUsingGpuDevice()) tf.registerKernel(biasAddGradient(backend));
}

function replace(tf: TensorApi, name: string, make: (plain: KernelFunction) => KernelFunction): void {
  const existing = tf.getKernel(name, 'tensorflow');
  if (existing === undefined) return;
  tf.unregisterKernel(name, 'tensorflow');
  tf.registerKernel({ ...existing, kernelFunc: make(existing.kernelFunc) });
}
