import { EngineError } from '../api/errors.ts';
// From their files: the config engine's index would bring all of it into commands that only print.
import { type Composition as ComposedParts, compose } from '../config/compose/compose.ts';
import { fullKeyOf } from '../config/container/fullKey.ts';
import { ConfigError } from '../config/errors.ts';
import { type ConfigNode, DictNode } from '../config/node/node.ts';
import { dereference, select } from '../config/resolve/operations.ts';
import { toYaml } from '../config/yaml/emit/toYaml.ts';

export interface CompositionRequest {
  readonly configName: string;
  readonly overrides: readonly string[];
  /** Config folders instead of the project's own; the first is the main one. */
  readonly searchPath?: readonly string[] | undefined;
  /** The run's folder, for `${hydra:runtime.output_dir}`. */
  readonly outputDir?: string | undefined;
}

/** Where configs are looked for. */
export interface ConfigPlace {
  /** Folder that relative paths and names for people start from. */
  readonly root: string;
  readonly configDir: string;
  /** The Hydra whose rules the configs were written for; the newest unless given. */
  readonly versionBase?: string | undefined;
}

/**
 * A composed config as the service needs it: texts, values and what is missing, each worked out when asked for. Resolvers
 * that live in the project's code are unknown here, because the host never runs it: then `resolved` says why it is not.
 */
export class Composition {
  readonly configName: string;
  readonly parts: ComposedParts;
  #configYaml: string | undefined;
  #resolved: { readonly yaml?: string; readonly error?: EngineError } | undefined;

  constructor(configName: string, parts: ComposedParts) {
    this.configName = configName;
    this.parts = parts;
  }

  get config(): DictNode {
    return this.parts.config;
  }

  get warnings(): readonly string[] {
    return this.parts.warnings;
  }

  /** Interpolations kept. */
  get configYaml(): string {
    this.#configYaml ??= toYaml(this.config);
    return this.#configYaml;
  }

  /** Interpolations resolved; undefined where some cannot be resolved here. */
  get resolvedYaml(): string | undefined {
    return this.#resolve().yaml;
  }

  /** The first failure to resolve. */
  get resolveError(): EngineError | undefined {
    return this.#resolve().error;
  }

  /** As Hydra writes `.hydra/hydra.yaml`. */
  get hydraYaml(): string {
    const root = new DictNode();
    root.set('hydra', this.parts.hydra.clone());
    return toYaml(root);
  }

  /** Dotted paths of values that are still `???`. */
  get missing(): string[] {
    const missing: string[] = [];
    const visit = (node: ConfigNode) => {
      if (node.isMissing) missing.push(fullKeyOf(node));
      if (node.kind === 'list') node.items.forEach(visit);
      if (node.kind === 'dict') for (const child of node.values()) visit(child);
    };
    visit(this.config);
    return missing;
  }

  /** The scalar at a dotted path as text, resolved; undefined where there is none, it is null, or it cannot be resolved. */
  textAt(path: string): string | undefined {
    try {
      const node = select(this.config, path, this.parts.context);
      return node?.kind !== 'scalar' || node.isNull ? undefined : String(node.value);
    } catch (error) {
      if (error instanceof EngineError) return undefined;
      throw error;
    }
  }

  /** What an interpolation stands for. Throws what keeps it from being resolved. */
  follow(node: ConfigNode): ConfigNode {
    return explained(() => dereference(node, this.parts.context));
  }

  #resolve(): { readonly yaml?: string; readonly error?: EngineError } {
    if (this.#resolved) return this.#resolved;
    try {
      this.#resolved = { yaml: explained(() => toYaml(this.config, { resolve: this.parts.context })) };
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      this.#resolved = { error };
    }
    return this.#resolved;
  }
}

/** Composes by Hydra's rules. Throws `config.…` errors whose message tells place, chain of inclusions and what was meant. */
export function composeProject(place: ConfigPlace, request: CompositionRequest): Composition {
  return explained(() => new Composition(request.configName, compose(engineRequest(place, request))));
}

/** The request in the config engine's terms. */
export function engineRequest(place: ConfigPlace, request: CompositionRequest) {
  return {
    searchPath: request.searchPath ?? [place.configDir],
    configName: request.configName,
    overrides: request.overrides,
    cwd: place.root,
    ...(place.versionBase === undefined ? {} : { versionBase: place.versionBase }),
    ...(request.outputDir === undefined ? {} : { outputDir: request.outputDir }),
  };
}

/** Runs `work`; a ConfigError comes out with everything it knows in its message, as people and transports see no more. */
export function explained<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof ConfigError)
      throw new EngineError(error.code, error.describe(), error.details, { cause: error });
    throw error;
  }
}
