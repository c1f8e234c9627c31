import * as tf from '@tensorflow/tfjs';
import { z } from 'zod';
import { builtinOptim } from '../../../engine/optim/index.ts';
import { ensureCpu, firstDifference, flatten, nestedNumbers, toTensor } from './numericValues.ts';

const LossCase = z.object({
  id: z.string(),
  source: z.string(),
  name: z.string(),
  params: z.record(z.string(), z.unknown()),
  input: nestedNumbers,
  target: nestedNumbers,
  loss: nestedNumbers,
  grad: nestedNumbers,
});

interface CallableLoss {
  call(input: tf.Tensor, target: tf.Tensor): tf.Tensor;
}

/** The loss and its gradient with respect to the input (float32: relative 1e-5 of the largest value). */
export const numericLosses = {
  name: 'numeric_losses',
  file: 'numeric_losses.json',
  async run(input: unknown): Promise<string | undefined> {
    await ensureCpu();
    const vector = LossCase.parse(input);
    const loss = makeLoss(`${vector.source}.${vector.name}`, vector.params);
    return tf.tidy(() => {
      const x = toTensor(vector.input);
      const whole = flatten(vector.target).every(Number.isInteger);
      const target = toTensor(vector.target, whole ? 'int32' : 'float32');
      const value = close(loss.call(x, target).dataSync(), flatten(vector.loss));
      if (value !== undefined) return `loss: ${value}`;
      const gradient = tf.grad((tensor: tf.Tensor) => tf.sum(loss.call(tensor, target)))(x);
      const slope = close(gradient.dataSync(), flatten(vector.grad));
      return slope === undefined ? undefined : `gradient: ${slope}`;
    });
  },
};

function close(actual: ArrayLike<number>, expected: readonly number[]): string | undefined {
  const largest = Math.max(...expected.map(Math.abs));
  return firstDifference(actual, expected, 1e-5, largest / 10);
}

export function makeLoss(target: string, params: unknown): CallableLoss {
  const found = builtinOptim[target];
  if (typeof found !== 'function') throw new Error(`There is no target ${target}`);
  return Reflect.construct(found, [params]);
}
