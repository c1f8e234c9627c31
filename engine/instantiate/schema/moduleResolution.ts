import { dirname, join, resolve } from 'node:path';
import { resolveModuleFile } from '../loader/moduleFiles.ts';
import { packageName } from '../locate/npmTargets.ts';
import { resolveForTypes } from '../locate/packageResolver.ts';

const IS_TYPES = /\.(?:d\.[cm]?ts|[cm]?tsx?)$/;

/**
 * The file with the types of what a specifier means in a file, as TypeScript looks them up: declarations of the package
 * itself, else of `@types`, else its JavaScript. Undefined when there is none.
 */
export function resolveTypes(specifier: string, fromFile: string): string | undefined {
  const folder = dirname(fromFile);
  const isRelative = /^\.{1,2}(?:\/|$)/.test(specifier);
  // The project's own files are found as its loader finds them.
  if (isRelative && !isInPackage(fromFile)) return resolveModuleFile(resolve(folder, specifier));
  const found = resolveForTypes(folder, specifier);
  if (isRelative || (found !== undefined && IS_TYPES.test(found))) return found;
  const name = packageName(specifier);
  const types = `@types/${name.replace(/^@/, '').replace('/', '__')}${specifier.slice(name.length)}`;
  return resolveForTypes(folder, types) ?? found;
}

export function isInPackage(file: string): boolean {
  return /[\\/]node_modules[\\/]/.test(file);
}

/** The file with the types of a package entry, seen from a folder. */
export function resolvePackageTypes(specifier: string, folder: string): string | undefined {
  return resolveTypes(specifier, join(folder, 'package.json'));
}
