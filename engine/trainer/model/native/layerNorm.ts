import * as tf from '@tensorflow/tfjs';
import { attribute, nativeBackendOf, tryOneDnn } from '../../../backend/index.ts';
import { fused } from './gradients.ts';
import { RawOps } from './rawOps.ts';

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
  const last = [x.rank - 1];
  const normal = (input: tf.Tensor) => {
    const centred = ops.two('Sub', input, ops.over('Mean', input, last, true));
    const variance = ops.over('Mean', ops.one('Square', centred), last, true);
    const deviation = ops.one('Rsqrt', ops.two('AddV2', variance, tf.scalar(epsilon)));
    return { normalised: ops.two('Mul', centred, deviation), deviation };
  };
  return fused(
    {
      name: 'LayerNorm',
      forward: ([input = x, scale = weight, offset = bias], save) => {
        save([input, scale]);
        const attributes = [attribute.float32(backend.binding), attribute.float(backend.binding, 'epsilon', epsilon)];
        const whole = tryOneDnn(backend, '_MklLayerNorm', attributes, [input, scale, offset], 1, '');
        return whole?.[0] ?? ops.two('AddV2', ops.two('Mul', normal(input).normalised, scale), offset);
      },
      // with n the normalised input and g = dy · weight: dx = (g − mean(g) − n · mean(g · n)) / deviation
      backward: (dy, [input = x, scale = weight]) => {
        const rows = Array.from({ length: x.rank - 1 }, (_, axis) => axis);
        const { normalised, deviation } = normal(input);
        const slope = ops.two('Mul', dy, scale);
        const shared = ops.two('Mul', normalised, ops.over('Mean', ops.two('Mul', slope, normalised), last, true));
        const centred = ops.two('Sub', ops.two('Sub', slope, ops.over('Mean', slope, last, true)), shared);
        return [
          ops.two('Mul', centred, deviation),
          ops.over('Sum', ops.two('Mul', dy, normalised), rows, false),
          ops.over('Sum', dy, rows, false),
        ];
      },
    },
    [x, weight, bias],
  );
}
