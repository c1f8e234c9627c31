import { pathToFileURL } from 'node:url';
import { EngineError } from '../../api/errors.ts';
import { describeThrown } from '../errors.ts';
import { isCallable } from '../invoke.ts';

/** A function behind `${name:argument,…}`; it gets the arguments as values and returns one. */
export type ResolverFunction = (...args: unknown[]) => unknown;

/** Where resolvers are registered; the config engine's registry fits. */
export interface ResolverSink {
  register(name: string, resolver: ResolverFunction): void;
}

/**
 * Registers a project's own resolvers: the module's function `register(registry)` does it itself, otherwise every exported
 * function becomes a resolver of its name. Returns their names where they are known. Throws 'project.resolvers-failed'.
 */
export async function loadResolvers(
  file: string,
  sink: ResolverSink,
  importModule: (url: string) => Promise<object> = importUrl,
): Promise<readonly string[]> {
  try {
    const module = await importModule(pathToFileURL(file).href);
    const register: unknown = Reflect.get(module, 'register');
    if (isCallable(register)) {
      await register(sink);
      return [];
    }
    const functions = Object.entries(module).filter((entry): entry is [string, ResolverFunction] =>
      isCallable(entry[1]),
    );
    for (const [name, resolver] of functions) sink.register(name, resolver);
    return functions.map(([name]) => name);
  } catch (error) {
    throw new EngineError(
      'project.resolvers-failed',
      `The project's resolvers in ${file} could not be registered: ${describeThrown(error)}`,
      { file },
      { cause: error },
    );
  }
}

async function importUrl(url: string): Promise<object> {
  const module: object = await import(/* @vite-ignore */ url);
  return module;
}
