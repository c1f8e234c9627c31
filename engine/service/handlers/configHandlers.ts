import { readFileSync, statSync } from 'node:fs';
import { isAbsolute, relative, resolve, sep } from 'node:path';
import type { ComposedConfig, GroupChoice, OverrideInfo } from '../../api/configModel.ts';
import type { EngineHandlers } from '../../api/contract.ts';
import { EngineError } from '../../api/errors.ts';
import { listGroups, minimalOverrides, type Override } from '../../config/index.ts';
import type { Project } from '../../instantiate/project/loadProject.ts';
import { commandText } from '../commandText.ts';
import { type Composition, type CompositionRequest, composeProject, engineRequest, explained } from '../composition.ts';
import { configSchema, printedSchema } from '../configProblems.ts';
import { buildTree } from '../configTree.ts';
import type { EngineState } from '../engineState.ts';
import { planFileEdit, writeFileEdit } from '../fileEdit.ts';
import { editOverrides } from '../overrideEdit.ts';

type Names = Extract<keyof EngineHandlers, `config.${string}`>;

/** So that a click is answered in about a second: the search tells when it was not ended. */
const MOST_COMPOSITIONS = 1000;

const LARGEST_SOURCE = 4 * 1024 * 1024;

export function configHandlers(state: EngineState): Pick<EngineHandlers, Names> {
  return {
    'config.compose': (request) => composeForPage(state.current.project, request),
    'config.schema': (request) => configSchema(state.current.project, composeProject(state.current.project, request)),
    'config.jsonSchema': (request) => ({ text: printedSchema(state.current.project, request) }),
    'config.source': ({ file }) => ({ file, text: readSource(state.current.project, file) }),
    'config.overrideFor': ({ configName, overrides, path, value }) => {
      const { project } = state.current;
      const compose = (list: readonly string[]) => composeProject(project, { configName, overrides: list }).config;
      return { overrides: explained(() => editOverrides({ overrides, path, value }, compose)) };
    },
    'config.shortest': (request) => {
      const { parts } = composeProject(state.current.project, request);
      const found = explained(() => minimalOverrides(parts, parts.config, { maximumCompositions: MOST_COMPOSITIONS }));
      // What no list can say again (it never happened) leaves the one that is there.
      return {
        overrides: found.exact ? [...found.overrides] : request.overrides,
        exhaustive: found.exhaustive && found.exact,
      };
    },
    'config.previewWrite': (request) => planFileEdit(state.current.project, request).edit,
    'config.write': (request) => writeFileEdit(planFileEdit(state.current.project, request)),
  };
}

function composeForPage(project: Project, request: CompositionRequest): ComposedConfig {
  const started = performance.now();
  const composition = composeProject(project, request);
  const baseline = request.overrides.length === 0 ? composition : tryBaseline(project, request);
  const tree = buildTree(composition.config, {
    baseline: baseline?.config,
    resolve: (node) => composition.follow(node),
  });
  return {
    configName: request.configName,
    tree,
    yaml: composition.configYaml,
    resolvedYaml: composition.resolvedYaml,
    resolveError: composition.resolveError?.message,
    groups: groupChoices(project, request, composition, baseline),
    overrides: describeOverrides(composition),
    files: composition.parts.files.map((file) => file.display),
    missing: composition.missing,
    command: commandText(
      { ...request, overrides: [...request.overrides], searchPath: undefined },
      project.defaultConfig,
    ),
    warnings: [...composition.warnings],
    elapsedMs: performance.now() - started,
  };
}

/** Without the overrides it may lack a mandatory choice: then there is nothing to compare with. */
function tryBaseline(project: Project, request: CompositionRequest): Composition | undefined {
  try {
    return composeProject(project, { ...request, overrides: [] });
  } catch (error) {
    if (error instanceof EngineError) return undefined;
    throw error;
  }
}

function groupChoices(
  project: Project,
  request: CompositionRequest,
  composition: Composition,
  baseline: Composition | undefined,
): GroupChoice[] {
  const before = baseline?.parts.choices;
  return listGroups(engineRequest(project, request)).flatMap((group): GroupChoice[] => {
    const common = { group: group.name, options: [...group.options] };
    const keys = group.active.map(({ key }) => key);
    if (keys.length === 0) return [{ ...common, key: group.name, before: before?.get(group.name) }];
    return keys.map((key) => {
      const [, packageName] = key.split('@');
      return {
        ...common,
        key,
        ...(packageName === undefined ? {} : { package: packageName }),
        choice: composition.parts.choices.get(key),
        before: before?.get(key),
      };
    });
  });
}

const kinds = {
  CHANGE: 'change',
  ADD: 'add',
  FORCE_ADD: 'force-add',
  DEL: 'delete',
  EXTEND_LIST: 'extend-list',
} as const;

function describeOverrides({ parts }: Composition): OverrideInfo[] {
  const values = new Set<Override>(parts.prepared.choices.valueOverrides);
  return parts.overrides.map((override) => ({
    text: override.text,
    kind: kinds[override.type],
    key: override.package === undefined ? override.keyOrGroup : `${override.keyOrGroup}@${override.package}`,
    isGroup: !values.has(override),
  }));
}

/** The text of a file inside the project. */
function readSource(project: Project, file: string): string {
  const path = resolve(project.root, file);
  const inside = relative(project.root, path);
  if (inside.startsWith(`..${sep}`) || isAbsolute(inside) || !/\.ya?ml$/.test(path)) {
    throw new EngineError('config.source.outside', `${file} is no config file of this project.`, { file });
  }
  const size = statSync(path, { throwIfNoEntry: false })?.size;
  if (size === undefined)
    throw new EngineError('config.source.not-found', `There is no file ${file} any more.`, { file });
  if (size > LARGEST_SOURCE) {
    throw new EngineError('config.source.too-large', `${file} is too large to be shown (${size} bytes).`, { file });
  }
  return readFileSync(path, 'utf8');
}
