import { expect, test } from 'vitest';
import { formatBytes, formatCount, formatDuration } from '../../../engine/base/format.ts';

test.each([
  { bytes: 0, text: '0 B' },
  { bytes: 1023, text: '1023 B' },
  { bytes: 1024, text: '1.0 KiB' },
  { bytes: 1536, text: '1.5 KiB' },
  { bytes: 99.96 * 1024, text: '100 KiB' },
  { bytes: 1023.4 * 1024, text: '1023 KiB' },
  { bytes: 1023.6 * 1024, text: '1.0 MiB' },
  { bytes: 300 * 1024 * 1024, text: '300 MiB' },
  { bytes: 5000 * 2 ** 40, text: '5000 TiB' },
])('formatBytes: $bytes bytes are $text', ({ bytes, text }) => {
  expect(formatBytes(bytes)).toBe(text);
});

test.each([
  { ms: 15.8, text: '16 ms' },
  { ms: 0.2, text: '1 ms' },
  { ms: 0, text: '0.0 s' },
  { ms: -5, text: '0.0 s' },
  { ms: 999.7, text: '1.0 s' },
  { ms: 4200, text: '4.2 s' },
  { ms: 9960, text: '10 s' },
  { ms: 59_400, text: '59 s' },
  { ms: 59_600, text: '1 m 00 s' },
  { ms: 192_000, text: '3 m 12 s' },
  { ms: 7_500_000, text: '2 h 05 m' },
  { ms: Number.NaN, text: '–' },
  { ms: Number.POSITIVE_INFINITY, text: '–' },
])('formatDuration: $ms ms are $text', ({ ms, text }) => {
  expect(formatDuration(ms)).toBe(text);
});

test('formatCount sets thousands apart', () => {
  expect([7, 5120, 1_234_567.8].map(formatCount)).toEqual(['7', '5,120', '1,234,568']);
});
