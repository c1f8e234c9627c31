import { expect, test } from 'vitest';
import type { Series } from '../../../engine/api/runModel.ts';
import { chartRows } from '../../../renderer/features/run/chartRows.ts';
import { formatRoute, parseRoute, type Route } from '../../../renderer/stores/router.ts';

function series(values: number[]): Series {
  const step = Float64Array.from(values, (_, index) => index * 10);
  const value = Float64Array.from(values);
  return {
    runId: 'r',
    key: 'train/loss',
    step,
    time: step.map((at) => 1000 + at),
    epoch: step.map(() => 0),
    value,
    minimum: value,
    maximum: value,
    totalPoints: values.length,
  };
}

const options = { xAxis: 'step', smoothing: 0, started: 1000, positiveOnly: false } as const;

test('NaN and infinite values leave a gap, not a broken axis', () => {
  const rows = chartRows(series([1, Number.NaN, Number.POSITIVE_INFINITY, 4]), options);
  expect(rows.map((row) => [row.x, row.value])).toEqual([
    [0, 1],
    [30, 4],
  ]);
});

test('a log scale leaves out what it cannot show', () => {
  expect(chartRows(series([0, -1, 2]), { ...options, positiveOnly: true }).map((row) => row.value)).toEqual([2]);
});

test('smoothing starts at the first value and stays constant on a constant series', () => {
  const rows = chartRows(series([3, 3, 3, 3]), { ...options, smoothing: 0.9 });
  for (const row of rows) expect(row.smooth).toBeCloseTo(3, 12);
});

test('time counts from the start of the run', () => {
  expect(chartRows(series([1, 2]), { ...options, xAxis: 'time' }).map((row) => row.x)).toEqual([0, 10]);
});

test.each<Route>([
  { page: 'compose' },
  { page: 'runs' },
  { page: 'run', runId: '20261123-a b', tab: 'logs' },
  { page: 'inference', runId: 'r1', checkpoint: 'checkpoints/best' },
  { page: 'inference', runId: 'r1' },
  { page: 'inference' },
  { page: 'settings' },
])('route $page survives the address bar', (route) => {
  expect(parseRoute(formatRoute(route))).toEqual(route);
});

test('an unknown address leads to compose, an unknown tab to the charts', () => {
  expect(parseRoute('#/nowhere')).toEqual({ page: 'compose' });
  expect(parseRoute('#/run/r1/nothing')).toEqual({ page: 'run', runId: 'r1', tab: 'charts' });
});
