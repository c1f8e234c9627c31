import type { Composition } from '../compose/compose.ts';
import type { ConfigGroup } from '../compose/groups.ts';
import { isHydraOverride } from '../grammar/types.ts';

/** Options chosen, by override key, as the override that chooses them: `model` → `model=vit`, `+experiment=big`, `~logger`. */
export type Selection = ReadonlyMap<string, string>;

/** A group that the primary config has nothing of yet is added, and keeps its plus whatever is chosen after. */
const ADDED = '+';

export function selectionKey(selection: Selection): string {
  return [...selection.values()].toSorted().join('\n');
}

/** The choices that the composition's own overrides made. */
export function selectionOf({ overrides, choices, prepared }: Composition): Selection {
  const values = new Set(prepared.choices.valueOverrides);
  const selection = new Map<string, string>();
  for (const override of overrides) {
    if (values.has(override) || isHydraOverride(override)) continue;
    const key = override.package === undefined ? override.keyOrGroup : `${override.keyOrGroup}@${override.package}`;
    if (override.type === 'DEL' || choices.has(key) || override.value?.type === 'list')
      selection.set(key, override.text);
  }
  return selection;
}

/** The selections one choice away from a selection and what it composes to: another option, none, or one given up. */
export function* neighbours(
  selection: Selection,
  composition: Composition,
  groups: readonly ConfigGroup[],
): Generator<Selection> {
  for (const [key, override] of swaps(selection, composition, groups)) {
    const next = new Map(selection);
    if (override === undefined) next.delete(key);
    else next.set(key, override);
    yield next;
  }
}

function* swaps(
  selection: Selection,
  composition: Composition,
  groups: readonly ConfigGroup[],
): Generator<readonly [key: string, override: string | undefined]> {
  for (const key of selection.keys()) yield [key, undefined];
  const optionsOf = new Map(groups.map(({ name, options }) => [name, options]));
  const used = new Set<string>();
  for (const [key, current] of composition.choices) {
    if (key.startsWith('hydra/')) continue;
    const [group = ''] = key.split('@', 1);
    used.add(group);
    const prefix = selection.get(key)?.startsWith(ADDED) === true ? ADDED : '';
    for (const option of optionsOf.get(group) ?? []) {
      if (option !== current) yield [key, `${prefix}${key}=${option}`];
    }
    if (current !== null && prefix === '') yield [key, `~${key}`];
  }
  const lists = optionLists(composition);
  for (const { name, options } of groups) {
    if (used.has(name)) continue;
    const listed = lists.get(name);
    for (const option of options) {
      if (listed === undefined) yield [name, `${ADDED}${name}=${option}`];
      else yield [name, `${name}=[${toggled(listed, option).join(',')}]`];
    }
  }
}

/** Groups of which several options may be in force at once (`- callbacks: [a, b]`), with those that are. */
function optionLists({ defaults }: Composition): ReadonlyMap<string, readonly string[]> {
  const lists = new Map<string, string[]>();
  for (const { configPath } of defaults) {
    const slash = configPath.lastIndexOf('/');
    if (slash === -1) continue;
    const group = configPath.slice(0, slash);
    lists.set(group, [...(lists.get(group) ?? []), configPath.slice(slash + 1)]);
  }
  return lists;
}

function toggled(listed: readonly string[], option: string): readonly string[] {
  return listed.includes(option) ? listed.filter((other) => other !== option) : [...listed, option];
}
