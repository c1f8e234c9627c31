import * as tf from '@tensorflow/tfjs';

let isInstalled = false;

/**
 * Replaces gradients of TensorFlow.js that are right but slow. ReLU's goes through the step function, for which the
 * native backend fills a tensor of ones on the host and uploads it at every step of training; comparing the output with
 * zero gives the same numbers on the device.
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
      const slope = Array.isArray(dy) ? dy[0] : dy;
      if (output === undefined || slope === undefined) throw new Error('Internal error: relu saved no output');
      return { x: () => tf.mul(slope, tf.cast(tf.greater(output, 0), 'float32')) };
    },
  });
}
