import { didYouMean } from '../../base/nearest.ts';
import { pythonTypeName } from '../grammar/casts.ts';
import { isSweepOverride, keyWithPackage, type Override, type OverrideValue } from '../grammar/types.ts';
import type { Origin } from '../node/origin.ts';
import { pythonChoiceText } from './choiceText.ts';
import { CompositionError, compositionError, type InclusionStep } from './compositionError.ts';
import { type DefaultItem, GroupDefault, type PackageRules } from './defaultElement.ts';

type Choice = string | null | readonly string[];

/** What the choices ask of the files: whether a group or config of that path is there, and which groups there are. */
interface ChoiceLookup {
  groupExists(path: string): boolean;
  configExists(path: string): boolean;
  groupNames(): readonly string[];
}

interface Requested {
  readonly choice: Choice;
  /** The config whose defaults list asked; `undefined` for the command line. */
  readonly askedIn: string | undefined;
  readonly relativeKey: string;
  readonly origin: Origin | undefined;
  readonly overrideIndex: number | undefined;
  readonly chain: () => readonly InclusionStep[];
  used: boolean;
}

interface Deletion {
  readonly name: string | null;
  readonly origin: Origin;
  used: boolean;
}

/**
 * Who chooses what: overrides of the command line, overrides in defaults lists and deletions, and the choices that are
 * known so far. The command line always wins; of several defaults lists the last in depth-first order does.
 */
export class Choices {
  readonly appended: readonly GroupDefault[];
  /** Overrides of values, in order: what is left when groups are taken out. */
  readonly valueOverrides: readonly Override[];
  /** Choices by override key, in the order in which they became known. */
  readonly known = new Map<string, string | null>();
  readonly #knownOfGroup = new Map<string, Set<string>>();
  readonly #requested = new Map<string, Requested>();
  readonly #deletions = new Map<string, Deletion>();
  readonly #lookup: ChoiceLookup;

  /** Throws Hydra's errors for overrides that no group can take. Sweeps are passed over. */
  constructor(overrides: readonly Override[], lookup: ChoiceLookup, rules: PackageRules) {
    const appended: GroupDefault[] = [];
    const valueOverrides: Override[] = [];
    this.#lookup = lookup;
    for (const override of overrides) {
      if (isSweepOverride(override)) continue;
      const { keyOrGroup } = override;
      const isGroup = lookup.groupExists(keyOrGroup);
      if (override.type === 'DEL' && (isGroup || lookup.configExists(keyOrGroup))) {
        this.#deletions.set(keyWithPackage(override), deletion(override, isGroup));
      } else if (override.value?.type === 'dict' || !isGroup) {
        valueOverrides.push(override);
      } else if (override.type === 'FORCE_ADD') {
        throw compositionError(`force-add of config groups is not supported: '${override.text}'`, {
          origin: overrideOrigin(override),
          hint: `Use '+${override.text.slice(2)}' to add the group, or the key alone to change its option.`,
        });
      } else {
        const choice = choiceOf(override);
        if (override.type === 'ADD') appended.push(appendedDefault(override, choice, rules));
        else this.#request(keyWithPackage(override), choice, override);
      }
    }
    this.appended = appended;
    this.valueOverrides = valueOverrides;
  }

