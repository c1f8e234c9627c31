import { ConfigError } from '../errors.ts';
import type { Override } from '../grammar/types.ts';
import { DictNode } from '../node/node.ts';
import { ResolveContext } from '../resolve/context.ts';
import { createResolverRegistry } from '../resolve/defaults.ts';
import { applyOverrides } from './applyOverrides.ts';
import { compositionError } from './compositionError.ts';
import type { ResultDefault } from './defaultsList.ts';
import type { DefaultsTreeNode } from './defaultsTree.ts';
import { checkCopiedEnvironment, fillHydraNode, type HydraFacts, registerHydraResolvers } from './hydraNode.ts';
import { isOwnFile, mergeDefaults } from './mergeDefaults.ts';
import { type PreparedComposition, prepareComposition } from './prepare.ts';
import type { LoadedConfig } from './repository.ts';
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

const usualResolvers = createResolverRegistry();

function composeUnguarded(request: ComposeRequest): Composition {
  const prepared = prepareComposition(request);
  const { repository, choices, defaults, overrides } = prepared;
  const warnings = [...prepared.warnings];
  const resolvers = (request.resolvers ?? usualResolvers).copy();
  let composed: Composition | undefined;
  registerHydraResolvers(resolvers, () => (composed === undefined ? undefined : { root: composed.withHydra, context }));
  const env = request.env ?? process.env;
  const now = new Date(request.clock?.now() ?? Date.now());
  const context = new ResolveContext({ resolvers, env, now, warn: (message) => warnings.push(message) });

  const config = mergeDefaults(defaults, { repository, context, provenance: request.provenance !== false });
  if (request.strict !== false) config.setFlag('struct', true);
  applyOverrides(config, choices.valueOverrides, context, (group) => choices.groupHint(group));

  const hydra = takeHydra(config);
  const facts: HydraFacts = {
    overrides,
    choices: choices.known,
    sources: repository.sources,
    configName: request.configName ?? null,
    jobName: request.jobName ?? request.configName?.split('/').at(-1) ?? 'app',
    versionBase: request.versionBase ?? '1.4',
    cwd: request.cwd ?? process.cwd(),
    outputDir: request.outputDir,
    env,
  };
  checkCopiedEnvironment(hydra, env);
  const composition = new ComposedConfig(request, prepared, { config, hydra, facts, warnings, context });
  composed = composition;
  return composition;
}

interface ComposedParts {
  readonly config: DictNode;
  readonly hydra: DictNode;
  readonly facts: HydraFacts;
  readonly warnings: readonly string[];
  readonly context: ResolveContext;
}

class ComposedConfig implements Composition {
  readonly request: ComposeRequest;
  readonly prepared: PreparedComposition;
  readonly config: DictNode;
  readonly warnings: readonly string[];
  readonly context: ResolveContext;
  readonly #hydra: DictNode;
  readonly #facts: HydraFacts;
  #withHydra: DictNode | undefined = undefined;

  constructor(request: ComposeRequest, prepared: PreparedComposition, parts: ComposedParts) {
    this.request = request;
    this.prepared = prepared;
    this.config = parts.config;
    this.warnings = parts.warnings;
    this.context = parts.context;
    this.#hydra = parts.hydra;
    this.#facts = parts.facts;
  }

  get withHydra(): DictNode {
    if (this.#withHydra === undefined) {
      fillHydraNode(this.#hydra, this.#facts);
      this.#withHydra = this.config.clone();
      this.#withHydra.set('hydra', this.#hydra);
    }
    return this.#withHydra;
  }

  get hydra(): DictNode {
    // Taken from the whole, so that it stands at its place and is filled in.
    const hydra = this.withHydra.get('hydra');
    return hydra?.kind === 'dict' ? hydra : this.#hydra;
  }

  get choices(): ReadonlyMap<string, string | null> {
    return this.prepared.choices.known;
  }

  get defaults(): readonly ResultDefault[] {
    return this.prepared.defaults;
  }

  get defaultsTree(): DefaultsTreeNode {
    return this.prepared.tree;
  }

  get overrides(): readonly Override[] {
    return this.prepared.overrides;
  }

  get files(): readonly ComposedFile[] {
    return this.prepared.repository.loadedFiles().filter(isOwnFile).map(fileInfo);
  }
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
