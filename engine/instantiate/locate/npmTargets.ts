import { readFileSync } from 'node:fs';
import { createRequire, isBuiltin } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describeThrown, InstantiateError } from '../errors.ts';
import { type ImportModule, importModule } from '../importModule.ts';
import type { Attempt, NameCheck } from './locatedTarget.ts';
import { describeMissing, followMembers } from './members.ts';
import { resolveForImport } from './packageResolver.ts';

export interface NpmOptions {
  /** The project's folder: packages are looked up from here. */
  readonly projectRoot: string;
  /** `pkg` trusts a package, `pkg/sub` one entry of it, `pkg#Export` one export. Checked on what was resolved. */
  readonly trusted: readonly string[];
  readonly importModule?: ImportModule;
}

interface NpmTarget {
  /** What is imported: `@scope/pkg/sub`. */
  readonly specifier: string;
  readonly exportPath: readonly string[];
}

/** `@scope/pkg/sub#Export` names everything; in `pkg.Export` the package is the part before the first dot. */
export async function locateNpm(target: string, npm: NpmOptions | undefined, check: NameCheck): Promise<Attempt> {
  const wanted = npm === undefined ? undefined : parseNpmTarget(target);
  if (npm === undefined || wanted === undefined) return { misses: [] };
  const miss = { place: `npm packages of ${npm.projectRoot}: no package '${packageName(wanted.specifier)}'`, near: [] };
  const file = resolvePackage(npm.projectRoot, wanted.specifier);
  if (file === undefined) return { misses: [miss] };

  const owner = owningPackage(file);
  const realSpecifier = owner === undefined ? wanted.specifier : realName(owner, wanted.specifier);
  const name = `${realSpecifier}#${wanted.exportPath.join('.')}`;
  if (!isTrusted(realSpecifier, wanted.exportPath, npm.trusted)) throw notTrusted(target, realSpecifier, name);
  check(name);
  const found = followMembers(await load(file, npm, target), wanted.exportPath, realSpecifier);
  if ('missing' in found) {
    const separator = found.holder === realSpecifier ? '#' : '.';
    const near = found.names.map((member) => `${found.holder}${separator}${member}`);
    return { misses: [{ place: describeMissing(found, `npm package ${found.holder}`), near }] };
  }
  return { found: { name, kind: 'npm', value: found.value, owner: found.owner, file } };
}

/** Undefined when the text cannot name an export of a package. */
export function parseNpmTarget(target: string): NpmTarget | undefined {
  const hash = target.indexOf('#');
  if (hash >= 0) return checked(target.slice(0, hash), target.slice(hash + 1));
  const slash = target.startsWith('@') ? target.indexOf('/') : -1;
  const dot = target.indexOf('.', slash + 1);
  return dot < 0 ? undefined : checked(target.slice(0, dot), target.slice(dot + 1));
}

function checked(specifier: string, exports: string): NpmTarget | undefined {
  const isPackage = /^(?:@[\w-][\w.-]*\/)?[\w-][\w.-]*(?:\/[\w.-]+)*$/.test(specifier);
  if (!isPackage || specifier.split('/').includes('..') || isBuiltin(specifier)) return undefined;
  return { specifier, exportPath: exports.split('.') };
}

/** The name in front of any sub-path. */
export function packageName(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

/** As `import` finds it, which packages without CommonJS need; else as `require` does, which also completes file names. */
function resolvePackage(projectRoot: string, specifier: string): string | undefined {
  const imported = resolveForImport(projectRoot, specifier);
  if (imported !== undefined) return imported;
  try {
    return createRequire(join(projectRoot, 'package.json')).resolve(specifier);
  } catch {
    return undefined;
  }
}

/** The `name` in the package.json that the resolved file belongs to. */
function owningPackage(file: string): string | undefined {
  for (let folder = dirname(file); folder !== dirname(folder); folder = dirname(folder)) {
    const name = readPackageName(join(folder, 'package.json'));
    if (name !== undefined) return name;
  }
  return undefined;
}

function readPackageName(file: string): string | undefined {
  try {
    const manifest: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (typeof manifest !== 'object' || manifest === null || !('name' in manifest)) return undefined;
    return typeof manifest.name === 'string' ? manifest.name : undefined;
  } catch {
    return undefined;
  }
}

function realName(owner: string, specifier: string): string {
  return `${owner}${specifier.slice(packageName(specifier).length)}`;
}

function isTrusted(specifier: string, exportPath: readonly string[], trusted: readonly string[]): boolean {
  return trusted.some((entry) => {
    const hash = entry.indexOf('#');
    if (hash >= 0) return entry.slice(0, hash) === specifier && entry.slice(hash + 1) === exportPath.join('.');
    return specifier === entry || specifier.startsWith(`${entry}/`);
  });
}

function notTrusted(target: string, specifier: string, name: string): InstantiateError {
  return new InstantiateError(
    'package-not-trusted',
    `Target '${target}' is in the npm package '${packageName(specifier)}', which this project does not trust.\n` +
      `If it should, add '${packageName(specifier)}' (or just '${name}') to trusted_npm in accelhydra.yaml.`,
    { details: { target, name } },
  );
}

async function load(file: string, npm: NpmOptions, target: string): Promise<object> {
  try {
    return await (npm.importModule ?? importModule)(pathToFileURL(file).href);
  } catch (error) {
    const message = `Loading ${file} for target '${target}' failed:\n${describeThrown(error)}`;
    throw new InstantiateError('module-failed', message, { cause: error, details: { target, file } });
  }
}
