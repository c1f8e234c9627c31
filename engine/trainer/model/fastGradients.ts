import * as tf from '@tensorflow/tfjs';
import { addGradient, hasKernel, only, runKernel } from './native/gradients.ts';

let isInstalled = false;

/**
 * Replaces gradients of TensorFlow.js that are right but slow. ReLU's goes through the step function, for which the
 * native backend fills a tensor of ones on the host and uploads it at every step of training: ReluGrad does it in one op
 * there, and comparing the output with zero gives the same numbers elsewhere.
 */
export function installFastGradients(): void {
  if (isInstalled) return;
  isInstalled = true;
  tf.unregisterGradient('Relu');
  tf.registerGradient({
    kernelName: 'Relu',
    outputsToSave: [true],
    gradFunc: (dy, saved) => {
      const [output] = saved;
      if (output === undefined) throw new Error('Internal error: relu saved no output');
      return { x: () => maskByOutput(only(dy), output) };
    },
  });
  // linear in dy, and flat in y wherever it has a derivative
  addGradient({
    kernelName: 'ReluGrad',
    inputsToSave: ['y'],
    gradFunc: (dy, saved) => {
      const [output] = saved;
      if (output === undefined) throw new Error('Internal error: ReluGrad saved no output');
      return { dy: () => maskByOutput(only(dy), output), y: () => tf.zerosLike(output) };
    },
  });
}

function maskByOutput(dy: tf.Tensor, y: tf.Tensor): tf.Tensor {
  if (hasKernel('ReluGrad') && dy.dtype === 'float32' && y.dtype === 'float32') return runKernel('ReluGrad', { dy, y });
  return tf.mul(dy, tf.cast(tf.greater(y, 0), 'float32'));
}
