import { type EngineError, toEngineError } from '../../engine/api/errors.ts';

/** What every page shows of a request: old data stays while new data loads, and beside a failure. */
export interface Load<T> {
  readonly data: T | undefined;
  readonly loading: boolean;
  readonly error: EngineError | undefined;
}

export const idle: Load<never> = { data: undefined, loading: false, error: undefined };

export function loading<T>(before: Load<T>): Load<T> {
  return { ...before, loading: true };
}

export function loaded<T>(data: T): Load<T> {
  return { data, loading: false, error: undefined };
}

export function failed<T>(before: Load<T>, error: unknown): Load<T> {
  return { data: before.data, loading: false, error: toEngineError(error) };
}
