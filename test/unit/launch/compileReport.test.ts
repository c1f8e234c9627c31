import { expect, test } from 'vitest';
import { medianStep } from '../../../engine/launch/compileReport/timedTraining.ts';

/** Moments of steps that last so long. */
function moments(...steps: number[]): number[] {
  const all = [0];
  for (const step of steps) all.push((all.at(-1) ?? 0) + step);
  return all;
}

test('the time of a step leaves out the first steps and a validation in between', () => {
  expect(medianStep(moments(900, 500, 40, 4, 5, 6, 300, 5, 5, 5))).toBe(5);
  expect(medianStep(moments(3))).toBe(3);
  expect(medianStep([])).toBeNaN();
});
