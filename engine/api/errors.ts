/** Details that let a page or a program point at the place: a path, an override's index, a file with line and column. */
export type ErrorDetails = Readonly<Record<string, unknown>>;

/** What crosses a transport instead of an Error object. */
export interface SerializedError {
  readonly code: string;
  readonly message: string;
  readonly details: ErrorDetails;
  readonly stack?: string;
}

/**
 * An error for a person. `code` is for programs and never changes, `message` says what happened, where, why and what to
 * do, `details` locate it.
 */
export class EngineError extends Error {
  readonly code: string;
  readonly details: ErrorDetails;

  constructor(code: string, message: string, details: ErrorDetails = {}, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = 'EngineError';
    this.code = code;
    this.details = details;
  }

  static is(error: unknown, code?: string): error is EngineError {
    return error instanceof EngineError && (code === undefined || error.code === code);
  }
}

/** Wraps an unknown throwable once, at the edge, keeping its cause; an EngineError passes unchanged. */
export function toEngineError(error: unknown, code = 'internal'): EngineError {
  if (error instanceof EngineError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new EngineError(code, message, {}, { cause: error });
}

export function serializeError(error: unknown): SerializedError {
  const wrapped = toEngineError(error);
  const cause = wrapped.cause instanceof Error ? wrapped.cause.stack : undefined;
  return { code: wrapped.code, message: wrapped.message, details: wrapped.details, ...(cause ? { stack: cause } : {}) };
}

export function deserializeError(error: SerializedError): EngineError {
  return new EngineError(error.code, error.message, error.details);
}
