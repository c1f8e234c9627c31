import { splitKeyPath } from '../container/keyPath.ts';
import { ConfigError } from '../errors.ts';
import { type ConfigNode, DictNode } from '../node/node.ts';
import type { ResolveContext } from '../resolve/context.ts';
import { compositionError } from './compositionError.ts';
import type { ResultDefault } from './defaultsList.ts';
import { hydraSource, schemaSource } from './hydraLibrary.ts';
import { conformHydraValue } from './hydraSchema.ts';
import { mergeContent } from './mergeContent.ts';
import type { ConfigRepository, LoadedConfig } from './repository.ts';

interface Merging {
  readonly repository: ConfigRepository;
  readonly context: ResolveContext;
  /** False leaves out where values were written and what they beat. */
  readonly provenance: boolean;
}

/** The configs of a defaults list merged in order, each below its package. Throws ConfigCompositionException. */
export function mergeDefaults(defaults: readonly ResultDefault[], merging: Merging): DictNode {
  const { config, rest } = startWithHydra(defaults, merging);
  for (const item of rest) mergeDefault(config, item, merging);
  return config;
}

/** False for the files of Hydra's own groups that are built in. */
export function isOwnFile({ source }: LoadedConfig): boolean {
  return source !== hydraSource && source !== schemaSource;
}

// Hydra's own files come first and never change, so what they merge to is kept by the list of them.
const hydraBases = new Map<string, DictNode>();
const MAXIMUM_HYDRA_BASES = 64;

/** A config that holds what Hydra's own files give, and the defaults that are left to merge. */
function startWithHydra(
  defaults: readonly ResultDefault[],
  merging: Merging,
): { readonly config: DictNode; readonly rest: readonly ResultDefault[] } {
  const { repository } = merging;
  const isBuiltIn = ({ configPath }: ResultDefault) => {
    if (!configPath.startsWith('hydra/')) return false;
    const loaded = repository.hasOwnHydraFiles ? repository.load(configPath) : undefined;
    return loaded === undefined || !isOwnFile(loaded);
  };
  const end = defaults.findIndex((item) => !isBuiltIn(item));
  const builtIn = end === -1 ? defaults : defaults.slice(0, end);
  const key = `${merging.provenance ? '' : BARE}${builtIn.map((item) => `${item.configPath}@${item.package}`).join(' ')}`;
  let base = hydraBases.get(key);
  if (base === undefined) {
    base = new DictNode();
    for (const item of builtIn) mergeDefault(base, item, merging);
    if (hydraBases.size >= MAXIMUM_HYDRA_BASES) hydraBases.clear();
    hydraBases.set(key, base);
  }
  return { config: base.clone(), rest: end === -1 ? [] : defaults.slice(end) };
}

function mergeDefault(config: DictNode, item: ResultDefault, { repository, context, provenance }: Merging): void {
  const loaded = repository.load(item.configPath);
  if (loaded === undefined) return;
  const embedded = embeddedContent(loaded, item.package, provenance);
  checkSearchPath(embedded, item);
  try {
    mergeContent(config, embedded, context, provenance);
  } catch (error) {
    throw asComposingFailure(error, item);
  }
}

function asComposingFailure(error: unknown, item: ResultDefault): unknown {
  if (!(error instanceof ConfigError)) return error;
  return compositionError(
    `In '${item.configPath}': ${error.exception} raised while composing config:\n${error.message}`,
    {
      origin: error.origin ?? item.origin,
      chain: item.chain,
      cause: error,
    },
  );
}

function checkSearchPath(content: ConfigNode, item: ResultDefault): void {
  if (item.primary || item.configPath === 'hydra/config') return;
  const hydra = content.kind === 'dict' ? content.get('hydra') : undefined;
  const searchPath = hydra?.kind === 'dict' ? hydra.get('searchpath') : undefined;
  if (searchPath === undefined || searchPath.isNull || searchPath.isMissing) return;
  throw compositionError(
    `In '${item.configPath}': Overriding hydra.searchpath is only supported from the primary config`,
    { origin: searchPath.keyOrigin ?? searchPath.origin, chain: item.chain },
  );
}

// The same file is embedded in the same package by every composition, so the wrapping is done once.
const embeddings = new WeakMap<LoadedConfig, Map<string, DictNode>>();

/** Marks what is kept without provenance. */
const BARE = 'bare ';

/** The content below its package, with Hydra's part in the form that Hydra's typed node wants. */
function embeddedContent(loaded: LoadedConfig, packageName: string, provenance: boolean): DictNode {
  const key = provenance ? packageName : `${BARE}${packageName}`;
  const known = embeddings.get(loaded)?.get(key);
  if (known !== undefined) return known;
  const embedded = embed(loaded, packageName);
  const conformed = isOwnFile(loaded) ? conformHydra(embedded, loaded) : embedded;
  if (!provenance) forgetOrigins(conformed);
  const all = embeddings.get(loaded) ?? new Map<string, DictNode>();
  all.set(key, conformed);
  embeddings.set(loaded, all);
  return conformed;
}

function forgetOrigins(node: ConfigNode): void {
  node.origin = undefined;
  node.keyOrigin = undefined;
  if (node.kind !== 'scalar')
    for (const child of node.kind === 'dict' ? node.values() : node.items) forgetOrigins(child);
}

function embed(loaded: LoadedConfig, packageName: string): DictNode {
  const content = loaded.content.clone();
  if (packageName === '') {
    if (content.kind === 'dict') return content;
    throw compositionError(
      `In '${loaded.configPath}': ConfigTypeError raised while composing config:\nCannot merge incompatible container types`,
      { origin: loaded.content.origin },
    );
  }
  let node: ConfigNode = content;
  for (const part of splitKeyPath(packageName).toReversed()) {
    const wrapper = new DictNode([], loaded.content.origin);
    wrapper.set(part, node);
    node = wrapper;
  }
  if (node.kind !== 'dict') throw new Error('Internal error: a package has no parts');
  return node;
}

function conformHydra(embedded: DictNode, loaded: LoadedConfig): DictNode {
  const hydra = embedded.get('hydra');
  if (hydra === undefined) return embedded;
  try {
    const conformed = conformHydraValue('', hydra);
    if (conformed !== hydra) embedded.set('hydra', conformed);
    return embedded;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw compositionError(
      `In '${loaded.configPath}': ${error.exception} raised while composing config:\n${error.message}`,
      { origin: error.origin, cause: error },
    );
  }
}
