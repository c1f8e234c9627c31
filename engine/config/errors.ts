import { EngineError, type ErrorDetails } from '../api/errors.ts';
import { describeOrigin, type Origin } from './node/origin.ts';

/** Names of the exception classes of OmegaConf, Hydra and Python that our errors stand for. */
export type ConfigExceptionName =
  | 'AssertionError'
  | 'ConfigAttributeError'
  | 'ConfigCompositionException'
  | 'ConfigIndexError'
  | 'ConfigKeyError'
  | 'ConfigTypeError'
  | 'ConfigValueError'
  | 'ConstructorError'
  | 'ComposerError'
  | 'GrammarParseError'
  | 'HydraException'
  | 'InterpolationKeyError'
  | 'InterpolationResolutionError'
  | 'InterpolationToMissingValueError'
  | 'InterpolationValidationError'
  | 'KeyValidationError'
  | 'MissingConfigException'
  | 'MissingMandatoryValue'
  | 'OSError'
  | 'OverrideParseException'
  | 'ParserError'
  | 'ReaderError'
  | 'ReadonlyConfigError'
  | 'ScannerError'
  | 'SearchPathException'
  | 'UnsupportedInterpolationType'
  | 'UnsupportedValueType'
  | 'ValidationError'
  | 'ValueError'
  | 'TypeError'
  | 'KeyError'
  | 'AttributeError'
  | 'IndexError'
  | 'RecursionError'
  | (string & {});

export interface ConfigErrorOptions {
  readonly cause?: unknown;
  /** Where the value that is at fault was written. */
  readonly origin?: Origin | undefined;
  /** The dotted path of the node at fault. */
  readonly fullKey?: string | undefined;
  /** True when the message already tells the path, in OmegaConf's own lines below it. */
  readonly tellsPath?: boolean;
  readonly details?: ErrorDetails;
}

/** One interpolation on the way to a failure. */
export interface InterpolationStep {
  readonly path: string;
  /** As it is written. */
  readonly text: string;
  readonly origin: Origin | undefined;
}

/**
 * A config that cannot be read, composed or resolved. `details.exception` names the class that OmegaConf or Hydra raise
 * in the same case and `message` is their text (possibly several lines); where it happened stands in `details.origin`
 * and is told by `describe()`. The code is `config.` and the exception's name in kebab case.
 */
export class ConfigError extends EngineError {
  readonly exception: ConfigExceptionName;
  readonly origin: Origin | undefined;
  readonly fullKey: string | undefined;
  readonly tellsPath: boolean;

  constructor(exception: ConfigExceptionName, message: string, options: ConfigErrorOptions = {}) {
    const { cause, origin, fullKey, tellsPath = false, details } = options;
    super(
      `config.${kebabCase(exception)}`,
      message,
      {
        exception,
        ...(origin === undefined ? {} : { origin }),
        ...(fullKey === undefined ? {} : { fullKey }),
        ...details,
      },
      cause === undefined ? undefined : { cause },
    );
    this.exception = exception;
    this.origin = origin;
    this.fullKey = fullKey;
    this.tellsPath = tellsPath;
  }

  /** The same error with the place of the node that it is about; what it knows already stays. */
  at(origin: Origin | undefined, fullKey: string): ConfigError {
    if (this.origin !== undefined || origin === undefined) return this;
    return new ConfigError(this.exception, this.message, {
      cause: this.cause ?? this,
      origin,
      fullKey: this.fullKey ?? fullKey,
      tellsPath: this.tellsPath,
      details: this.details,
    });
  }

  /** The interpolations that led to the failure, the one that was asked for first. */
  get interpolations(): readonly InterpolationStep[] {
    const { interpolations } = this.details;
    return Array.isArray(interpolations) ? (interpolations as InterpolationStep[]) : [];
  }

  /** The same error, met on the way through an interpolation. */
  through(step: InterpolationStep): ConfigError {
    return new ConfigError(this.exception, this.message, {
      cause: this.cause ?? this,
      origin: this.origin,
      fullKey: this.fullKey,
      tellsPath: this.tellsPath,
      details: { ...this.details, interpolations: [step, ...this.interpolations].slice(0, LONGEST_TOLD) },
    });
  }

  /** The message for a person, with the place where the value was written and the interpolations that led there. */
  describe(): string {
    const lines = [this.message];
    if (this.origin !== undefined) lines.push(`    at ${describeOrigin(this.origin)}`);
    const { interpolations } = this;
    // A single one is the place itself.
    if (interpolations.length > 1) lines.push(...interpolations.map(describeStep));
    return lines.join('\n');
  }
}

/** More steps than a person would read. */
const LONGEST_TOLD = 20;

function describeStep({ path, text, origin }: InterpolationStep, index: number): string {
  const arrow = index === 0 ? '' : '→ ';
  return `    ${arrow}${path}: ${text}${origin === undefined ? '' : `  (${describeOrigin(origin)})`}`;
}

/** True for the exceptions that OmegaConf raises when an interpolation cannot be resolved. */
export function isResolutionError(error: unknown): error is ConfigError {
  return error instanceof ConfigError && RESOLUTION_EXCEPTIONS.has(error.exception);
}

const RESOLUTION_EXCEPTIONS: ReadonlySet<string> = new Set([
  'InterpolationResolutionError',
  'InterpolationKeyError',
  'InterpolationToMissingValueError',
  'InterpolationValidationError',
  'UnsupportedInterpolationType',
]);

function kebabCase(name: string): string {
  return name.replace(/(?<=[a-z])(?=[A-Z])/g, '-').toLowerCase();
}
