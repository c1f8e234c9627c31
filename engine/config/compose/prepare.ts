import { parseOverride, parseOverrides } from '../grammar/parser.ts';
import { isHydraOverride, isSweepOverride, type Override } from '../grammar/types.ts';
import { Choices, overrideOrigin } from './choices.ts';
import { compositionError } from './compositionError.ts';
import { flattenDefaults, type ResultDefault } from './defaultsList.ts';
import { buildDefaultsTree, type DefaultsTreeNode } from './defaultsTree.ts';
import { ConfigCache, ConfigRepository } from './repository.ts';
import type { ComposeRequest } from './request.ts';
import { applySearchPath, requestSources, requireMainSource } from './searchPath.ts';

/** The first half of a composition: which files take part, in which order and where. */
export interface PreparedComposition {
  readonly repository: ConfigRepository;
  readonly overrides: readonly Override[];
  readonly choices: Choices;
  readonly tree: DefaultsTreeNode;
  readonly defaults: readonly ResultDefault[];
  readonly warnings: readonly string[];
}

const processCache = new ConfigCache();

/** The repository of a request, with `hydra.searchpath` applied. */
export function openRepository(request: ComposeRequest): {
  readonly repository: ConfigRepository;
  readonly overrides: readonly Override[];
  readonly warnings: readonly string[];
} {
  const sources = requestSources(request);
  requireMainSource(sources);
  const repository = new ConfigRepository(sources, request.cache ?? processCache);
  const overrides = readOverrides(request.overrides ?? []);
  const warnings = applySearchPath(repository, request, overrides);
  return { repository, overrides, warnings };
}

/** Works out the final defaults list. Throws Hydra's errors; `describe()` on them tells the entry and the way to it. */
export function prepareComposition(request: ComposeRequest): PreparedComposition {
  const { repository, overrides, warnings } = openRepository(request);
  const mode = request.mode ?? 'run';
  checkSweeps(overrides, mode);
  const rules = { legacyKeywords: isLegacyVersion(request.versionBase) };
  const lookup = {
    groupExists: (path: string) => repository.groupExists(path),
    configExists: (path: string) => repository.configExists(path),
    groupNames: () => repository.allGroups(),
  };
  const choices = new Choices(overrides, lookup, rules);
  const context = { repository, choices, rules, skipMissing: mode === 'multirun' };
  const tree = buildDefaultsTree(request.configName ?? undefined, context);
  const defaults = flattenDefaults(tree);
  choices.checkOverridesUsed();
  choices.checkDeletionsUsed();
  return { repository, overrides, choices, tree, defaults, warnings };
}

/** Texts are read together, so that an error names its place in the whole list. */
function readOverrides(overrides: readonly (string | Override)[]): readonly Override[] {
  if (overrides.every((override) => typeof override === 'string')) return parseOverrides(overrides);
  return overrides.map((override, index) =>
    typeof override === 'string' ? parseOverride(override, index) : Object.freeze({ ...override, index }),
  );
}

function isLegacyVersion(versionBase: string | undefined): boolean {
  if (versionBase === undefined) return false;
  const [major = 0, minor = 0] = versionBase.split('.').map(Number);
  return major < 1 || (major === 1 && minor < 4);
}

function checkSweeps(overrides: readonly Override[], mode: 'run' | 'multirun'): void {
  for (const override of overrides) {
    if (!isSweepOverride(override)) continue;
    const options = { origin: overrideOrigin(override) };
    if (mode === 'multirun') {
      if (!isHydraOverride(override)) continue;
      throw compositionError(`Sweeping over Hydra's configuration is not supported : '${override.text}'`, options);
    }
    if (override.valueType !== 'SIMPLE_CHOICE_SWEEP') {
      throw compositionError(`Sweep parameters '${override.text}' requires --multirun`, options);
    }
    throw compositionError(
      `Ambiguous value for argument '${override.text}'\n` +
        '1. To use it as a list, use key=[value1,value2]\n' +
        "2. To use it as string, quote the value: key='value1,value2'\n" +
        '3. To sweep over it, add --multirun to your command line',
      options,
    );
  }
}
