import { z } from 'zod';
import { builtinOptim, type LearningRateScheduler } from '../../../engine/optim/index.ts';
import { firstDifference } from './numericValues.ts';

const SchedulerCase = z.object({
  id: z.string(),
  source: z.string(),
  name: z.string(),
  params: z.record(z.string(), z.unknown()),
  base_lr: z.number(),
  steps: z.number().int(),
  lrs: z.array(z.number()),
  metrics: z.array(z.number()).optional(),
});
type SchedulerCase = z.infer<typeof SchedulerCase>;

/** Options that transformers takes for every schedule; the rest belongs to the named one. */
const common = new Set(['num_warmup_steps', 'num_training_steps']);

/** The rate in force at optimizer step 0, 1, … (relative 1e-9). */
export const numericLrSchedulers = {
  name: 'numeric_lr_schedulers',
  file: 'numeric_lr_schedulers.json',
  run(input: unknown): string | undefined {
    const vector = SchedulerCase.parse(input);
    const group = { params: [], lr: vector.base_lr, momentum: 0.9 };
    const scheduler = makeScheduler(vector, { paramGroups: [group] });
    const rates: number[] = [];
    for (let step = 0; step < vector.lrs.length; step++) {
      rates.push(group.lr);
      // A schedule of fixed length ends with the last rate recorded.
      if (step < vector.lrs.length - 1) scheduler.step(vector.metrics?.[step]);
    }
    return firstDifference(rates, vector.lrs, 1e-9, 1e-18);
  },
};

function makeScheduler(vector: SchedulerCase, optimizer: object): LearningRateScheduler {
  if (vector.source.endsWith('get_scheduler')) {
    const entries = Object.entries(vector.params);
    const options = {
      name: vector.name,
      ...Object.fromEntries(entries.filter(([key]) => common.has(key))),
      scheduler_specific_kwargs: Object.fromEntries(entries.filter(([key]) => !common.has(key))),
    };
    const factory = builtinOptim['transformers.get_scheduler'];
    if (typeof factory !== 'function') throw new Error('There is no get_scheduler');
    return Reflect.apply(factory, undefined, [optimizer, options]);
  }
  const found = builtinOptim[`${vector.source}.${vector.name}`];
  if (typeof found !== 'function') throw new Error(`There is no target ${vector.source}.${vector.name}`);
  return Reflect.construct(found, [optimizer, vector.params]);
}
