import * as tf from '@tensorflow/tfjs';
import { nativeBackendOf } from '../../../backend/index.ts';
import { fused } from './gradients.ts';
import { RawOps } from './rawOps.ts';

/** x · Φ(x) by erf, or undefined where the native backend does not run. */
export function nativeGelu(x: tf.Tensor): tf.Tensor | undefined {
  const backend = nativeBackendOf(tf);
  if (backend === undefined || x.dtype !== 'float32') return undefined;
  const ops = new RawOps(backend);
  return fused(
    {
      name: 'GELU',
      forward: ([input = x], save) => {
        const scaled = ops.scale(input, Math.SQRT1_2);
        const probability = ops.scale(ops.two('AddV2', ops.one('Erf', scaled), tf.scalar(1)), 0.5);
        save([scaled, probability]);
        return ops.two('Mul', input, probability);
      },
      // d/dx xΦ(x) = Φ(x) + x exp(-x²/2) / √(2π) = Φ(x) + s exp(-s²) / √π, with s = x/√2. In a graph TensorFlow goes over
      // the values once for square, negative and exponential together.
      backward: (dy, [scaled = x, probability = x]) => {
        const density = ops.one('Exp', ops.one('Neg', ops.one('Square', scaled)));
        const change = ops.scale(ops.two('Mul', scaled, density), 1 / Math.sqrt(Math.PI));
        return [ops.two('Mul', dy, ops.two('AddV2', probability, change))];
      },
    },
    [x],
  );
}
