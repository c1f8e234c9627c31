import { EngineError, type ErrorDetails } from '../api/errors.ts';
import { describeOrigin, type Origin } from '../config/index.ts';

/** What went wrong; the error's code is `instantiate.` and this. */
export type InstantiateErrorKind =
  | 'target-not-found'
  | 'target-not-callable'
  | 'target-not-allowed'
  | 'package-not-trusted'
  | 'module-failed'
  | 'call-failed'
  | 'arguments-invalid'
  | 'override-invalid'
  | 'whitelist-invalid'
  | 'flag-invalid'
  | 'config-invalid';

export interface InstantiateErrorOptions {
  readonly cause?: unknown;
  /** The dotted path of the node that was to become an object; '' for the root. */
  readonly fullKey?: string | undefined;
  /** Where its target was written. */
  readonly origin?: Origin | undefined;
  readonly details?: ErrorDetails;
}

/**
 * A config node that could not be turned into an object. The first line of the message is Hydra's where Hydra has one;
 * the lines after it say the key, the place in the YAML and, for project code, the place in the source.
 */
export class InstantiateError extends EngineError {
  readonly kind: InstantiateErrorKind;
  /** The message without the lines that say where. */
  readonly summary: string;

  constructor(kind: InstantiateErrorKind, message: string, options: InstantiateErrorOptions = {}) {
    const lines = [message];
    if (options.fullKey !== undefined && options.fullKey !== '') lines.push(`full_key: ${options.fullKey}`);
    if (options.origin !== undefined) lines.push(`written at ${describeOrigin(options.origin)}`);
    super(
      `instantiate.${kind}`,
      lines.join('\n'),
      {
        exception: kind === 'flag-invalid' ? 'TypeError' : 'InstantiationException',
        ...(options.fullKey === undefined ? {} : { fullKey: options.fullKey }),
        ...(options.origin === undefined ? {} : { origin: options.origin }),
        ...options.details,
      },
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.kind = kind;
    this.summary = message;
  }

  /** The same error with the place in the config, where it has none yet. */
  locatedAt(where: { readonly fullKey: string; readonly origin: Origin | undefined }): InstantiateError {
    if (this.details.fullKey !== undefined) return this;
    return new InstantiateError(this.kind, this.summary, { ...where, cause: this.cause, details: this.details });
  }
}

/** `TypeError: boom`, or the class alone when the error has no text; what the engine itself says stands for itself. */
export function describeThrown(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof EngineError) return error.message;
  return error.message === '' ? error.name : `${error.name}: ${error.message}`;
}
