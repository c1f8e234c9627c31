import { splitKeyPath } from '../container/keyPath.ts';
import { ConfigError } from '../errors.ts';
import type { Override } from '../grammar/types.ts';
import { type ConfigNode, DictNode } from '../node/node.ts';
import { ResolveContext } from '../resolve/context.ts';
import { createResolverRegistry } from '../resolve/defaults.ts';
import { applyOverrides } from './applyOverrides.ts';
import { compositionError } from './compositionError.ts';
import type { ResultDefault } from './defaultsList.ts';
import type { DefaultsTreeNode } from './defaultsTree.ts';
import { hydraSource, schemaSource } from './hydraLibrary.ts';
import { checkCopiedEnvironment, fillHydraNode, registerHydraResolvers } from './hydraNode.ts';
import { conformHydraValue } from './hydraSchema.ts';
import { mergeContent } from './mergeContent.ts';
import { type PreparedComposition, prepareComposition } from './prepare.ts';
import type { ConfigRepository, LoadedConfig } from './repository.ts';
import type { ComposeRequest } from './request.ts';

/** A file that took part, or would have if another had not been chosen. */
export interface ComposedFile {
  /** Its name for people; the `source` of origins. */
  readonly display: string;
  /** The source's url and the file's path in it. */
  readonly source: string;
  readonly path: string;
  readonly configPath: string;
}

/** A composed config with everything that explains it. */
export interface Composition {
  readonly request: ComposeRequest;
  /** The job's config, interpolations unresolved, without Hydra's node. Every node has its origin and what it beat. */
  readonly config: DictNode;
  /** The same with Hydra's node under `hydra`; made on first use. */
  readonly withHydra: DictNode;
  /** Hydra's node, at its place in `withHydra`. */
  readonly hydra: DictNode;
  /** The option chosen for each group by override key; null for none. Hydra's own groups are among them. */
  readonly choices: ReadonlyMap<string, string | null>;
  readonly defaults: readonly ResultDefault[];
  readonly defaultsTree: DefaultsTreeNode;
  readonly overrides: readonly Override[];
  readonly files: readonly ComposedFile[];
  readonly warnings: readonly string[];
  readonly prepared: PreparedComposition;
  /** Resolves interpolations of `config`, `${hydra:…}` and `${now:…}` included. */
  readonly context: ResolveContext;
}

/**
 * Composes a config by Hydra 1.4's rules. Throws what Hydra throws (ConfigError with `exception`), `describe()` telling
 * the file, the entry, the inclusions that led there and what was probably meant.
 */
export function compose(request: ComposeRequest): Composition {
  try {
    return composeUnguarded(request);
  } catch (error) {
    throw asCompositionFailure(error, request);
  }
}

/** What OmegaConf raises while files are read; Hydra hides it behind an exception of its own without a message. */
const HIDDEN_EXCEPTIONS = new Set([
  'ConfigValueError',
  'GrammarParseError',
  'KeyValidationError',
  'ReadonlyConfigError',
  'UnsupportedValueType',
  'ValidationError',
]);

function asCompositionFailure(error: unknown, request: ComposeRequest): unknown {
  if (!(error instanceof ConfigError) || !HIDDEN_EXCEPTIONS.has(error.exception)) return error;
  const name = request.configName ?? 'the config';
  return compositionError(`Cannot compose '${name}': ${error.message}`, {
    origin: error.origin,
    cause: error,
    details: { hydraMessage: '' },
  });
}

