import * as tf from '@tensorflow/tfjs';
import { addGradient, hasKernel, only, runKernel } from './gradients.ts';
import { sumToLast } from './sumToLast.ts';

/** x [..., channels] plus bias [channels]. */
export function addBias(x: tf.Tensor, bias: tf.Tensor): tf.Tensor {
  if (!hasKernel('BiasAdd') || x.dtype !== 'float32') return x.add(bias);
  addGradient({
    kernelName: 'BiasAdd',
    gradFunc: (dy) => ({ x: () => only(dy).clone(), bias: () => sumToLast(only(dy)) }),
  });
  return runKernel('BiasAdd', { x, bias });
}

/**
 * A convolution of images NHWC with `filter` [height, width, in, out] plus `bias` [out]: one op where the native backend
 * has it. Throws what tf.conv2d throws.
 */
export function convolveWithBias(
  x: tf.Tensor4D,
  filter: tf.Tensor4D,
  bias: tf.Tensor,
  strides: [number, number],
  pad: 'same' | 'valid',
): tf.Tensor {
  if (!hasKernel('Conv2DWithBias') || x.shape[3] !== filter.shape[2]) {
    return addBias(tf.conv2d(x, filter, strides, pad), bias);
  }
  registerConvolutionGradient();
  return runKernel('Conv2DWithBias', { x, filter, bias }, { strides, pad });
}

// From the gradient kernels of TensorFlow.js, so second derivatives exist as far as it has them.
function registerConvolutionGradient(): void {
  addGradient({
    kernelName: 'Conv2DWithBias',
    inputsToSave: ['x', 'filter'],
    gradFunc: (result, saved, attributes) => {
      const dy = only(result);
      const [x, filter] = saved;
      if (x === undefined || filter === undefined) throw new Error('Internal error: Conv2DWithBias saved no inputs');
      const same = { ...attributes, dataFormat: 'NHWC' };
      return {
        x: () => runKernel('Conv2DBackpropInput', { dy, filter }, { ...same, inputShape: x.shape }),
        filter: () => runKernel('Conv2DBackpropFilter', { x, dy }, { ...same, filterShape: filter.shape }),
        bias: () => sumToLast(dy),
      };
    },
  });
}
