import { EngineError } from '../api/errors.ts';
import type { Disposable } from '../base/disposable.ts';
import {
  type ConfigNode,
  type ContainerNode,
  createResolverRegistry,
  type PlainValue,
  ResolveContext,
  type ResolverRegistry,
  resolve,
  select,
  toPlain,
} from '../config/index.ts';
import { configAccess } from './configAccess.ts';
import { type InstantiateOptions, instantiate } from './instantiate.ts';
import { registerProjectLoader } from './loader/registerProjectLoader.ts';
import type { TargetLocator } from './locate/locatedTarget.ts';
import { createTargetLocator } from './locate/targetLocator.ts';
import type { Project } from './project/loadProject.ts';
import { loadResolvers } from './resolvers/loadResolvers.ts';
import { findTarget } from './targetFinder.ts';

export interface ProjectRuntimeOptions {
  /** Dotted names and what they stand for: `accelhydra.Trainer`, `torch.optim.AdamW`. */
  readonly builtins: Readonly<Record<string, unknown>>;
  /** The namespace behind `tf.*`. */
  readonly tensorflow?: object;
  /** What `oc.env` sees; this process's environment unless given. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly warn?: (message: string) => void;
}

/** Arguments on top of what the config says. */
export interface SectionCall {
  readonly args?: readonly unknown[];
  readonly kwargs?: Readonly<Record<string, unknown>>;
}

/** Builds the sections of one config. Containers reach targets as plain values. */
export interface ConfigBuilder {
  /** The object of the section at a dotted path. Throws 'instantiate.no-section', InstantiateError or ConfigError. */
  instantiate(path: string, call?: SectionCall): Promise<unknown>;
  /** What the section's `_target_` names, not called; undefined without one. */
  target(path: string): Promise<unknown>;
  /** Whether there is anything at the path. */
  has(path: string): boolean;
  /** The section with every interpolation resolved, and its project: what another thread needs to build it again. */
  portable(path: string): PortableSection;
  /** The config with every interpolation resolved. */
  resolved(): ContainerNode;
}

/** Plain values that survive `structuredClone`. */
export interface PortableSection {
  readonly project: Project;
  readonly section: PlainValue;
}

/** A project whose code may run in this process: never in the host, only in workers and inference processes. */
export interface ProjectRuntime extends Disposable {
  readonly project: Project;
  readonly resolvers: ResolverRegistry;
  /** `context` resolves interpolations; without one the project's resolvers and `oc.*` do, which a composition needs more of. */
  builder(config: ContainerNode, context?: ResolveContext): ConfigBuilder;
}

/** Makes a project's modules importable, registers its resolvers and finds its targets. Throws 'project.resolvers-failed'. */
export async function openProjectRuntime(project: Project, options: ProjectRuntimeOptions): Promise<ProjectRuntime> {
  const { resolversModule } = project;
  const loader = registerProjectLoader({
    sourceRoots: project.sourceRoots,
    ...(resolversModule === undefined ? {} : { files: [resolversModule] }),
  });
  const resolvers = createResolverRegistry();
  try {
    if (resolversModule !== undefined) await loadResolvers(resolversModule, resolvers);
  } catch (error) {
    await loader.dispose();
    throw error;
  }
  const locator = createTargetLocator({
    builtins: options.builtins,
    tensorflow: options.tensorflow,
    project: { sourceRoots: project.sourceRoots },
    npm: { projectRoot: project.root, trusted: project.trustedNpm },
  });
  const context = new ResolveContext({
    resolvers,
    env: options.env ?? process.env,
    ...(options.warn === undefined ? {} : { warn: options.warn }),
  });
  return {
    project,
    resolvers,
    builder: (config, own = context) => createConfigBuilder(config, own, locator, project),
    dispose: () => loader.dispose(),
  };
}

function createConfigBuilder(
  config: ContainerNode,
  context: ResolveContext,
  locator: TargetLocator,
  project: Project,
): ConfigBuilder {
  const access = configAccess(context);
  const section = (path: string): ConfigNode => {
    const node = path === '' ? config : select(config, path, context);
    if (node !== undefined) return node;
    throw new EngineError('instantiate.no-section', `The config has no section '${path}'.`, { path });
  };
  const options = (call: SectionCall): InstantiateOptions => ({
    locator,
    access,
    args: call.args ?? [],
    kwargs: { _convert_: 'all', ...call.kwargs },
  });
  return {
    instantiate: (path, call = {}) => instantiate(section(path), options(call)),
    target: async (path) => {
      const node = section(path);
      const name = node.kind === 'dict' ? node.get('_target_') : undefined;
      const resolved = name === undefined ? undefined : access.resolve(name);
      if (resolved?.kind !== 'scalar' || typeof resolved.value !== 'string') return undefined;
      const place = { fullKey: path, origin: resolved.origin };
      return (await findTarget(resolved.value, locator, undefined, place)).value;
    },
    has: (path) => select(config, path, context) !== undefined,
    portable: (path) => {
      const node = access.resolve(section(path));
      return { project, section: toPlain(node.kind === 'scalar' ? node : resolve(node, context)) };
    },
    resolved: () => resolve(config, context),
  };
}
