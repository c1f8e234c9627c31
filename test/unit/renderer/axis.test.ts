import { describe, expect, test } from 'vitest';
import { countAxis, type linearAxis, metricAxis, timeAxis } from '../../../renderer/lib/axis.ts';

const labels = ({ ticks, tickFormatter }: ReturnType<typeof linearAxis>) => ticks.map(tickFormatter);

describe('axes are marked at round numbers', () => {
  test.each([
    { id: 'an accuracy', values: [0.137, 0.81], domain: [0, 1], says: ['0', '0.2', '0.4', '0.6', '0.8', '1'] },
    { id: 'a narrow one', values: [0.97131, 0.9721], domain: [0.9712, 0.9722], says: ['0.9712', '0.9714', '0.9716'] },
    { id: 'learning rates', values: [0, 9e-5], domain: [0, 1e-4], says: ['0', '2e-5', '4e-5', '6e-5'] },
    { id: 'one value', values: [0.0506292], domain: [0.044, 0.056], says: ['0.046', '0.05', '0.054'] },
    { id: 'nothing', values: [], domain: [0, 1], says: ['0', '0.2'] },
  ])('linear: $id', ({ values, domain, says }) => {
    const axis = metricAxis('val/loss', values, false);
    expect(axis.domain).toEqual(domain);
    expect(labels(axis)).toEqual(expect.arrayContaining(says));
  });

  test.each([
    { id: 'many powers of ten', values: [1e-6, 3], says: ['1e-6', '1e-5', '0.0001', '0.001', '0.01', '0.1', '1'] },
    { id: 'two', values: [0.05, 2.3], says: ['0.1', '0.2', '0.3', '1', '2'] },
    { id: 'less than one', values: [0.5, 0.61], says: ['0.5', '0.52', '0.54', '0.56', '0.58', '0.6'] },
  ])('logarithmic: $id', ({ values, says }) => {
    const axis = metricAxis('val/loss', values, true);
    expect(axis.domain).toEqual(values);
    expect(labels(axis)).toEqual(says);
  });

  test('bytes: in the unit of their differences', () => {
    const axis = metricAxis('system/rss_bytes', [1215 * 2 ** 20, 1238 * 2 ** 20], false);
    expect(labels(axis)).toEqual(['1215 MiB', '1220 MiB', '1225 MiB', '1230 MiB', '1235 MiB', '1240 MiB']);
    expect(axis.domain).toEqual([1215 * 2 ** 20, 1240 * 2 ** 20]);
  });

  test('steps: whole ones, from the first to the last', () => {
    expect(countAxis([10, 586])).toMatchObject({ domain: [10, 586], ticks: [100, 200, 300, 400, 500] });
    expect(countAxis([0, 1, 2])).toMatchObject({ domain: [0, 2], ticks: [0, 1, 2] });
    expect(countAxis([300], 0)).toMatchObject({ domain: [0, 300] });
  });

  test('times: as clocks are', () => {
    expect(labels(timeAxis([600, 21_000]))).toEqual(['5.0 s', '10 s', '15 s', '20 s']);
    expect(labels(timeAxis([5000, 7_500_000]))).toEqual(['30 m 00 s', '1 h 00 m', '1 h 30 m', '2 h 00 m']);
  });
});
