/** Numbers, metrics and points in time as the pages show them; sizes and durations are every host's, in engine/base. */

import { formatBytes, twoDigits } from '../../engine/base/format.ts';

/** Up to `digits` significant digits, exponent only where plain digits would be long. */
export function formatNumber(value: number, digits = 4): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? '∞' : '−∞';
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size >= 1e6 || size < 1e-4) return value.toExponential(Math.max(0, digits - 2));
  return Number(value.toPrecision(digits)).toString();
}

/** A metric's value: those named `…_bytes` as sizes, all others as numbers. */
export function formatMetric(key: string, value: number, digits = 4): string {
  return key.endsWith('_bytes') && Number.isFinite(value) ? formatBytes(value) : formatNumber(value, digits);
}

/** A value of a config: text as it is, numbers with enough digits to tell two settings apart. */
export function formatSetting(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return formatNumber(value, 8);
  return JSON.stringify(value ?? null);
}

/** `just now`, `5 min ago`, `yesterday 14:03`, `3 Nov 2026`. */
export function formatAgo(time: number, now: number): string {
  const seconds = (now - time) / 1000;
  if (seconds < 45) return 'just now';
  if (seconds < 3600) return `${Math.max(1, Math.round(seconds / 60))} min ago`;
  const date = new Date(time);
  const clock = `${twoDigits(date.getHours())}:${twoDigits(date.getMinutes())}`;
  const days = calendarDay(now) - calendarDay(time);
  if (days === 0) return `today ${clock}`;
  if (days === 1) return `yesterday ${clock}`;
  return date.toLocaleDateString('en-GB', { day: 'numeric', month: 'short', year: 'numeric' });
}

export function formatDateTime(time: number): string {
  const date = new Date(time);
  return `${date.toLocaleDateString('en-GB', { day: 'numeric', month: 'short', year: 'numeric' })}, ${twoDigits(date.getHours())}:${twoDigits(date.getMinutes())}:${twoDigits(date.getSeconds())}`;
}

function calendarDay(time: number): number {
  const date = new Date(time);
  return Math.floor(Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()) / 86_400_000);
}

/** `2 × cpu`, `cuda:0, cuda:1`: equal names counted, order kept. */
export function formatDevices(devices: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const device of devices) counts.set(device, (counts.get(device) ?? 0) + 1);
  return [...counts].map(([device, count]) => (count > 1 ? `${count} × ${device}` : device)).join(', ') || 'cpu';
}
