import { pathToFileURL } from 'node:url';
import { EngineError } from '../../api/errors.ts';
import type { ResolverRegistry } from '../../config/index.ts';
import { describeThrown } from '../errors.ts';
import { type ImportModule, importModule } from '../importModule.ts';
import { isCallable } from '../invoke.ts';

/** Where resolvers are registered; the config engine's registry fits. */
export type ResolverSink = Pick<ResolverRegistry, 'register'>;

/**
 * Registers a project's own resolvers: the module's function `register(registry)` does it itself, otherwise every exported
 * function becomes a resolver of its name. Returns their names where they are known. Throws 'project.resolvers-failed'.
 */
export async function loadResolvers(
  file: string,
  sink: ResolverSink,
  load: ImportModule = importModule,
): Promise<readonly string[]> {
  try {
    const module = await load(pathToFileURL(file).href);
    const register: unknown = Reflect.get(module, 'register');
    if (isCallable(register)) {
      await register(sink);
      return [];
    }
    const names: string[] = [];
    for (const [name, resolver] of Object.entries(module)) {
      if (!isCallable(resolver)) continue;
      sink.register(name, resolver);
      names.push(name);
    }
    return names;
  } catch (error) {
    throw new EngineError(
      'project.resolvers-failed',
      `The project's resolvers in ${file} could not be registered: ${describeThrown(error)}`,
      { file },
      { cause: error },
    );
  }
}
