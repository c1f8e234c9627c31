import { type Composition, compose } from '../config/compose/compose.ts';
import { ConfigError } from '../config/errors.ts';
import { type ConfigTextOptions, configText, type InfoTopic, infoText } from '../config/info/info.ts';
import { toYaml } from '../config/yaml/emit/toYaml.ts';
import { type CompositionRequest, type ConfigPlace, engineRequest, explained } from './composition.ts';

export type { ConfigTextOptions, InfoTopic };

/** What Hydra's `--cfg` prints. Throws `config.…` errors. */
export async function printedConfig(
  place: ConfigPlace,
  request: CompositionRequest,
  options: ConfigTextOptions,
): Promise<string> {
  const composition = await composeForCommand(place, request, options.resolve === true);
  return explained(() => configText(composition, options));
}

/** What Hydra's `--info` prints. Throws `config.…` errors. */
export function printedInfo(place: ConfigPlace, request: CompositionRequest, topic: InfoTopic): string {
  return explained(() => infoText(engineRequest(place, request), topic));
}

/** Who set the value at a path and what that beat, as lines for a person or as JSON. Throws for a path that is not there. */
export async function printedReason(
  place: ConfigPlace,
  request: CompositionRequest,
  path: string,
  asJson: boolean,
): Promise<string> {
  const { describeExplanation, explain } = await import('../config/explain/explain.ts');
  return explained(() => {
    const explanation = explain(compose(engineRequest(place, request)), path);
    if (!asJson) return describeExplanation(explanation);
    const trail = explanation.trail.map(({ node: _node, ...step }) => step);
    return `${JSON.stringify({ ...explanation, trail }, null, 2)}\n`;
  });
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
  const { createResolverRegistry } = await import('../config/resolve/defaults.ts');
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
