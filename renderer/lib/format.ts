/** Numbers, times and sizes as people read them. */

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

export function formatCount(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let index = 0;
  let size = bytes;
  while (size >= 1024 && index < units.length - 1) {
    size /= 1024;
    index++;
  }
  return `${index === 0 || size >= 100 ? Math.round(size) : size.toFixed(1)} ${units[index]}`;
}

/** `16 ms`, `4.2 s`, `3 m 12 s`, `2 h 05 m`. */
export function formatDuration(ms: number): string {
  if (ms > 0 && ms < 1000) return `${Math.max(1, Math.round(ms))} ms`;
  const seconds = ms / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} m ${pad(Math.floor(seconds % 60))} s`;
  return `${Math.floor(minutes / 60)} h ${pad(minutes % 60)} m`;
}

/** `just now`, `5 min ago`, `yesterday 14:03`, `3 Nov 2026`. */
export function formatAgo(time: number, now: number): string {
  const seconds = (now - time) / 1000;
  if (seconds < 45) return 'just now';
  if (seconds < 3600) return `${Math.max(1, Math.round(seconds / 60))} min ago`;
  const date = new Date(time);
  const clock = `${pad(date.getHours())}:${pad(date.getMinutes())}`;
  const days = calendarDay(now) - calendarDay(time);
  if (days === 0) return `today ${clock}`;
  if (days === 1) return `yesterday ${clock}`;
  return date.toLocaleDateString('en-GB', { day: 'numeric', month: 'short', year: 'numeric' });
}

export function formatDateTime(time: number): string {
  const date = new Date(time);
  return `${date.toLocaleDateString('en-GB', { day: 'numeric', month: 'short', year: 'numeric' })}, ${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`;
}

function calendarDay(time: number): number {
  const date = new Date(time);
  return Math.floor(Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()) / 86_400_000);
}

function pad(value: number): string {
  return String(value).padStart(2, '0');
}

/** `2 × cpu`, `cuda:0, cuda:1`: equal names counted, order kept. */
export function formatDevices(devices: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const device of devices) counts.set(device, (counts.get(device) ?? 0) + 1);
  return [...counts].map(([device, count]) => (count > 1 ? `${count} × ${device}` : device)).join(', ') || 'cpu';
}
