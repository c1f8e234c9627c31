import * as tf from '@tensorflow/tfjs';
import { addGradient, hasKernel, only, runKernel } from './gradients.ts';

/** From so many channels on BiasAddGrad is the faster sum on a CPU: 7 times for 512, where for 8 the other is 5 times faster. */
const wide = 32;

/** x [..., channels] summed to [channels]. */
export function sumToLast(x: tf.Tensor): tf.Tensor {
  const isWide = (x.shape.at(-1) ?? 0) >= wide && x.rank > 1 && x.size > 0;
  if (isWide && x.dtype === 'float32' && hasKernel('BiasAddGrad')) {
    addGradient({
      kernelName: 'BiasAddGrad',
      inputsToSave: ['dy'],
      gradFunc: (slope, saved) => ({ dy: () => tf.broadcastTo(only(slope), saved[0]?.shape ?? []) }),
    });
    return runKernel('BiasAddGrad', { dy: x });
  }
  return tf.sum(
    x,
    Array.from({ length: x.rank - 1 }, (_, axis) => axis),
  );
}
