import * as tf from '@tensorflow/tfjs';
import { z } from 'zod';
import { builtinOptim, Optimizer } from '../../../engine/optim/index.ts';
import { ensureCpu, firstDifference, flatten, nestedNumbers, toTensor } from './numericValues.ts';

const OptimizerCase = z.object({
  id: z.string(),
  source: z.string(),
  name: z.string(),
  params: z.record(z.string(), z.unknown()),
  initial: nestedNumbers,
  grads: z.array(nestedNumbers),
  after_each_step: z.array(nestedNumbers),
});

/** Explicit gradients on one parameter, compared after each step (float32: relative 1e-5). */
export const numericOptimizers = {
  name: 'numeric_optimizers',
  file: 'numeric_optimizers.json',
  async run(input: unknown): Promise<string | undefined> {
    await ensureCpu();
    const vector = OptimizerCase.parse(input);
    const variable = tf.tidy(() => tf.variable(toTensor(vector.initial)));
    const optimizer = makeOptimizer(`${vector.source}.${vector.name}`, [{ name: 'weight', variable }], vector.params);
    try {
      for (const [step, gradient] of vector.grads.entries()) {
        tf.tidy(() => optimizer.step(new Map([['weight', toTensor(gradient)]])));
        const expected = flatten(vector.after_each_step[step] ?? []);
        const failure = firstDifference(variable.dataSync(), expected, 1e-5);
        if (failure !== undefined) return `after step ${step}: ${failure}`;
      }
      return undefined;
    } finally {
      optimizer.dispose();
      variable.dispose();
    }
  },
};

export function makeOptimizer(target: string, parameters: readonly object[], options: unknown): Optimizer {
  const found = builtinOptim[target];
  if (typeof found !== 'function') throw new Error(`There is no target ${target}`);
  const made: unknown = Reflect.construct(found, [parameters, options]);
  if (!(made instanceof Optimizer)) throw new Error(`${target} makes no optimizer`);
  return made;
}
