import { type Dirent, readdirSync, realpathSync, statSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { EngineError } from '../../api/errors.ts';
import { didYouMean } from '../../base/nearest.ts';
import { describeThrown, InstantiateError } from '../errors.ts';
import { type ImportModule, importModule } from '../importModule.ts';
import type { Attempt, Miss, NameCheck } from './locatedTarget.ts';
import { describeMissing, followMembers } from './members.ts';

/** Endings of a module, in the order in which they are tried. */
export const MODULE_EXTENSIONS = ['.ts', '.mts', '.js', '.mjs', '.cts', '.cjs'] as const;

export interface ProjectModules {
  /** Absolute folders in which dotted names start; the first that has a module wins. */
  readonly sourceRoots: readonly string[];
  /** How a module is loaded; `import()` where nothing else is given. */
  readonly importModule?: ImportModule;
}

/** A module's file and the dotted name it has under its source root. */
export interface ModuleFile {
  readonly file: string;
  readonly name: string;
}

/** Looks for `a.b.C` as export C of `a/b`, then as b.C of `a`: the longest module path of all roots first. */
export async function locateInProject(
  target: string,
  project: ProjectModules | undefined,
  check: NameCheck,
): Promise<Attempt> {
  if (project === undefined || !/^[\w$.-]+$/.test(target)) return { misses: [] };
  const parts = target.split('.');
  const misses: Miss[] = [];
  for (let length = parts.length - 1; length > 0; length--) {
    for (const root of project.sourceRoots) {
      const module = findModule(root, parts.slice(0, length));
      if (module === undefined) continue;
      const path = parts.slice(length);
      const name = `${module.name}.${path.join('.')}`;
      check(name);
      const found = followMembers(await load(module, project, target), path, module.name);
      if (!('missing' in found)) {
        return { found: { name, kind: 'project', value: found.value, owner: found.owner, file: module.file } };
      }
      misses.push({
        place: describeMissing(found, found.holder === module.name ? module.file : `${module.file}: ${found.holder}`),
        near: found.names.map((member) => `${found.holder}.${member}`),
      });
    }
  }
  return { misses: [...misses, ...project.sourceRoots.map((root) => missingIn(root, parts))] };
}

/** The file of the module with this dotted path under a root, following the real spelling of its folders. */
export function findModule(root: string, path: readonly string[]): ModuleFile | undefined {
  const base = join(root, ...path);
  const candidates = [
    ...MODULE_EXTENSIONS.map((extension) => `${base}${extension}`),
    ...MODULE_EXTENSIONS.map((extension) => join(base, `index${extension}`)),
  ];
  const file = candidates.find(isFile);
  return file === undefined ? undefined : { file, name: moduleName(root, file, path) };
}

/** On a file system that ignores case, or through a link inside the root, the file's own name counts. */
function moduleName(root: string, file: string, path: readonly string[]): string {
  const within = relative(realpathSync.native(root), realpathSync.native(file));
  if (within.startsWith('..')) return path.join('.');
  return within
    .replace(/\.[cm]?[jt]s$/, '')
    .replace(/(^|[\\/])index$/, '')
    .split(sep)
    .join('.');
}

async function load(module: ModuleFile, project: ProjectModules, target: string): Promise<object> {
  try {
    return await (project.importModule ?? importModule)(pathToFileURL(module.file).href);
  } catch (error) {
    if (error instanceof EngineError) throw error;
    const message = `Loading ${module.file} for target '${target}' failed:\n${describeThrown(error)}${await exportHint(error)}`;
    throw new InstantiateError('module-failed', message, { cause: error, details: { target, file: module.file } });
  }
}

/** What code that asks this package for something it lacks may have meant; nothing for other errors. */
async function exportHint(error: unknown): Promise<string> {
  const wanted = /'accelhydra-studio' does not provide an export named '([^']+)'/.exec(String(error))?.[1];
  if (wanted === undefined) return '';
  const exports = await importModule('accelhydra-studio').catch(() => ({}));
  return `.${didYouMean(wanted, Object.keys(exports))}`;
}

/** Says how far the path exists under a root and what stands where it ends. */
function missingIn(root: string, parts: readonly string[]): Miss {
  let folder = root;
  let depth = 0;
  while (depth < parts.length - 1 && isFolder(join(folder, parts[depth] ?? ''))) {
    folder = join(folder, parts[depth] ?? '');
    depth += 1;
  }
  const prefix = parts.slice(0, depth);
  const rest = parts.slice(depth + 1);
  const near = entriesOf(folder).map((name) => [...prefix, name, ...rest].join('.'));
  const wanted = parts[depth] ?? '';
  const file = depth < parts.length - 1 ? `${join(folder, wanted)}.ts` : `${folder}${sep}index.ts`;
  return { place: `source root ${root}: no ${relative(root, file)} (or .js, or a folder with an index file)`, near };
}

function entriesOf(folder: string): string[] {
  let entries: Dirent[];
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
  return entries
    .filter((entry) => entry.isDirectory() || /\.[cm]?[jt]s$/.test(entry.name))
    .map((entry) => entry.name.replace(/\.[cm]?[jt]s$/, ''));
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
