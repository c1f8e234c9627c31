import { EngineError } from '../../api/errors.ts';
import type { WorkerError } from './protocol.ts';

/** An error as a message: what was thrown may hold things that cannot cross between threads. */
export function packError(error: unknown): WorkerError {
  if (!(error instanceof Error)) {
    return { code: 'data.worker.failed', message: String(error), details: {}, stack: undefined };
  }
  const { code, details } = error instanceof EngineError ? error : { code: 'data.worker.failed', details: {} };
  return { code, message: error.message, details: cloneable(details), stack: firstCause(error).stack };
}

/** The same error in the thread that asked, with the worker's number and stack in its details. */
export function unpackError(error: WorkerError, worker: number): EngineError {
  const cause = new Error(error.message);
  cause.stack = error.stack ?? error.message;
  const details = { ...error.details, worker, stack: error.stack };
  return new EngineError(error.code, error.message, details, { cause });
}

function firstCause(error: Error): Error {
  return error.cause instanceof Error ? firstCause(error.cause) : error;
}

function cloneable(details: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const kept = Object.entries(details).filter(([, value]) => {
    try {
      structuredClone(value);
      return true;
    } catch {
      return false;
    }
  });
  return Object.fromEntries(kept);
}
