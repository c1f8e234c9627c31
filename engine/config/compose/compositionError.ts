import { ConfigError, type ConfigExceptionName } from '../errors.ts';
import { describeOrigin, type Origin } from '../node/origin.ts';

/** One step of the way from the primary config to the entry at fault. */
export interface InclusionStep {
  /** The config that was included. */
  readonly config: string;
  /** The defaults entry (or override) that asked for it; `undefined` for the primary config. */
  readonly origin: Origin | undefined;
}

interface CompositionErrorOptions {
  readonly origin?: Origin | undefined;
  readonly chain?: readonly InclusionStep[];
  /** " Did you mean 'x'?" or another sentence that says what to do. */
  readonly hint?: string;
  readonly cause?: unknown;
  readonly details?: Readonly<Record<string, unknown>>;
}

/**
 * A composition that fails. The message is Hydra's; `describe()` adds the entry, the chain of inclusions that led to it
 * and what was probably meant, `details` holds the same for programs (`origin`, `chain`, `hint`).
 */
export class CompositionError extends ConfigError {
  readonly chain: readonly InclusionStep[];
  readonly hint: string;

  constructor(exception: ConfigExceptionName, message: string, options: CompositionErrorOptions = {}) {
    const chain = options.chain ?? [];
    const hint = options.hint?.trim() ?? '';
    super(exception, message, {
      cause: options.cause,
      origin: options.origin,
      details: { ...options.details, ...(chain.length === 0 ? {} : { chain }), ...(hint === '' ? {} : { hint }) },
    });
    this.chain = chain;
    this.hint = hint;
  }

  override describe(): string {
    const lines = [this.message];
    if (this.hint !== '') lines.push(this.hint);
    if (this.origin !== undefined) lines.push(`    at ${describeOrigin(this.origin)}`);
    for (const step of this.chain.toReversed()) {
      if (step.origin === undefined) lines.push(`    in the primary config '${step.config}'`);
      else if (step.origin !== this.origin) {
        const line = `    '${step.config}' included at ${describeOrigin(step.origin)}`;
        // A config that includes itself comes by the same entry again.
        if (!lines.includes(line)) lines.push(line);
      }
    }
    const cause = this.cause;
    if (cause instanceof ConfigError && cause.message !== '' && !this.message.includes(cause.message)) {
      // OmegaConf's further lines (full_key, object_type) are for programs: `cause` keeps them
      lines.push(`    because: ${cause.message.split('\n')[0]}`);
    }
    return lines.join('\n');
  }
}

/** Hydra's exception for most failures of a composition. */
export function compositionError(message: string, options: CompositionErrorOptions = {}): CompositionError {
  return new CompositionError('ConfigCompositionException', message, options);
}