  #request(key: string, choice: Choice, override: Override): void {
    this.#requested.set(key, {
      choice,
      askedIn: undefined,
      relativeKey: key,
      origin: overrideOrigin(override),
      overrideIndex: override.index,
      chain: () => [],
      used: false,
    });
  }

  /** Keys that are overridden so far; an interpolated entry sees only those that precede it. */
  requestedKeys(): ReadonlySet<string> {
    return new Set(this.#requested.keys());
  }

  /** True when somebody chooses, deletes or adds one of Hydra's own groups. */
  get touchesHydra(): boolean {
    const isHydra = (key: string) => key.startsWith('hydra/');
    return (
      [...this.#requested.keys(), ...this.#deletions.keys(), ...this.known.keys()].some(isHydra) ||
      this.appended.some((item) => isHydra(item.group))
    );
  }

  /** Notes an `override` entry; the tree is walked backwards, so the first to come is the last in the list and stays. */
  addOverride(configPath: string, item: GroupDefault, chain: () => readonly InclusionStep[]): void {
    const key = item.overrideKey();
    if (this.#requested.has(key)) return;
    this.#requested.set(key, {
      choice: item.value,
      askedIn: configPath,
      relativeKey: item.relativeOverrideKey(),
      origin: item.origin,
      overrideIndex: undefined,
      chain,
      used: false,
    });
  }

  /** Gives the entry the option that was asked for, if any was and it is eligible. */
  applyTo(item: DefaultItem, eligible: ReadonlySet<string> | undefined): void {
    if (item.kind !== 'group') return;
    const key = item.overrideKey();
    const requested = this.#requested.get(key);
    if (requested === undefined || (eligible !== undefined && !eligible.has(key))) return;
    item.value = requested.choice;
    item.chosenBy = requested.overrideIndex;
    requested.used = true;
  }

  /** Removes the entry when a deletion asks for it. */
  deleteIfAsked(item: DefaultItem): boolean {
    const key = item.kind === 'group' ? item.overrideKey() : item.configPath();
    const deletion = this.#deletions.get(key);
    if (deletion === undefined) return false;
    const matches = deletion.name === null || (item.kind === 'group' && deletion.name === item.name());
    if (!matches) return false;
    item.deleted = true;
    deletion.used = true;
    return true;
  }

  /** Records a choice; a second, different one for the same key is an error. */
  setKnown(item: DefaultItem, chain: () => readonly InclusionStep[]): void {
    if (item.kind !== 'group') return;
    const key = item.overrideKey();
    const name = item.name();
    const previous = this.known.get(key);
    if (previous === undefined && !this.known.has(key)) {
      this.known.set(key, name);
    } else if (previous !== undefined && name !== previous) {
      const wanted = previous === null ? 'None' : previous;
      throw compositionError(`Multiple values for ${key}. To override a value use 'override ${key}: ${wanted}'`, {
        origin: item.origin,
        chain: chain(),
        hint: item.isExternalAppend
          ? `The defaults list already chooses '${pythonChoiceText(item.value)}' or another option: write '${key}=${name}' without '+'.`
          : '',
        details: { key, previous, value: name },
      });
    }
    const group = item.groupPath();
    const keys = this.#knownOfGroup.get(group);
    if (keys === undefined) this.#knownOfGroup.set(group, new Set([key]));
    else keys.add(key);
  }

  /** Throws for the first override that found no entry. */
  checkOverridesUsed(): void {
    for (const [key, requested] of this.#requested) {
      if (requested.used) continue;
      const { origin, chain, askedIn } = requested;
      if (askedIn !== undefined) {
        const message =
          `In '${askedIn}': Invalid Defaults List override '${requested.relativeKey}: ${pythonChoiceText(requested.choice)}'.` +
          `\nNo earlier Group Default for '${key}' exists to override.`;
        throw compositionError(message, { origin, chain: chain(), hint: this.#keyHint(key), details: { key } });
      }
      const [group = ''] = key.split('@', 1);
      const candidates = [...(this.#knownOfGroup.get(group) ?? [])].toSorted();
      const suffix = `\nTo append to your default list use +${key}=${pythonChoiceText(requested.choice)}`;
      const reason =
        candidates.length === 0
          ? `Could not override '${key}'. No match in the defaults list.`
          : `Could not override '${key}'.\nDid you mean to override ${candidates.length > 1 ? 'one of ' : ''}${candidates.join(', ')}?`;
      throw compositionError(reason + suffix, {
        origin,
        hint: candidates.length === 0 ? this.#keyHint(key) : '',
        details: { key, candidates },
      });
    }
  }

  #keyHint(key: string): string {
    return didYouMean(key, this.known.keys());
  }

  /** Throws for the first deletion that found no entry. */
  checkDeletionsUsed(): void {
    for (const [key, { name, used, origin }] of this.#deletions) {
      if (used) continue;
      const what = name === null ? key : `${key}=${name}`;
      throw compositionError(`Could not delete '${what}'. No match in the defaults list`, {
        origin,
        hint: name === null ? this.#keyHint(key) : this.#deletionHint(key, name),
        details: { key },
      });
    }
  }

  #deletionHint(key: string, name: string): string {
    const current = this.known.get(key);
    return current === undefined || current === null ? this.#keyHint(key) : `'${key}' is '${current}', not '${name}'.`;
  }

  /** " Did you mean 'x'?" among the groups that exist. */
  groupHint(group: string): string {
    return didYouMean(group, this.#lookup.groupNames());
  }
}

/** Where the override's key stands. */
export function overrideOrigin(override: Override): Origin {
  const { index, text, keySpan, valueSpan } = override;
  return { kind: 'override', index, text, start: keySpan.start, end: valueSpan?.end ?? keySpan.end };
}

function deletion(override: Override, isGroup: boolean): Deletion {
  const { value } = override;
  const given = value === undefined || value.type === 'null' ? undefined : value;
  const origin = overrideOrigin(override);
  if (isGroup && given !== undefined && given.type !== 'str') {
    const message = `Config group override deletion value must be a string : ${override.text}`;
    throw new CompositionError('ValueError', message, { origin });
  }
  if (!isGroup && given !== undefined) {
    const message = `Config path deletion does not support a value : ${override.text}`;
    throw new CompositionError('ValueError', message, { origin });
  }
  return { name: given?.type === 'str' ? given.value : null, origin, used: false };
}

function choiceOf(override: Override): string | readonly string[] {
  const { value } = override;
  if (value?.type === 'str') return value.value;
  if (value?.type === 'list') return value.items.map((item) => optionOf(item, override));
  const type = value === undefined ? 'NoneType' : pythonTypeName(value);
  throw new CompositionError('ValueError', `Config group override must be a string or a list. Got ${type}`, {
    origin: overrideOrigin(override),
    hint: `'${override.keyOrGroup}' is a config group: give the name of an option, or '~${override.keyOrGroup}' to leave it out.`,
  });
}

function optionOf(item: OverrideValue, override: Override): string {
  if (item.type === 'str') return item.value;
  throw new CompositionError('TypeError', `argument of type '${pythonTypeName(item)}' is not iterable`, {
    origin: overrideOrigin(override),
    hint: 'The options of a group are names.',
  });
}

function appendedDefault(override: Override, choice: string | readonly string[], rules: PackageRules): GroupDefault {
  const item = new GroupDefault(
    {
      group: override.keyOrGroup,
      package: override.package,
      value: choice,
      optional: false,
      override: false,
      originalGroup: undefined,
      origin: overrideOrigin(override),
    },
    rules,
    true,
  );
  item.chosenBy = override.index;
  return item;
}