function composeUnguarded(request: ComposeRequest): Composition {
  const prepared = prepareComposition(request);
  const { repository, choices, defaults, overrides } = prepared;
  const warnings = [...prepared.warnings];
  const resolvers = request.resolvers?.copy() ?? createResolverRegistry();
  let hydraRoot: (() => DictNode) | undefined;
  registerHydraResolvers(resolvers, () => (hydraRoot === undefined ? undefined : { root: hydraRoot(), context }));
  const env = request.env ?? process.env;
  const now = new Date(request.clock?.now() ?? Date.now());
  const context = new ResolveContext({ resolvers, env, now, warn: (message) => warnings.push(message) });

  const { config, rest } = startWithHydra(defaults, repository, context);
  for (const item of rest) mergeDefault(config, item, repository, context);
  if (request.strict !== false) config.setFlag('struct', true);
  applyOverrides(config, choices.valueOverrides, context);

  const hydra = takeHydra(config);
  const facts = {
    overrides,
    choices: choices.known,
    sources: repository.sources,
    configName: request.configName ?? null,
    jobName: request.jobName ?? request.configName?.split('/').at(-1) ?? 'app',
    versionBase: request.versionBase ?? '1.4',
    cwd: request.cwd ?? process.cwd(),
    env,
  };
  checkCopiedEnvironment(hydra, env);
  hydraRoot = lazily(() => {
    fillHydraNode(hydra, facts);
    const root = config.clone();
    root.set('hydra', hydra);
    return root;
  });
  return {
    request,
    config,
    get withHydra() {
      return hydraRoot?.() ?? config;
    },
    get hydra() {
      hydraRoot?.();
      return hydra;
    },
    choices: choices.known,
    defaults,
    defaultsTree: prepared.tree,
    overrides,
    files: repository.loadedFiles().filter(isOwnFile).map(fileInfo),
    warnings,
    prepared,
    context,
  };
}

function lazily<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

function isOwnFile({ source }: LoadedConfig): boolean {
  return source !== hydraSource && source !== schemaSource;
}

function fileInfo({ display, source, file, configPath }: LoadedConfig): ComposedFile {
  return { display, source: source.url, path: file, configPath };
}

/** Takes Hydra's node out of the merged config. */
function takeHydra(config: DictNode): DictNode {
  const hydra = config.get('hydra');
  config.delete('hydra');
  if (hydra?.kind !== 'dict') return new DictNode();
  hydra.parent = undefined;
  return hydra;
}

// Hydra's own files come first and never change, so what they merge to is kept by the list of them.
const hydraBases = new Map<string, DictNode>();
const MAXIMUM_HYDRA_BASES = 64;

/** A config that holds what Hydra's own files give, and the defaults that are left to merge. */
function startWithHydra(
  defaults: readonly ResultDefault[],
  repository: ConfigRepository,
  context: ResolveContext,
): { readonly config: DictNode; readonly rest: readonly ResultDefault[] } {
  const isBuiltIn = ({ configPath }: ResultDefault) => {
    if (!configPath.startsWith('hydra/')) return false;
    const loaded = repository.hasOwnHydraFiles ? repository.load(configPath) : undefined;
    return loaded === undefined || !isOwnFile(loaded);
  };
  const end = defaults.findIndex((item) => !isBuiltIn(item));
  const builtIn = end === -1 ? defaults : defaults.slice(0, end);
  const key = builtIn.map((item) => `${item.configPath}@${item.package}`).join(' ');
  let base = hydraBases.get(key);
  if (base === undefined) {
    base = new DictNode();
    for (const item of builtIn) mergeDefault(base, item, repository, context);
    if (hydraBases.size >= MAXIMUM_HYDRA_BASES) hydraBases.clear();
    hydraBases.set(key, base);
  }
  return { config: base.clone(), rest: end === -1 ? [] : defaults.slice(end) };
}

function mergeDefault(
  config: DictNode,
  item: ResultDefault,
  repository: ConfigRepository,
  context: ResolveContext,
): void {
  const loaded = repository.load(item.configPath);
  if (loaded === undefined) return;
  const embedded = embeddedContent(loaded, item.package);
  checkSearchPath(embedded, item);
  try {
    mergeContent(config, embedded, context);
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

/** The content below its package, with Hydra's part in the form that Hydra's typed node wants. */
function embeddedContent(loaded: LoadedConfig, packageName: string): DictNode {
  const known = embeddings.get(loaded)?.get(packageName);
  if (known !== undefined) return known;
  const embedded = embed(loaded, packageName);
  const conformed = isOwnFile(loaded) ? conformHydra(embedded, loaded) : embedded;
  const all = embeddings.get(loaded) ?? new Map<string, DictNode>();
  all.set(packageName, conformed);
  embeddings.set(loaded, all);
  return conformed;
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
