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
  readonly details?: ErrorDetails;
}

/**
 * A config that cannot be read, composed or resolved. `details.exception` names the class that OmegaConf or Hydra raise
 * in the same case and `message` is their text (possibly several lines); where it happened stands in `details.origin`
 * and is told by `describe()`. The code is `config.` and the exception's name in kebab case.
 */
export class ConfigError extends EngineError {
  readonly exception: ConfigExceptionName;
  readonly origin: Origin | undefined;

  constructor(exception: ConfigExceptionName, message: string, options: ConfigErrorOptions = {}) {
    super(
      `config.${kebabCase(exception)}`,
      message,
      {
        exception,
        ...(options.origin === undefined ? {} : { origin: options.origin }),
        ...(options.fullKey === undefined ? {} : { fullKey: options.fullKey }),
        ...options.details,
      },
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.exception = exception;
    this.origin = options.origin;
  }

  /** The message for a person, with the place where the value was written. */
  describe(): string {
    return this.origin === undefined ? this.message : `${this.message}\n    at ${describeOrigin(this.origin)}`;
  }
}

function kebabCase(name: string): string {
  return name.replace(/(?<=[a-z])(?=[A-Z])/g, '-').toLowerCase();
}
