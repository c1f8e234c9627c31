import { ConfigError } from '../errors.ts';
import { compareText } from '../grammar/sorting.ts';
import { openRepository, prepareComposition } from './prepare.ts';
import type { ConfigRepository } from './repository.ts';
import type { ComposeRequest } from './request.ts';

export interface ConfigGroup {
  /** `model/backbone` */
  readonly name: string;
  readonly options: readonly string[];
  /** Where the group is used: by override key (`data@dict`) the option in force, null for no choice. */
  readonly active: readonly { readonly key: string; readonly option: string | null }[];
}

export interface GroupOption {
  readonly name: string;
  /** Override keys under which this option is in force. */
  readonly activeFor: readonly string[];
}

/**
 * All config groups that have options, depth first, with what is chosen. Hydra's own are left out unless asked for.
 * Choices are empty when the request cannot be composed: a list of groups must not depend on that.
 */
export function listGroups(request: ComposeRequest, withHydra = false): readonly ConfigGroup[] {
  const { repository, known } = knownChoices(request);
  return repository
    .allGroups()
    .filter((name) => withHydra || (name !== 'hydra' && !name.startsWith('hydra/')))
    .map((name) => ({ name, options: repository.groupOptions(name), active: activeOf(name, known) }))
    .filter((group) => group.options.length > 0)
    .toSorted((a, b) => compareText(a.name, b.name));
}

/** The options of one group, sorted, each with where it is in force. Empty for a group that is not there. */
export function groupOptions(request: ComposeRequest, group: string): readonly GroupOption[] {
  const { repository, known } = knownChoices(request);
  if (!repository.groupExists(group)) return [];
  const active = activeOf(group, known);
  return repository.groupOptions(group).map((name) => ({
    name,
    activeFor: active.filter(({ option }) => option === name).map(({ key }) => key),
  }));
}

/** Names of the configs at the root of the search path: what can be composed on its own. */
export function configNames(request: ComposeRequest): readonly string[] {
  return openRepository({ ...request, configName: undefined, overrides: [] }).repository.groupOptions('');
}

function knownChoices(request: ComposeRequest): {
  readonly repository: ConfigRepository;
  readonly known: ReadonlyMap<string, string | null>;
} {
  try {
    const { repository, choices } = prepareComposition({ ...request, mode: 'multirun' });
    return { repository, known: choices.known };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const { repository } = openRepository({ ...request, configName: undefined, overrides: [] });
    return { repository, known: new Map() };
  }
}

function activeOf(group: string, known: ReadonlyMap<string, string | null>): ConfigGroup['active'] {
  return [...known]
    .filter(([key]) => key === group || key.startsWith(`${group}@`))
    .map(([key, option]) => ({ key, option }));
}
