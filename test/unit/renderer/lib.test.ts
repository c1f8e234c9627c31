import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { formatAgo, formatDevices, formatNumber } from '../../../renderer/lib/format.ts';
import { Latest } from '../../../renderer/lib/latest.ts';
import { pace } from '../../../renderer/lib/pace.ts';
import { throttle } from '../../../renderer/lib/throttle.ts';

test.each([
  { id: 'zero', value: 0, text: '0' },
  { id: 'a loss', value: 0.123456, text: '0.1235' },
  { id: 'a whole number', value: 1200, text: '1200' },
  { id: 'a learning rate', value: 3e-5, text: '3.00e-5' },
  { id: 'large', value: 12_345_678, text: '1.23e+7' },
  { id: 'NaN', value: Number.NaN, text: 'NaN' },
  { id: 'minus infinity', value: Number.NEGATIVE_INFINITY, text: '−∞' },
])('formatNumber: $id', ({ value, text }) => {
  expect(formatNumber(value)).toBe(text);
});

test('formatAgo names yesterday by the calendar, not by 24 hours', () => {
  const now = new Date(2026, 10, 23, 8, 0).getTime();
  const lateYesterday = new Date(2026, 10, 22, 22, 5).getTime();
  expect(formatAgo(lateYesterday, now)).toBe('yesterday 22:05');
  expect(formatAgo(now - 5000, now)).toBe('just now');
  expect(formatAgo(now - 300_000, now)).toBe('5 min ago');
});

test('Latest aborts the request before and drops its answer', async () => {
  const latest = new Latest();
  const first = Promise.withResolvers<string>();
  let firstSignal: AbortSignal | undefined;
  const one = latest.run((signal) => {
    firstSignal = signal;
    return first.promise;
  });
  const two = latest.run(async () => 'two');
  first.resolve('one');
  expect(await two).toBe('two');
  expect(await one).toBeUndefined();
  expect(firstSignal?.aborted).toBe(true);
});

describe('throttle', () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  test('calls at once, then at most every interval, and once more at the end', () => {
    const calls: number[] = [];
    const call = throttle(() => calls.push(Date.now()), 100);
    const start = Date.now();
    for (let ms = 0; ms < 250; ms += 10) {
      call();
      vi.advanceTimersByTime(10);
    }
    vi.advanceTimersByTime(500);
    expect(calls.map((time) => time - start)).toEqual([0, 100, 200, 300]);
  });

  test('a cancelled throttle stays quiet', () => {
    let calls = 0;
    const call = throttle(() => calls++, 100);
    call();
    call();
    call.cancel();
    vi.advanceTimersByTime(500);
    expect(calls).toBe(1);
  });
});

test.each([
  { devices: ['cpu', 'cpu'], text: '2 × cpu' },
  { devices: ['cuda:0', 'cuda:1'], text: 'cuda:0, cuda:1' },
  { devices: [], text: 'cpu' },
])('formatDevices: $text', ({ devices, text }) => {
  expect(formatDevices(devices)).toBe(text);
});

describe('pace', () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  test('rests four times as long as the work took, and does once more what was asked meanwhile', async () => {
    const begun: number[] = [];
    const start = performance.now();
    const took = [50, 300, 0];
    const ask = pace(
      async () => {
        const ms = took[begun.length] ?? 0;
        begun.push(performance.now() - start);
        await new Promise((resolve) => setTimeout(resolve, ms));
      },
      500,
      4,
    );
    for (let ms = 0; ms < 2000; ms += 10) {
      ask();
      await vi.advanceTimersByTimeAsync(10);
    }
    await vi.advanceTimersByTimeAsync(5000);
    // 50 ms and 500 of rest, 300 and 1200 of rest, then once for the end
    expect(begun).toEqual([0, 550, 2050]);
    ask();
    await vi.advanceTimersByTimeAsync(0);
    expect(begun.length).toBe(4);
  });
});
