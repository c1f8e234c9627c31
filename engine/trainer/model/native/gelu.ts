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
        const probability = ops.scale(
          ops.two('AddV2', ops.one('Erf', ops.scale(input, Math.SQRT1_2)), tf.scalar(1)),
          0.5,
        );
        save([input, probability]);
        return ops.two('Mul', input, probability);
      },
      // d/dx xΦ(x) = Φ(x) + xφ(x), φ(x) = exp(-x²/2) / √(2π)
      backward: (dy, [input = x, probability = x]) => {
        const density = ops.one('Exp', ops.scale(ops.one('Square', input), -0.5));
        const change = ops.scale(ops.two('Mul', input, density), 1 / Math.sqrt(2 * Math.PI));
        return [ops.two('Mul', dy, ops.two('AddV2', probability, change))];
      },
    },
    [x],
  );
}
