import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { ContainerNode } from '../config/node/node.ts';
import { loadYaml } from '../config/yaml/load.ts';
import type { ConfigPlace } from './composition.ts';

export interface CommandPlace extends ConfigPlace {
  readonly defaultConfig: string;
}

const PROJECT_FILE = 'accelhydra.yaml';
/** The keys that matter here; a file that says them wrongly is read by the project loader, which tells what is wrong. */
const CONFIG_DIR = 'config_dir';
const DEFAULT_CONFIG = 'default_config';
const VERSION_BASE = 'version_base';

/**
 * Where a command composes: the named project, or the nearest one from `start` upwards, else `start` itself. Reads of a
 * project file only what it needs and loads no validation library, so that printing a config stays quick.
 */
export async function findConfigPlace(start: string, named: string | undefined): Promise<CommandPlace> {
  const root = named === undefined ? nearestProject(resolve(start)) : resolve(named);
  const plain = { root, configDir: join(root, 'configs'), defaultConfig: 'train' };
  const file = join(root, PROJECT_FILE);
  if (!existsSync(file)) return plain;
  const quick = readQuickly(file);
  if (quick) {
    return {
      root,
      configDir: resolve(root, quick.configDir ?? 'configs'),
      defaultConfig: quick.defaultConfig ?? 'train',
      versionBase: quick.versionBase,
    };
  }
  const { loadProject } = await import('../instantiate/project/loadProject.ts');
  return loadProject(root);
}

interface QuickFile {
  readonly configDir: string | undefined;
  readonly defaultConfig: string | undefined;
  readonly versionBase: string | undefined;
}

function readQuickly(file: string): QuickFile | undefined {
  try {
    const content = loadYaml(readFileSync(file, 'utf8'));
    const isOdd = [CONFIG_DIR, DEFAULT_CONFIG, VERSION_BASE].some(
      (key) => has(content, key) && textOf(content, key) === undefined,
    );
    if (content.kind !== 'dict' || isOdd) return undefined;
    return {
      configDir: textOf(content, CONFIG_DIR),
      defaultConfig: textOf(content, DEFAULT_CONFIG),
      versionBase: textOf(content, VERSION_BASE),
    };
  } catch {
    return undefined; // the project loader says what is wrong with it
  }
}

function has(content: ContainerNode, key: string): boolean {
  return content.kind === 'dict' && content.has(key);
}

function textOf(content: ContainerNode, key: string): string | undefined {
  const node = content.kind === 'dict' ? content.get(key) : undefined;
  return node?.kind === 'scalar' && typeof node.value === 'string' ? node.value : undefined;
}

function nearestProject(start: string): string {
  for (let folder = start; ; folder = dirname(folder)) {
    const isProject =
      existsSync(join(folder, PROJECT_FILE)) ||
      statSync(join(folder, 'configs'), { throwIfNoEntry: false })?.isDirectory();
    if (isProject) return folder;
    if (folder === dirname(folder)) return start;
  }
}
