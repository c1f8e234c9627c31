import { ConfigError, type ConfigExceptionName } from '../errors.ts';
import type { ConfigKey } from '../node/key.ts';
import type { ContainerNode } from '../node/node.ts';
import { childFullKey } from './fullKey.ts';

/**
 * The error as OmegaConf tells it at the edge of its API: with the path of the key that was used. An error that tells a
 * path already keeps it.
 */
export function withPath(
  error: ConfigError,
  container: ContainerNode,
  key: ConfigKey | undefined,
  exception?: ConfigExceptionName,
): ConfigError {
  if (error.exception === 'AssertionError') return error;
  if (error.tellsPath) return exception === undefined ? error : renamed(error, exception, error.message);
  const fullKey = childFullKey(container, key);
  const message = `${error.message}\n    full_key: ${fullKey}\n    object_type=${container.kind}`;
  const name = exception ?? API_NAMES.get(error.exception) ?? error.exception;
  return renamed(error, name, message, { fullKey, origin: originOf(container, key) });
}

/** Python's own classes get a name of OmegaConf's. */
const API_NAMES: ReadonlyMap<string, ConfigExceptionName> = new Map([
  ['TypeError', 'ConfigTypeError'],
  ['IndexError', 'ConfigIndexError'],
]);

function renamed(
  error: ConfigError,
  exception: ConfigExceptionName,
  message: string,
  fallback: { readonly fullKey?: string; readonly origin?: ConfigError['origin'] } = {},
): ConfigError {
  return new ConfigError(exception, message, {
    cause: error.cause ?? error,
    origin: error.origin ?? fallback.origin,
    fullKey: error.fullKey ?? fallback.fullKey,
    tellsPath: true,
    ...(error.interpolations.length === 0 ? {} : { details: { interpolations: error.interpolations } }),
  });
}

function originOf(container: ContainerNode, key: ConfigKey | undefined): ConfigError['origin'] {
  if (key === undefined) return container.origin;
  const child = container.kind === 'dict' ? container.get(key) : container.get(typeof key === 'number' ? key : -1);
  return child?.origin ?? container.origin;
}

/** Runs a step of an API function; a ConfigError leaves it with the path of `key`. */
export function telling<T>(
  container: ContainerNode,
  key: ConfigKey | undefined,
  step: () => T,
  exceptions: Readonly<Record<string, ConfigExceptionName>> = {},
): T {
  try {
    return step();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw withPath(error, container, key, exceptions[error.exception]);
  }
}
