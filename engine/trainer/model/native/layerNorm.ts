import * as tf from '@tensorflow/tfjs';
import { attribute, nativeBackendOf, tryOptional } from '../../../backend/index.ts';
import { fused } from './gradients.ts';
import { RawOps } from './rawOps.ts';
import { sumToLast } from './sumToLast.ts';

/**
 * Normalises x [..., width] over its last axis, with weight and bias [width]; undefined where the native backend does not
 * run.
 */
export function nativeLayerNorm(
  x: tf.Tensor,
  weight: tf.Tensor,
  bias: tf.Tensor,
  epsilon: number,
): tf.Tensor | undefined {
  const backend = nativeBackendOf(tf);
  if (backend === undefined || x.dtype !== 'float32' || x.size === 0) return undefined;
  const ops = new RawOps(backend);
  const normal = (input: tf.Tensor) => {
    const centred = ops.two('Sub', input, ops.mean(input));
    const variance = ops.mean(ops.one('Square', centred));
    const deviation = ops.one('Rsqrt', ops.two('AddV2', variance, tf.scalar(epsilon)));
    return { normalised: ops.two('Mul', centred, deviation), deviation };
  };
  return fused(
    {
      name: 'LayerNorm',
      forward: ([input = x, scale = weight, offset = bias], save) => {
        const own = tryOptional(
          backend,
          'AccelHydraLayerNorm',
          [attribute.float(backend.binding, 'epsilon', epsilon)],
          [input, scale, offset],
          3,
        );
        const [output, ...statistics] = own ?? [];
        save([input, scale, ...statistics]);
        if (output !== undefined) return output;
        const attributes = [attribute.float32(backend.binding), attribute.float(backend.binding, 'epsilon', epsilon)];
        const whole = tryOptional(backend, '_MklLayerNorm', attributes, [input, scale, offset], 1);
        return whole?.[0] ?? ops.two('AddV2', ops.two('Mul', normal(input).normalised, scale), offset);
      },
      // with n the normalised input and g = dy · weight: dx = (g − mean(g) − n · mean(g · n)) / deviation
      backward: (dy, [input = x, scale = weight, ...statistics]) => {
        if (statistics.length > 0) {
          const own = tryOptional(backend, 'AccelHydraLayerNormGrad', [], [dy, input, scale, ...statistics], 3);
          if (own !== undefined) return own;
        }
        const { normalised, deviation } = normal(input);
        const slope = ops.two('Mul', dy, scale);
        const shared = ops.two('Mul', normalised, ops.mean(ops.two('Mul', slope, normalised)));
        const centred = ops.two('Sub', ops.two('Sub', slope, ops.mean(slope)), shared);
        return [ops.two('Mul', centred, deviation), sumToLast(ops.two('Mul', dy, normalised)), sumToLast(dy)];
      },
    },
    [x, weight, bias],
  );
}
