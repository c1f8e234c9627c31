import type { Origin } from '../node/origin.ts';
import type { ConfigEntry, DefaultsEntry, GroupEntry } from './defaultsEntries.ts';

/** Hydra ≤ 1.3 knew `_group_` and `_name_` in packages; `version_base: "1.3"` brings them back. */
export interface PackageRules {
  readonly legacyKeywords: boolean;
}

/** One item of a defaults list while the list is worked out. Mutable: parents, headers and choices come in later. */
abstract class InputDefault {
  package: string | undefined;
  parentBaseDirectory = '';
  parentPackage = '';
  packageHeader: string | undefined = undefined;
  primary = false;
  deleted = false;
  readonly origin: Origin | undefined;
  readonly rules: PackageRules;
  // Asked for several times for every entry; forgotten when what they are made of changes.
  #finalPackage: string | undefined = undefined;
  #overrideKey: string | undefined = undefined;

  constructor(packageName: string | undefined, origin: Origin | undefined, rules: PackageRules) {
    this.package = packageName;
    this.origin = origin;
    this.rules = rules;
  }

  abstract groupPath(): string;
  abstract configPath(): string;
  abstract name(): string | null;
  protected abstract relativeGroupPath(): string;
  protected abstract effectiveParentPackage(): string;

  updateParent(baseDirectory: string, packageName: string): void {
    this.parentBaseDirectory = baseDirectory;
    this.parentPackage = packageName;
    this.#finalPackage = undefined;
    this.#overrideKey = undefined;
    if (this.rules.legacyKeywords && this.package?.includes('_group_')) {
      this.package = `_global_.${this.package.replaceAll('_group_', this.defaultPackage())}`;
    }
  }

  /** A header is always absolute. */
  setPackageHeader(header: string | undefined): void {
    if (header === undefined) return;
    this.#finalPackage = undefined;
    if (this.rules.legacyKeywords && header === '_group_') return;
    let absolute = header;
    if (header !== '_global_' && !header.startsWith('_global_.')) {
      absolute = header === '' ? '_global_' : `_global_.${header}`;
    }
    this.packageHeader = this.rules.legacyKeywords ? absolute.replaceAll('_group_', this.defaultPackage()) : absolute;
  }

  defaultPackage(): string {
    return this.groupPath().replaceAll('/', '.');
  }

  ownPackage(withHeader = true): string | undefined {
    return this.package ?? (withHeader ? this.packageHeader : undefined);
  }

  /** Where the config's content goes: its own package (or header) below its parent's, `_global_` cutting the path. */
  finalPackage(): string {
    // With legacy keywords the option's name is part of it, and that may still change.
    if (this.rules.legacyKeywords) return this.#packageOf(true);
    this.#finalPackage ??= this.#packageOf(true);
    return this.#finalPackage;
  }

  #packageOf(withHeader: boolean): string {
    let own = this.ownPackage(withHeader) ?? this.relativeGroupPath().replaceAll('/', '.');
    const name = this.rules.legacyKeywords ? this.choiceName() : null;
    if (name !== null) own = own.replaceAll('_name_', name);
    const parent = this.effectiveParentPackage();
    const full = parent === '' ? own : own === '' ? parent : `${parent}.${own}`;
    const global = full.lastIndexOf('_global_');
    return global === -1 ? full : full.slice(global + '_global_'.length + 1);
  }

  protected choiceName(): string | null {
    return this.name();
  }

  /** `group`, with `@package` when that is not the group's own. */
  overrideKey(): string {
    if (this.rules.legacyKeywords) return this.#keyOf();
    this.#overrideKey ??= this.#keyOf();
    return this.#overrideKey;
  }

  #keyOf(): string {
    const group = this.groupPath();
    const finalPackage = this.#packageOf(false);
    if (this.defaultPackage() === finalPackage) return group;
    return `${group}@${finalPackage === '' ? '_global_' : finalPackage}`;
  }
}

/** `- path/to/config@package`, `_self_` included. */
export class ConfigDefault extends InputDefault {
  readonly kind = 'config';
  readonly isOverride = false;
  readonly isExternalAppend = false;
  path: string;
  readonly optional: boolean;

  constructor(entry: Pick<ConfigEntry, 'path' | 'package' | 'origin'>, rules: PackageRules, optional = false) {
    super(entry.package, entry.origin, rules);
    this.path = entry.path;
    this.optional = optional;
  }

