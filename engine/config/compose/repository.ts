import { ConfigError } from '../errors.ts';
import { compareText } from '../grammar/sorting.ts';
import type { ConfigNode } from '../node/node.ts';
import { loadYaml } from '../yaml/load.ts';
import { type DefaultsEntry, readDefaultsEntries } from './defaultsEntries.ts';
import { packageHeader } from './header.ts';
import { hydraSource, schemaSource } from './hydraLibrary.ts';
import type { ConfigSource } from './source.ts';

/** A config file as the composer works with it. Shared between compositions: never changed. */
export interface LoadedConfig {
  /** Group and name, without extension: `model/resnet`. */
  readonly configPath: string;
  readonly source: ConfigSource;
  /** The file within its source, with extension. */
  readonly file: string;
  /** What a person knows the file by. */
  readonly display: string;
  readonly stamp: string;
  /** The content without its defaults list. */
  readonly content: ConfigNode;
  readonly header: string | undefined;
  readonly entries: readonly DefaultsEntry[];
  /** False when the file has no `defaults` key at all. */
  readonly hasDefaults: boolean;
}

/** Parsed files by source and path, valid while the source gives the same stamp. The oldest go beyond the limit. */
export class ConfigCache {
  readonly #files = new Map<string, LoadedConfig>();
  readonly #limit: number;

  constructor(limit = 4096) {
    this.#limit = limit;
  }

  get(key: string, stamp: string): LoadedConfig | undefined {
    const found = this.#files.get(key);
    return found?.stamp === stamp ? found : undefined;
  }

  set(key: string, loaded: LoadedConfig): void {
    this.#files.delete(key);
    this.#files.set(key, loaded);
    if (this.#files.size <= this.#limit) return;
    for (const oldest of this.#files.keys()) {
      this.#files.delete(oldest);
      return;
    }
  }

  clear(): void {
    this.#files.clear();
  }
}

/** The config files of all sources on the search path; of several with one path the first source's counts. */
export class ConfigRepository {
  readonly #cache: ConfigCache;
  #sources: readonly ConfigSource[];
  // Within one composition a path is looked up once: the files cannot change halfway.
  readonly #loaded = new Map<string, LoadedConfig | undefined>();
  #hasOwnHydraFiles: boolean | undefined = undefined;

  constructor(sources: readonly ConfigSource[], cache: ConfigCache) {
    this.#sources = sources;
    this.#cache = cache;
  }

  get sources(): readonly ConfigSource[] {
    return this.#sources;
  }

  /** Replaces the search path; what was loaded stays, as in Hydra. */
  setSources(sources: readonly ConfigSource[]): void {
    this.#sources = sources;
    this.#hasOwnHydraFiles = undefined;
  }

  /** The files that were looked at and are there. */
  loadedFiles(): readonly LoadedConfig[] {
    return [...this.#loaded.values()].filter((loaded) => loaded !== undefined);
  }

  /** `undefined` when no source has it. Throws what the file's YAML, header or defaults list does. */
  load(configPath: string): LoadedConfig | undefined {
    if (this.#loaded.has(configPath)) return this.#loaded.get(configPath);
    const loaded = this.#read(configPath);
    this.#loaded.set(configPath, loaded);
    return loaded;
  }

  #read(configPath: string): LoadedConfig | undefined {
    const file = fileName(configPath);
    for (const source of this.#sources) {
      const entry = source.stat(file);
      if (entry?.kind !== 'file') continue;
      const key = `${source.url}|${file}|${configPath}`;
      const cached = this.#cache.get(key, entry.stamp);
      if (cached !== undefined) return cached;
      const loaded = parseFile(source, file, configPath, entry.stamp);
      this.#cache.set(key, loaded);
      return loaded;
    }
    return undefined;
  }

  /** True when a source besides the built-in ones has files for Hydra's own groups. */
  get hasOwnHydraFiles(): boolean {
    this.#hasOwnHydraFiles ??= this.#sources.some(
      (source) => source !== hydraSource && source !== schemaSource && source.stat('hydra')?.kind === 'directory',
    );
    return this.#hasOwnHydraFiles;
  }

  configExists(configPath: string): boolean {
    if (this.#loaded.get(configPath) !== undefined) return true;
    const file = fileName(configPath);
    return this.#sources.some((source) => source.stat(file)?.kind === 'file');
  }

  groupExists(path: string): boolean {
    return this.#sources.some((source) => source.stat(path)?.kind === 'directory');
  }

  /** Names of the options of a group, sorted. */
  groupOptions(group: string): readonly string[] {
    return this.#names(group, (source, name) => {
      if (!name.endsWith('.yaml') || source.stat(join(group, name))?.kind !== 'file') return undefined;
      return name.slice(0, name.lastIndexOf('.'));
    });
  }

  /** Names of the groups directly below a group, sorted. */
  subgroups(group: string): readonly string[] {
    return this.#names(group, (source, name) => {
      if (name === '__pycache__' || name.startsWith('.')) return undefined;
      return source.stat(join(group, name))?.kind === 'directory' ? name : undefined;
    });
  }

  #names(group: string, pick: (source: ConfigSource, name: string) => string | undefined): readonly string[] {
    const names = new Set<string>();
    for (const source of this.#sources) {
      if (source.stat(group)?.kind !== 'directory') continue;
      for (const name of source.list(group)) {
        const picked = quietly(() => pick(source, name));
        if (picked !== undefined) names.add(picked);
      }
    }
    return [...names].toSorted(compareText);
  }

  /** Paths of all groups, depth first. Links that lead into a loop end at a depth no real tree has. */
  allGroups(): readonly string[] {
    const found: string[] = [];
    const visit = (group: string, depth: number) => {
      if (depth > 16 || found.length > 10_000) return;
      for (const name of this.subgroups(group)) {
        const path = join(group, name);
        found.push(path);
        visit(path, depth + 1);
      }
    };
    visit('', 0);
    return found;
  }
}

/** What cannot be looked at, such as a link that leads back to itself, is no option; loading it says what is wrong. */
function quietly<T>(step: () => T): T | undefined {
  try {
    return step();
  } catch (error) {
    if (error instanceof ConfigError && error.exception === 'OSError') return undefined;
    throw error;
  }
}

function join(group: string, name: string): string {
  return group === '' ? name : `${group}/${name}`;
}

function fileName(configPath: string): string {
  if (configPath.endsWith('.yml')) {
    throw new ConfigError(
      'ConfigLoadError',
      "Unsupported config file extension '.yml'. Hydra config files must use the '.yaml' extension.",
      { details: { config: configPath } },
    );
  }
  return configPath.endsWith('.yaml') ? configPath : `${configPath}.yaml`;
}

function parseFile(source: ConfigSource, file: string, configPath: string, stamp: string): LoadedConfig {
  const text = source.read(file);
  const display = source.display(file);
  const header = packageHeader(text);
  const parsed = loadYaml(text, { source: display });
  const entries = readDefaultsEntries(configPath, parsed);
  const hasDefaults = parsed.kind === 'dict' && parsed.has('defaults');
  if (parsed.kind === 'dict') parsed.delete('defaults');
  return { configPath, source, file, display, stamp, content: parsed, header, entries, hasDefaults };
}
