/** Sizes, spans of time and counts as every host shows them to people: one notion for the pages, the command line and messages. */

const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** The unit in which so many bytes are told, and how many bytes it has. */
export function byteUnit(bytes: number): { readonly name: string; readonly bytes: number } {
  let unit = 0;
  // what would be rounded to 1024 of a unit is one of the next
  while (bytes / 1024 ** unit >= 1023.5 && unit < BYTE_UNITS.length - 1) unit++;
  return { name: BYTE_UNITS[unit] ?? 'B', bytes: 1024 ** unit };
}

/** Bytes in powers of 1024 by their IEC names, as memory and GPUs are sold and told: `950 B`, `1.5 KiB`, `300 MiB`. */
export function formatBytes(bytes: number): string {
  const unit = byteUnit(bytes);
  const size = bytes / unit.bytes;
  return `${unit.bytes === 1 || size >= 99.95 ? Math.round(size) : size.toFixed(1)} ${unit.name}`;
}

/** Milliseconds as `16 ms`, `4.2 s`, `3 m 12 s`, `2 h 05 m`; `–` for what is no finite time. */
export function formatDuration(milliseconds: number): string {
  if (!Number.isFinite(milliseconds)) return '–';
  const ms = Math.max(0, milliseconds);
  if (ms > 0 && ms < 999.5) return `${Math.max(1, Math.round(ms))} ms`;
  if (ms < 9950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} m ${twoDigits(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${twoDigits(minutes % 60)} m`;
}

/** A whole number with its thousands apart: `5,120`. */
export function formatCount(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

/** `7` as `07`: minutes and seconds, days and months. */
export function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}
