import { z } from 'zod';
import { batchJobs, expandSweep } from '../../../engine/config/index.ts';
import { sameValue } from '../expectation.ts';
import type { CaseOutcome } from '../framework.ts';

const SweepCase = z.looseObject({
  id: z.string(),
  overrides: z.array(z.string()),
  groups: z.record(z.string(), z.array(z.string())).optional(),
  max_batch_size: z.number().optional(),
  jobs: z.array(z.array(z.string())),
  batches: z.array(z.number()).optional(),
});

/** The jobs of the basic sweeper. */
export const sweeps = {
  name: 'sweeps',
  file: 'sweeps.json',
  run(input: unknown): CaseOutcome {
    const vector = SweepCase.parse(input);
    const jobs = expandSweep(vector.overrides, { groupOptions: (group) => vector.groups?.[group] ?? [] });
    if (!sameValue(jobs, vector.jobs)) {
      return `expected ${JSON.stringify(vector.jobs)}\ngot      ${JSON.stringify(jobs)}`;
    }
    if (vector.batches === undefined) return undefined;
    const sizes = batchJobs(jobs, vector.max_batch_size).map((batch) => batch.length);
    return sameValue(sizes, vector.batches)
      ? undefined
      : `expected batches ${JSON.stringify(vector.batches)}, got ${JSON.stringify(sizes)}`;
  },
};
