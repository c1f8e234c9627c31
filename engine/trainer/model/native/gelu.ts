import * as tf from '@tensorflow/tfjs';
import { attribute, type NativeBackend, nativeBackendOf, tryOptional } from '../../../backend/index.ts';
import { type FusedFunction, fused } from './gradients.ts';
import { RawOps } from './rawOps.ts';

/** x · Φ(x) by erf, or by the tanh formula of Hendrycks and Gimpel (2016); undefined where no native kernels do it. */
export function nativeGelu(x: tf.Tensor, byTanh: boolean): tf.Tensor | undefined {
  const backend = nativeBackendOf(tf);
  if (backend === undefined || x.dtype !== 'float32') return undefined;
  return inOneKernel(backend, x, byTanh) ?? (byTanh ? undefined : fused(byErf(backend), [x]));
}

function inOneKernel(backend: NativeBackend, x: tf.Tensor, byTanh: boolean): tf.Tensor | undefined {
  const attributes = [attribute.bool(backend.binding, 'by_tanh', byTanh)];
  const [output] = tryOptional(backend, 'AccelHydraGelu', attributes, [x], 1) ?? [];
  if (output === undefined) return undefined;
  return fused(
    {
      name: 'GELU',
      forward: ([input = x], save) => {
        save([input]);
        return output;
      },
      backward: (dy, [input = x]) => {
        const [slope] = tryOptional(backend, 'AccelHydraGeluGrad', attributes, [dy, input], 1) ?? [];
        if (slope === undefined) throw new Error('Internal error: GELU without its gradient');
        return [slope];
      },
    },
    [x],
  );
}

function byErf(backend: NativeBackend): FusedFunction {
  const ops = new RawOps(backend);
  return {
    name: 'GELU',
    forward: ([x], save) => {
      if (x === undefined) throw new Error('Internal error: GELU of nothing');
      const scaled = ops.scale(x, Math.SQRT1_2);
      const probability = ops.scale(ops.two('AddV2', ops.one('Erf', scaled), tf.scalar(1)), 0.5);
      save([scaled, probability]);
      return ops.two('Mul', x, probability);
    },
    // d/dx xΦ(x) = Φ(x) + x exp(-x²/2) / √(2π) = Φ(x) + s exp(-s²) / √π, with s = x/√2. In a graph TensorFlow goes over
    // the values once for square, negative and exponential together.
    backward: (dy, [scaled = dy, probability = dy]) => {
      const density = ops.one('Exp', ops.one('Neg', ops.one('Square', scaled)));
      const change = ops.scale(ops.two('Mul', scaled, density), 1 / Math.sqrt(Math.PI));
      return [ops.two('Mul', dy, ops.two('AddV2', probability, change))];
    },
  };
}
