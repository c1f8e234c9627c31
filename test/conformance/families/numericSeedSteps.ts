import { z } from 'zod';
import {
  passInside,
  passOutside,
  type StepCounts,
  totalTrainingSteps,
  totalUpdates,
  warmupMicroSteps,
} from '../../../engine/optim/index.ts';

const StepsCase = z.object({
  id: z.string(),
  dataloader_length: z.number().int(),
  num_processes: z.number().int(),
  gradient_accumulation_steps: z.number().int(),
  epochs: z.number().int(),
  epoch_length: z.number().int().nullable(),
  one_pass_outside: z.number().int(),
  total_training_steps: z.number().int(),
  one_pass_inside: z.number().int(),
  num_training_updates: z.number().int(),
  warmup_from_epochs_1_5: z.number().int(),
});

/** AccelHydra's arithmetic of learning-rate steps, exactly. */
export const numericSeedSteps = {
  name: 'numeric_seed_steps',
  file: 'numeric_seed_steps.json',
  run(input: unknown): string | undefined {
    const vector = StepsCase.parse(input);
    const counts: StepCounts = {
      loaderLength: vector.dataloader_length,
      processes: vector.num_processes,
      accumulation: vector.gradient_accumulation_steps,
      epochs: vector.epochs,
      epochLength: vector.epoch_length,
    };
    const results = {
      one_pass_outside: passOutside(counts),
      total_training_steps: totalTrainingSteps(counts),
      one_pass_inside: passInside(counts),
      num_training_updates: totalUpdates(counts),
      warmup_from_epochs_1_5: warmupMicroSteps({ warmup_epochs: 1.5 }, counts),
    };
    const wrong = Object.entries(results).find(([key, value]) => value !== Reflect.get(vector, key));
    return wrong === undefined ? undefined : `${wrong[0]} is ${wrong[1]} instead of ${Reflect.get(vector, wrong[0])}`;
  },
};
