import { EngineError } from '../api/errors.ts';
import { didYouMean } from '../base/nearest.ts';

/**
 * Refuses keyword arguments that `owner` does not take, the way Python refuses an unexpected keyword.
 * Throws `options.unknown` naming the key and the nearest one that exists.
 */
export function checkOptions(owner: string, options: object, known: readonly string[]): void {
  for (const key of Object.keys(options)) {
    if (known.includes(key)) continue;
    throw new EngineError(
      'options.unknown',
      `${owner} takes no option '${key}'.${didYouMean(key, known)} It takes: ${known.join(', ')}.`,
      { owner, key, known },
    );
  }
}

/** The value when it is a whole number of at least `least`; `options.invalid` otherwise. */
export function requireWhole(owner: string, key: string, value: unknown, least: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= least) return value;
  throw new EngineError(
    'options.invalid',
    `${owner}: '${key}' must be a whole number of at least ${least}, but it is ${shownValue(value)}.`,
    { owner, key, value },
  );
}

/** The value when it is text with something in it, such as a path; `options.invalid` otherwise. */
export function requireText(owner: string, key: string, value: unknown): string {
  if (typeof value === 'string' && value !== '') return value;
  const what = value === undefined || value === '' ? 'missing' : shownValue(value);
  throw new EngineError('options.invalid', `${owner} needs '${key}', a path; it is ${what}.`, { owner, key, value });
}

/** An option's value in a sentence: as JSON, but with the numbers that JSON lacks. */
export function shownValue(value: unknown): string {
  return typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? String(value));
}
