import { expect, test } from 'vitest';
import type { Series } from '../../../engine/api/runModel.ts';
import { chartRows, mergeRows } from '../../../renderer/features/run/chartRows.ts';
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

test('lines share a row where they have the same x; several rows of a line at one x stay several', () => {
  const row = (x: number, value: number) => ({ x, value, smooth: -value });
  expect(
    mergeRows([
      [row(0, 1), row(0, 2), row(20, 3)],
      [row(0, 4), row(10, 5)],
    ]),
  ).toEqual([
    { x: 0, value0: 1, smooth0: -1, value1: 4, smooth1: -4 },
    { x: 0, value0: 2, smooth0: -2 },
    { x: 10, value1: 5, smooth1: -5 },
    { x: 20, value0: 3, smooth0: -3 },
  ]);
});

test('a hundred lines share their rows, each with its own values in them', () => {
  const lines = Array.from({ length: 100 }, (_, line) =>
    Array.from({ length: 50 }, (_, x) => ({ x, value: line + x, smooth: line - x })),
  );
  const given = structuredClone(lines);
  const merged = mergeRows(lines);
  expect(lines).toEqual(given);
  expect(merged.map(({ x }) => x)).toEqual(Array.from({ length: 50 }, (_, x) => x));
  for (const row of merged) {
    expect(Object.keys(row)).toHaveLength(1 + 2 * lines.length);
    for (const line of lines.keys())
      expect([row[`value${line}`], row[`smooth${line}`]]).toEqual([line + row.x, line - row.x]);
  }
});

test.each<Route>([
  { page: 'compose' },
  { page: 'runs' },
  { page: 'run', runId: '20261123-a b', tab: 'logs' },
  { page: 'inference', runId: 'r1', checkpoint: 'checkpoints/best' },
  { page: 'inference', runId: 'r1' },
  { page: 'inference' },
  { page: 'settings' },
  { page: 'compare', runIds: ['20261123-a b', 'c/d'] },
  { page: 'compare', runIds: [] },
])('route $page survives the address bar', (route) => {
  expect(parseRoute(formatRoute(route))).toEqual(route);
});

test('an unknown address leads to compose, an unknown tab to the charts', () => {
  expect(parseRoute('#/nowhere')).toEqual({ page: 'compose' });
  expect(parseRoute('#/run/r1/nothing')).toEqual({ page: 'run', runId: 'r1', tab: 'charts' });
});
