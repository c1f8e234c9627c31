import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bucketRanges } from '../../../engine/runs/metricTable.ts';
import { newRun, openStore, points, temporaryFolder } from './support.ts';

const RUN = '20260102-030405-00def';

function storeWith(...batches: ReturnType<typeof points>[]) {
  const store = openStore(':memory:');
  store.runs.create(newRun(temporaryFolder(), { id: RUN }));
  for (const batch of batches) store.metrics.append(RUN, batch);
  return store;
}

test('a short series comes back point by point', () => {
  const store = storeWith(points('loss', [3, 2, 1]));
  expect(store.metrics.series({ runId: RUN, key: 'loss', maxPoints: 10 })).toEqual({
    runId: RUN,
    key: 'loss',
    step: Float64Array.of(0, 1, 2),
    time: Float64Array.of(1000, 1001, 1002),
    epoch: Float64Array.of(0, 0, 0),
    value: Float64Array.of(3, 2, 1),
    minimum: Float64Array.of(3, 2, 1),
    maximum: Float64Array.of(3, 2, 1),
    totalPoints: 3,
  });
});

test('NaN and infinities survive, and are left out of the key statistics', () => {
  const store = storeWith(points('loss', [1, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]));
  expect([...store.metrics.series({ runId: RUN, key: 'loss', maxPoints: 10 }).value]).toEqual([
    1,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
  ]);
  expect(store.metrics.keys(RUN)).toEqual([
    { key: 'loss', points: 4, lastStep: 3, lastValue: Number.NEGATIVE_INFINITY, minimum: 1, maximum: 1 },
  ]);
});

test('a batch sent twice counts once', () => {
  const batch = points('loss', [3, 1, 2]);
  const store = storeWith(batch, batch);
  expect(store.metrics.keys(RUN)).toEqual([
    { key: 'loss', points: 3, lastStep: 2, lastValue: 2, minimum: 1, maximum: 3 },
  ]);
});

test('a step written again replaces the older value and its extrema', () => {
  const store = storeWith(points('loss', [9, 5, 4]), points('loss', [1], 0));
  expect(store.metrics.keys(RUN)[0]).toMatchObject({ points: 3, minimum: 1, maximum: 5, lastValue: 4 });
});

test('truncating drops the abandoned future', () => {
  const store = storeWith(points('loss', [5, 4, 3, 2]), points('late', [1], 3));
  store.metrics.truncate(RUN, 1);
  expect(store.metrics.keys(RUN)).toEqual([
    { key: 'loss', points: 2, lastStep: 1, lastValue: 4, minimum: 4, maximum: 5 },
  ]);
});

test.each([
  { id: 'unknown key', key: 'nothing', fromStep: undefined, steps: [] },
  { id: 'window beyond the data', key: 'loss', fromStep: 99, steps: [] },
  { id: 'window', key: 'loss', fromStep: 2, steps: [2, 3] },
])('series of $id', ({ key, fromStep, steps }) => {
  const store = storeWith(points('loss', [1, 2, 3, 4]));
  expect([...store.metrics.series({ runId: RUN, key, maxPoints: 5, fromStep }).step]).toEqual(steps);
});

test('one bucket holds the last point and all extrema', () => {
  const store = storeWith(points('loss', [5, 9, 1, 4]));
  const series = store.metrics.series({ runId: RUN, key: 'loss', maxPoints: 1 });
  expect([series.value[0], series.minimum[0], series.maximum[0], series.step.length]).toEqual([4, 1, 9, 1]);
});

test('bucketing keeps first, last and extrema of any series in any window', () => {
  // zero has one sign: which of two equal extrema is shown does not matter
  const number = fc.double({ noNaN: true, noDefaultInfinity: true }).map((drawn) => drawn + 0);
  const value = fc.oneof(number, fc.constant(Number.NaN));
  const gaps = fc.array(fc.record({ gap: fc.integer({ min: 1, max: 1000 }), value }), { minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(gaps, fc.integer({ min: 2, max: 50 }), fc.nat(100_000), fc.nat(100_000), (items, maxPoints, a, b) => {
      const store = openStore(':memory:');
      store.runs.create(newRun(process.cwd(), { id: RUN }));
      let step = 0;
      const all = items.map((item) => {
        step += item.gap;
        return { key: 'k', step, epoch: 0, time: step, value: item.value };
      });
      store.metrics.append(RUN, all);
      const [fromStep, toStep] = [Math.min(a, b), Math.max(a, b)];
      const inside = all.filter((point) => point.step >= fromStep && point.step <= toStep);
      const series = store.metrics.series({ runId: RUN, key: 'k', maxPoints, fromStep, toStep });
      store.dispose();

      expect(series.totalPoints).toBe(inside.length);
      expect(series.step.length).toBeLessThanOrEqual(maxPoints);
      expect([...series.step]).toEqual([...new Set(series.step)].sort((x, y) => x - y));
      if (inside.length === 0) return;
      expect([series.step[0], series.value[0]]).toEqual([inside[0]?.step, inside[0]?.value]);
      expect([series.step.at(-1), series.value.at(-1)]).toEqual([inside.at(-1)?.step, inside.at(-1)?.value]);
      const finite = inside.map((point) => point.value).filter((number) => !Number.isNaN(number));
      const low = [...series.minimum].filter((number) => !Number.isNaN(number));
      const high = [...series.maximum].filter((number) => !Number.isNaN(number));
      expect(Math.min(...low)).toBe(Math.min(...finite));
      expect(Math.max(...high)).toBe(Math.max(...finite));
    }),
    { numRuns: 150 },
  );
});

test('bucket ranges cover every step exactly once', () => {
  fc.assert(
    fc.property(fc.nat(1000), fc.nat(2000), fc.integer({ min: 1, max: 300 }), (first, width, count) => {
      const ranges = bucketRanges({ first, last: first + width }, count);
      const steps = ranges.flatMap((range) =>
        Array.from({ length: range.last - range.first + 1 }, (_, index) => range.first + index),
      );
      expect(steps).toEqual(Array.from({ length: width + 1 }, (_, index) => first + index));
      expect(ranges.length).toBeLessThanOrEqual(count);
    }),
  );
});

test('a million points are bucketed, each in its place', () => {
  const store = openStore();
  store.runs.create(newRun(temporaryFolder(), { id: RUN }));
  const count = 1_000_000;
  store.metrics.append(
    RUN,
    Array.from({ length: count }, (_, step) => ({ key: 'loss', step, epoch: 0, time: step, value: Math.sin(step) })),
  );
  const series = store.metrics.series({ runId: RUN, key: 'loss', maxPoints: 1000 });
  expect(series.totalPoints).toBe(count);
  expect(series.step.length).toBe(1000);
  // each is the last point of its thousand and has the extrema of all of them
  for (const index of [0, 1, 500, 998]) {
    const [from, to] = [index === 0 ? 0 : (series.step[index - 1] ?? 0) + 1, series.step[index] ?? 0];
    const values = Array.from({ length: to - from + 1 }, (_, i) => Math.sin(from + i));
    expect([series.value[index], series.minimum[index], series.maximum[index]]).toEqual([
      Math.sin(to),
      Math.min(...values),
      Math.max(...values),
    ]);
  }
}, 60_000);
