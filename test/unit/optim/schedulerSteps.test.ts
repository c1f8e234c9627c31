import { expect, test } from 'vitest';
import {
  advanceScheduler,
  fillSchedulerOptions,
  getScheduler,
  microStepsFor,
  OneCycleLR,
  StepLR,
  schedulerUpdates,
  totalUpdates,
  warmupUpdates,
} from '../../../engine/optim/index.ts';
import { numericSeedSteps } from '../../conformance/families/numericSeedSteps.ts';
import { numericCases } from '../../support/numeric.ts';

test.each(numericCases<{ id: string }>('seed_steps.json'))('$id counts as AccelHydra does', (vector) => {
  expect(numericSeedSteps.run(vector)).toBeUndefined();
});

const counts = (
  loaderLength: number,
  processes: number,
  accumulation: number,
  epochs: number,
  epochLength?: number | null,
) => ({ loaderLength, processes, accumulation, epochs, epochLength });

test.each([
  { id: 'two processes', given: counts(1000, 2, 4, 3, null), updates: 750 },
  { id: 'an epoch shorter than the loader', given: counts(1000, 2, 4, 3, 300), updates: 450 },
  { id: 'a partial last group', given: counts(469, 1, 4, 10), updates: 1180 },
  { id: 'more processes than batches divide', given: counts(10, 4, 3, 2), updates: 8 },
  { id: 'epochs across passes', given: counts(7, 2, 2, 5, 3), updates: 14 },
  { id: 'an empty loader', given: counts(0, 2, 2, 5), updates: 0 },
])('updates of $id', ({ given, updates }) => {
  expect(totalUpdates(given)).toBe(updates);
});

/** The rule itself, walked: gradients sync every `accumulation` micro-steps and at the end of each pass. */
test('updates equal a walk through the micro-steps', () => {
  for (const given of [counts(7, 2, 3, 4), counts(5, 1, 2, 3, 4), counts(9, 4, 4, 2, 7)]) {
    const pass = Math.ceil(given.loaderLength / given.processes);
    let updates = 0;
    let sinceSync = 0;
    for (let step = 1; step <= 40; step++) {
      sinceSync++;
      if (sinceSync === given.accumulation || step % pass === 0) {
        updates += given.processes;
        sinceSync = 0;
      }
      expect(schedulerUpdates(step, given)).toBe(updates);
    }
  }
});

test('warm-up is mapped like the total, from steps or from epochs', () => {
  const given = counts(1000, 2, 4, 3, 300);
  expect(warmupUpdates({ warmup_steps: 100 }, given)).toBe(50);
  expect(warmupUpdates({ warmup_epochs: 1.5 }, given)).toBe(schedulerUpdates(450, given));
  expect(warmupUpdates({ warmup_epochs: 1, epoch_length: 100 }, given)).toBe(50);
  expect(warmupUpdates({ warmup_steps: null, warmup_epochs: null }, given)).toBeUndefined();
});

const optimizer = () => ({ paramGroups: [{ params: [], lr: 1, momentum: 0.9 }] });

test('a one-cycle config with epochs gets the whole run as its cycle, once', () => {
  const given = counts(469, 1, 4, 10);
  const { options, notes } = fillSchedulerOptions(OneCycleLR, { max_lr: 0.1, epochs: 10 }, given);
  expect(options).toEqual({ max_lr: 0.1, total_steps: 1180 });
  expect(notes).toEqual(['total_steps = 1180']);
});

test.each([
  { id: 'its own length', options: { max_lr: 0.1, total_steps: 7 } },
  { id: 'its own epochs and steps', options: { max_lr: 0.1, epochs: 2, steps_per_epoch: 7 } },
])('a one-cycle config with $id is left alone', ({ options }) => {
  expect(fillSchedulerOptions(OneCycleLR, options, counts(469, 1, 4, 10)).options).toEqual(options);
});

test('a named schedule gets its length and its warm-up from the same counts', () => {
  const filled = fillSchedulerOptions(
    getScheduler,
    { name: 'linear', num_warmup_steps: null },
    counts(1000, 2, 4, 3, 300),
    { warmup_steps: 100 },
  );
  expect(filled.options).toEqual({ name: 'linear', num_warmup_steps: 50, num_training_steps: 450 });
});

test('without warm-up a named schedule has none', () => {
  const filled = fillSchedulerOptions(getScheduler, { name: 'linear' }, counts(10, 1, 1, 2));
  expect(filled.options).toEqual({ name: 'linear', num_warmup_steps: 0, num_training_steps: 20 });
});

test('what a target does not take is not given to it', () => {
  const options = { step_size: 3 };
  expect(fillSchedulerOptions(StepLR, options, counts(10, 1, 1, 1)).options).toEqual(options);
  expect(fillSchedulerOptions(() => undefined, options, counts(10, 1, 1, 1)).options).toEqual(options);
});

test('a scheduler of fixed length is never stepped beyond its end', () => {
  const scheduler = new OneCycleLR(optimizer(), { max_lr: 1, total_steps: 5 });
  for (let update = 0; update < 4; update++) advanceScheduler(scheduler, 2);
  expect(scheduler.lastEpoch).toBe(5);
});

test('one optimizer step counts once for each process', () => {
  const scheduler = new StepLR(optimizer(), { step_size: 3 });
  advanceScheduler(scheduler, 3);
  expect(scheduler.getLastLr()).toEqual([0.1]);
});

test.each([
  { id: 'one process', given: counts(10, 1, 1, 4) },
  { id: 'two processes, an odd pass', given: counts(7, 2, 1, 4) },
  { id: 'accumulation with a partial last group', given: counts(10, 1, 4, 4) },
  { id: 'both', given: counts(23, 2, 3, 4) },
])('microStepsFor is the first step at which the scheduler has stepped so often: $id', ({ given }) => {
  for (let updates = 0; updates <= schedulerUpdates(40, given); updates++) {
    const steps = microStepsFor(updates, given);
    expect(schedulerUpdates(steps, given)).toBeGreaterThanOrEqual(updates);
    if (steps > 0) expect(schedulerUpdates(steps - 1, given)).toBeLessThan(updates);
  }
});
