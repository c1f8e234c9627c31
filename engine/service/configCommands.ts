import { EngineError } from '../api/errors.ts';
import {
  type Composition,
  ConfigError,
  compose,
  createResolverRegistry,
  type DictNode,
  describeExplanation,
  explain,
  resolveInPlace,
  select,
  toYaml,
} from '../config/index.ts';
import { defaultsAndSearchPathInfo, defaultsInfo, defaultsTreeInfo, searchPathInfo } from '../config/info/info.ts';
import { type CompositionRequest, type ConfigPlace, engineRequest, explained } from './composition.ts';

export type ConfigPart = 'job' | 'hydra' | 'all';
export type InfoPart = 'all' | 'config' | 'defaults' | 'defaults-tree' | 'searchpath';

export interface ConfigTextOptions {
  readonly part: ConfigPart;
  readonly resolve: boolean;
  /** Dotted path of the only part to print. */
  readonly package: string | undefined;
}

/** What Hydra's `--cfg` prints. Throws `config.…` errors, `config.package-not-found` for a path that is not there. */
export async function configText(
  place: ConfigPlace,
  request: CompositionRequest,
  options: ConfigTextOptions,
): Promise<string> {
  const composition = await composeForCommand(place, request, options.resolve);
  return explained(() => printPart(composition, options));
}

/** What Hydra's `--info` prints. */
export function infoText(place: ConfigPlace, request: CompositionRequest, part: InfoPart): string {
  return explained(() => {
    const asked = engineRequest(place, request);
    const composition = compose(asked);
    const { prepared } = composition;
    if (part === 'searchpath') return searchPathInfo(prepared);
    if (part === 'defaults-tree') return defaultsTreeInfo(prepared);
    if (part === 'defaults') return defaultsInfo(prepared);
    const config = toYaml(composition.withHydra);
    return part === 'config' ? config : `${defaultsAndSearchPathInfo(asked)}\n${config}`;
  });
}

/** Who set the value at a path and what that beat, as lines for a person or as JSON. Throws for a path that is not there. */
export function whyText(place: ConfigPlace, request: CompositionRequest, path: string, asJson: boolean): string {
  return explained(() => {
    const explanation = explain(compose(engineRequest(place, request)), path);
    if (!asJson) return describeExplanation(explanation);
    const trail = explanation.trail.map(({ node: _node, ...step }) => step);
    return `${JSON.stringify({ ...explanation, trail }, null, 2)}\n`;
  });
}

function printPart(composition: Composition, options: ConfigTextOptions): string {
  const { context } = composition;
  const root = partOf(composition, options.part);
  if (options.package === undefined || options.package === '_global_') {
    if (options.resolve) resolveInPlace(root, context);
    // Hydra's own node is needed for resolving and left out after.
    for (const key of [...root.keys()]) if (!isPrinted(options.part, key === 'hydra')) root.delete(key);
    return toYaml(root);
  }
  const node = select(root, options.package, context);
  if (node === undefined) {
    throw new EngineError('config.package-not-found', `The config has nothing at '${options.package}'.`, {
      path: options.package,
    });
  }
  if (node.kind === 'scalar') return `${String(node.value)}\n`;
  return `# @package ${options.package}\n${toYaml(node, options.resolve ? { resolve: context } : {})}`;
}

function isPrinted(part: ConfigPart, isHydra: boolean): boolean {
  return part === 'all' || isHydra === (part === 'hydra');
}

/** A copy that may be changed, with all that its interpolations may lead to. */
function partOf(composition: Composition, part: ConfigPart): DictNode {
  const root = part === 'job' ? composition.config.clone() : composition.withHydra.clone();
  root.setFlag('struct', false);
  return root;
}

/** Composes; with the project's own resolvers where resolving needs one that is not ours, which runs the project's code. */
async function composeForCommand(
  place: ConfigPlace,
  request: CompositionRequest,
  needsResolvers: boolean,
): Promise<Composition> {
  const composition = explained(() => compose(engineRequest(place, request)));
  if (!needsResolvers || !lacksResolver(composition)) return composition;
  const { loadProject, loadResolvers, registerProjectLoader } = await import('../instantiate/index.ts');
  const project = loadProject(place.root);
  if (project.resolversModule === undefined) return composition;
  const loader = registerProjectLoader({ sourceRoots: project.sourceRoots, files: [project.resolversModule] });
  const resolvers = createResolverRegistry();
  await loadResolvers(project.resolversModule, resolvers);
  await loader.dispose();
  return explained(() => compose({ ...engineRequest(place, request), resolvers }));
}

function lacksResolver({ config, context }: Composition): boolean {
  try {
    toYaml(config, { resolve: context });
    return false;
  } catch (error) {
    return error instanceof ConfigError && error.exception === 'UnsupportedInterpolationType';
  }
}