  clone(): ConfigDefault {
    const copy = new ConfigDefault(this, this.rules, this.optional);
    copy.parentBaseDirectory = this.parentBaseDirectory;
    copy.parentPackage = this.parentPackage;
    return copy;
  }

  get isSelf(): boolean {
    return this.path === '_self_';
  }

  get isMissing(): boolean {
    return this.name() === '???';
  }

  get isInterpolation(): boolean {
    return this.configPath().includes('${');
  }

  name(): string {
    return this.path.slice(this.path.lastIndexOf('/') + 1);
  }

  groupPath(): string {
    const group = this.relativeGroupPath();
    if (this.path.startsWith('/') || this.parentBaseDirectory === '') return group;
    return group === '' ? this.parentBaseDirectory : `${this.parentBaseDirectory}/${group}`;
  }

  configPath(): string {
    if (this.path.startsWith('/')) return this.path.slice(1);
    return this.parentBaseDirectory === '' ? this.path : `${this.parentBaseDirectory}/${this.path}`;
  }

  protected relativeGroupPath(): string {
    const path = this.path.startsWith('/') ? this.path.slice(1) : this.path;
    const slash = path.lastIndexOf('/');
    return slash === -1 ? '' : path.slice(0, slash);
  }

  protected effectiveParentPackage(): string {
    return this.parentPackage;
  }
}

/** `- [optional|override] group@package: option`. */
export class GroupDefault extends InputDefault {
  readonly kind = 'group';
  readonly isOverride: boolean;
  /** Added with `+group=option` on the command line. */
  readonly isExternalAppend: boolean;
  group: string;
  value: string | null | readonly string[];
  readonly optional: boolean;
  /** The group as written, when `group: sub/option` was read as `group/sub: option`. */
  originalGroup: string | undefined;
  /** Place in the list of overrides of the override that made this choice. */
  chosenBy: number | undefined = undefined;

  constructor(entry: Omit<GroupEntry, 'kind'>, rules: PackageRules, externalAppend = false) {
    super(entry.package === '_here_' ? '' : entry.package, entry.origin, rules);
    this.group = entry.group;
    this.value = entry.value;
    this.optional = entry.optional;
    this.isOverride = entry.override;
    this.isExternalAppend = externalAppend;
    this.originalGroup = entry.originalGroup;
  }

  clone(): GroupDefault {
    const copy = new GroupDefault({ ...this, override: this.isOverride }, this.rules, this.isExternalAppend);
    copy.parentBaseDirectory = this.parentBaseDirectory;
    copy.parentPackage = this.parentPackage;
    copy.chosenBy = this.chosenBy;
    return copy;
  }

  get isSelf(): boolean {
    return this.value === '_self_';
  }

  get isMissing(): boolean {
    return this.value === '???';
  }

  get isInterpolation(): boolean {
    return typeof this.value === 'string' && this.value.includes('${');
  }

  /** The option chosen; a list of options has no name of its own. */
  name(): string | null {
    return typeof this.value === 'string' ? this.value : null;
  }

  groupPath(): string {
    if (this.group.startsWith('/')) return this.group.slice(1);
    if (this.parentBaseDirectory === '' || this.isExternalAppend) return this.group;
    return `${this.parentBaseDirectory}/${this.group}`;
  }

  configPath(): string {
    return `${this.groupPath()}/${this.value === null ? 'None' : this.name()}`;
  }

  protected relativeGroupPath(): string {
    return this.group.startsWith('/') ? this.group.slice(1) : this.group;
  }

  protected effectiveParentPackage(): string {
    return this.isExternalAppend ? '' : this.parentPackage;
  }

  /** The key as it stands in its file, for messages. */
  relativeOverrideKey(): string {
    return this.package !== undefined && this.defaultPackage() !== this.ownPackage()
      ? `${this.group}@${this.package}`
      : this.group;
  }
}

export type DefaultItem = ConfigDefault | GroupDefault;

/** A fresh item for an entry: the tree changes items, entries are shared between compositions. */
export function defaultItem(entry: DefaultsEntry, rules: PackageRules): DefaultItem {
  return entry.kind === 'config' ? new ConfigDefault(entry, rules) : new GroupDefault(entry, rules);
}
