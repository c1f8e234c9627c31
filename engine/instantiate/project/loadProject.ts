import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { EngineError } from '../../api/errors.ts';
import { nearest } from '../../base/nearest.ts';
import { PROJECT_FILE, readProjectFile } from './projectFile.ts';

/** A folder with configs and code. All paths are absolute. */
export interface Project {
  readonly root: string;
  readonly name: string;
  readonly configDir: string;
  readonly sourceRoots: readonly string[];
  readonly defaultConfig: string;
  /** Undefined when the config dir has no such file. */
  readonly inferenceConfig: string | undefined;
  /** The Hydra whose rules the configs were written for; undefined for the newest. */
  readonly versionBase: string | undefined;
  /** npm packages whose exports may be targets. */
  readonly trustedNpm: readonly string[];
  /** The module with the project's own resolvers, if it has one. */
  readonly resolversModule: string | undefined;
}

/**
 * Reads what a project folder is made of; runs none of its code. Throws 'project.not-found' when the folder or its config
 * dir does not exist, 'project.file-invalid' for a bad accelhydra.yaml.
 */
export function loadProject(folder: string): Project {
  const root = resolve(folder);
  if (!isFolder(root)) {
    throw new EngineError('project.not-found', `There is no folder ${root}.`, { root });
  }
  const file = readProjectFile(root);
  const configDir = resolve(root, file.config_dir);
  if (!isFolder(configDir)) throw noConfigDir(root, configDir);
  const sourceRoots = file.source_roots.map((source) => resolve(root, source));
  const missing = sourceRoots.find((source) => !isFolder(source));
  if (missing !== undefined) {
    throw new EngineError(
      'project.file-invalid',
      `${join(root, PROJECT_FILE)} names the source root ${missing}, which is no folder.`,
      { root, sourceRoot: missing },
    );
  }
  return {
    root,
    name: file.name ?? basename(root),
    configDir,
    sourceRoots,
    defaultConfig: file.default_config,
    inferenceConfig: hasConfig(configDir, file.inference_config) ? file.inference_config : undefined,
    versionBase: file.version_base,
    trustedNpm: file.trusted_npm,
    resolversModule: findResolvers(root, sourceRoots, file.resolvers),
  };
}

/** The nearest folder from here upwards that is a project: one with accelhydra.yaml, or a `configs` folder. */
export function findProjectRoot(start: string): string | undefined {
  for (let folder = resolve(start); ; folder = dirname(folder)) {
    if (existsSync(join(folder, PROJECT_FILE)) || isFolder(join(folder, 'configs'))) return folder;
    if (folder === dirname(folder)) return undefined;
  }
}

/** Names of the configs at the root of the config dir, without their ending. */
export function configNames(project: Project): string[] {
  return readdirSync(project.configDir, { withFileTypes: true })
    .filter((entry) => !entry.isDirectory() && /\.ya?ml$/.test(entry.name))
    .map((entry) => entry.name.replace(/\.ya?ml$/, ''))
    .sort();
}

function findResolvers(root: string, sourceRoots: readonly string[], named: string | undefined): string | undefined {
  if (named === undefined) {
    const candidates = sourceRoots.flatMap((source) =>
      ['ts', 'js', 'mjs'].map((end) => join(source, `resolvers.${end}`)),
    );
    return candidates.find((file) => existsSync(file));
  }
  const candidates = [root, ...sourceRoots].map((folder) => resolve(folder, named));
  const found = candidates.find((file) => existsSync(file));
  if (found !== undefined) return found;
  throw new EngineError(
    'project.file-invalid',
    `${join(root, PROJECT_FILE)} names the resolvers module '${named}', but none of these exists: ${candidates.join(', ')}.`,
    { root, resolvers: named },
  );
}

function noConfigDir(root: string, configDir: string): EngineError {
  const folders = readdirSync(root, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const names = folders.map((entry) => entry.name);
  const near = names.find((name) => /conf/i.test(name)) ?? nearest(basename(configDir), names);
  const hint =
    near === undefined
      ? `Create one, or start from a template with 'accelhydra init DIR --template mnist'.`
      : `There is '${near}': if that is it, write 'config_dir: ${near}' into ${PROJECT_FILE}.`;
  return new EngineError('project.not-found', `${root} is no project: it has no config folder ${configDir}. ${hint}`, {
    root,
    configDir,
  });
}

function hasConfig(configDir: string, name: string): boolean {
  return ['.yaml', '.yml'].some((end) => existsSync(join(configDir, `${name}${end}`)));
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
