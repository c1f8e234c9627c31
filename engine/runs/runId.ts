import { randomBytes } from 'node:crypto';

/** Crockford's alphabet: no i, l, o, u, so that an id survives being read aloud. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';

/**
 * A run's id: `20261123-144115-f7k3q`. UTC time to the second, two characters for the millisecond, three random ones.
 * Ids sort by creation time as plain text and are short enough to copy by hand.
 */
export function createRunId(now: number, random: (bytes: number) => Uint8Array = randomBytes): string {
  const iso = new Date(now).toISOString();
  const day = iso.slice(0, 10).replaceAll('-', '');
  const time = iso.slice(11, 19).replaceAll(':', '');
  const millisecond = Math.floor(now % 1000);
  const letters = [millisecond >> 5, millisecond & 31, ...[...random(3)].map((byte) => byte & 31)];
  return `${day}-${time}-${letters.map((index) => ALPHABET[index]).join('')}`;
}

/** True for text that has the shape of a run id. */
export function isRunId(text: string): boolean {
  return /^\d{8}-\d{6}-[0-9a-hjkmnp-tv-z]{5}$/.test(text);
}
