import * as tf from '@tensorflow/tfjs';
import { attribute, nativeBackendOf, tryOneDnn } from '../../../backend/index.ts';
import { fused } from './gradients.ts';

/** Statistics of the batch, [channels] each; the variance is the unbiased one. Disposed after the call: copy what stays. */
export type StatisticsListener = (mean: tf.Tensor, variance: tf.Tensor) => void;

/**
 * Normalises images NHWC by the batch's own mean and biased variance, with TensorFlow's fused op and its gradient;
 * undefined where the native backend does not run.
 */
export function nativeBatchNorm(
  x: tf.Tensor4D,
  weight: tf.Tensor,
  bias: tf.Tensor,
  epsilon: number,
  listen: StatisticsListener,
): tf.Tensor | undefined {
  const backend = nativeBackendOf(tf);
  if (backend === undefined || x.dtype !== 'float32' || x.size === 0) return undefined;
  const { binding } = backend;
  const common = [
    attribute.float32(binding),
    attribute.float32(binding, 'U'),
    attribute.float(binding, 'epsilon', epsilon),
    attribute.string(binding, 'data_format', 'NHWC'),
    attribute.bool(binding, 'is_training', true),
  ];
  const run = (name: string, attributes: typeof common, inputs: tf.Tensor[], outputs: number): tf.Tensor[] =>
    tryOneDnn(backend, `_MklNative${name}`, attributes, inputs, outputs) ??
    backend.executeMultipleOutputs(name, attributes, inputs, outputs);
  return fused(
    {
      name: 'BatchNorm2d',
      forward: ([input = x, scale = weight, offset = bias], save) => {
        const none = tf.tensor1d([]);
        const attributes = [...common, attribute.float(binding, 'exponential_avg_factor', 1)];
        const outputs = run('FusedBatchNormV3', attributes, [input, scale, offset, none, none], 6);
        const [value = input, mean = input, variance = input, ...reserved] = outputs;
        listen(mean, variance);
        save([input, scale, ...reserved]);
        return value;
      },
      backward: (dy, [input = x, scale = weight, ...reserved]) =>
        run('FusedBatchNormGradV3', common, [dy, input, scale, ...reserved], 5).slice(0, 3),
    },
    [x, weight, bias],
  );
}
