import { expect, test } from 'vitest';
import { type Histogram, layOutRidges } from '../../../renderer/features/run/media/ridges.ts';

function histogram(edges: number[], counts: number[]): Histogram {
  return { kind: 'histogram', edges, counts, count: 1, notFinite: 0, minimum: 0, maximum: 1, mean: 0, std: 1 };
}

const size = { width: 100, height: 60, rise: 20 };

test('histograms of all steps share an axis, and the densest rises highest', () => {
  const { low, high, ridges } = layOutRidges(
    [
      { step: 1, detail: histogram([0, 1, 2], [2, 2]) },
      { step: 2, detail: histogram([1, 2, 4], [4, 4]) },
    ],
    size,
  );
  expect([low, high, ridges.map(({ step }) => step)]).toEqual([0, 4, [1, 2]]);
  // counts of 2 in bins of width 1: half of the densest, which has 4
  expect(ridges[0]?.line).toBe('M0,20 L0,10 L25,10 L25,10 L50,10 L50,20');
  expect(ridges[1]?.line).toBe('M25,60 L25,40 L50,40 L50,50 L100,50 L100,60');
});

test('a step without a finite value is left out; none at all draws nothing', () => {
  const nothing = histogram([], []);
  expect(layOutRidges([{ step: 1, detail: nothing }], size).ridges).toEqual([]);
  const one = layOutRidges(
    [
      { step: 1, detail: nothing },
      { step: 2, detail: histogram([0, 1], [3]) },
    ],
    size,
  );
  expect(one.ridges.map(({ step, line }) => [step, line])).toEqual([[2, 'M0,60 L0,40 L100,40 L100,60']]);
});
