import { realpathSync } from 'node:fs';
import * as nodeModule from 'node:module';
import { createRequire } from 'node:module';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { EngineError } from '../../api/errors.ts';
import type { Disposable } from '../../base/disposable.ts';
import { packageName } from '../locate/npmTargets.ts';
import { resolveModuleFile } from './moduleFiles.ts';
import { isTypeScript, transformModule } from './transformModule.ts';

export interface ProjectLoaderOptions {
  /** Absolute folders with the project's code. Files of packages (node_modules) in them are not project code. */
  readonly sourceRoots: readonly string[];
  /** Further single files that count as project code, such as a resolvers module outside the source roots. */
  readonly files?: readonly string[];
}

const PACKAGE_ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const ENGINE_FOLDER = join(PACKAGE_ROOT, 'engine');
const packageRequire = createRequire(join(PACKAGE_ROOT, 'package.json'));
const PACKAGE_NAME = 'accelhydra-studio';

/**
 * Lets this process import the project's code as it was written: TypeScript without a build, imports without endings,
 * `accelhydra-studio` as this very engine and `@tensorflow/tfjs*` as the one copy that the engine uses, wherever the
 * project lies. Other packages come from the project's own node_modules, and only if they are not there from ours.
 * Errors thrown in project code show its own lines. Dispose to stop changing imports (what is loaded stays loaded).
 */
export function registerProjectLoader(options: ProjectLoaderOptions): Disposable {
  if (typeof nodeModule.registerHooks !== 'function') {
    throw new EngineError(
      'instantiate.runtime-too-old',
      `Node ${process.version} cannot load project code without a build step. Run through \`npx accelhydra\`, which brings Node 22.15 or newer.`,
    );
  }
  process.setSourceMapsEnabled(true);
  const isProjectFile = projectFiles(options);
  const hooks = nodeModule.registerHooks({
    resolve: (specifier, context, nextResolve) => {
      const shared = isResolvingOwn ? undefined : resolveShared(specifier);
      if (shared !== undefined) return { url: shared, shortCircuit: true };
      const parent = context.parentURL?.startsWith('file:') ? fileURLToPath(context.parentURL) : undefined;
      if (parent === undefined || !isProjectFile(parent)) return nextResolve(specifier, context);
      const file = resolveRelative(specifier, parent);
      if (file !== undefined) {
        // `require` knows paths only, `import` wants a URL.
        return nextResolve(context.conditions.includes('require') ? file : pathToFileURL(file).href, context);
      }
      return resolvePackage(specifier, () => nextResolve(specifier, context));
    },
    load: (url, context, nextLoad) => {
      const path = url.startsWith('file:') ? fileURLToPath(url) : undefined;
      if (path === undefined || !isTypeScript(path) || !isProjectFile(path)) return nextLoad(url, context);
      return { ...transformModule(path), shortCircuit: true };
    },
  });
  return { dispose: () => hooks.deregister() };
}

/** Packages of which a process must have one copy: this engine's. */
function resolveShared(specifier: string): string | undefined {
  const name = packageName(specifier);
  if (name !== PACKAGE_NAME && !name.startsWith('@tensorflow/tfjs')) return undefined;
  const file = resolveOwn(specifier);
  if (file !== undefined) return pathToFileURL(file).href;
  if (name !== PACKAGE_NAME) return undefined;
  throw new EngineError('instantiate.no-such-entry', `'${specifier}' does not exist; import from '${PACKAGE_NAME}'.`);
}

function resolveRelative(specifier: string, parent: string): string | undefined {
  if (specifier.startsWith('file:')) return resolveModuleFile(fileURLToPath(specifier));
  if (!/^\.{0,2}[\\/]/.test(specifier) && specifier !== '.' && specifier !== '..') return undefined;
  const path = isAbsolute(specifier) ? specifier : resolve(dirname(parent), specifier);
  return resolveModuleFile(path);
}

function resolvePackage<T>(specifier: string, next: () => T): T | { url: string; shortCircuit: true } {
  try {
    return next();
  } catch (error) {
    // Templates use small packages of ours (their data), and a fresh project has no node_modules.
    const own = /^[.\\/]|^[a-z]+:/i.test(specifier) ? undefined : resolveOwn(specifier);
    if (own === undefined) throw error;
    return { url: pathToFileURL(own).href, shortCircuit: true };
  }
}

let isResolvingOwn = false;

/** The file of a package as this repository resolves it. */
function resolveOwn(specifier: string): string | undefined {
  // `require.resolve` comes back through the hooks: this time they step aside.
  if (isResolvingOwn) return undefined;
  isResolvingOwn = true;
  try {
    return packageRequire.resolve(specifier);
  } catch {
    return undefined;
  } finally {
    isResolvingOwn = false;
  }
}

function projectFiles(options: ProjectLoaderOptions): (path: string) => boolean {
  const files = new Set(options.files?.flatMap(spellings));
  const roots = options.sourceRoots.flatMap(spellings);
  return (path) => {
    if (files.has(path)) return true;
    if (isWithin(ENGINE_FOLDER, path)) return false;
    return roots.some((root) => isWithin(root, path) && !relative(root, path).split(sep).includes('node_modules'));
  };
}

/** Node reports modules by their real path, also where a root was reached through a link. */
function spellings(path: string): string[] {
  try {
    return [path, realpathSync.native(path)];
  } catch {
    return [path];
  }
}

function isWithin(folder: string, path: string): boolean {
  const within = relative(folder, path);
  return within !== '' && within.split(sep)[0] !== '..' && !isAbsolute(within);
}
