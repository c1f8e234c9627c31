import { pythonChoiceText } from './choiceText.ts';
import { compositionError } from './compositionError.ts';
import {
  ConfigDefault,
  type DefaultItem,
  defaultItem,
  type GroupDefault,
  type PackageRules,
} from './defaultElement.ts';
import { splitShorthand } from './defaultsEntries.ts';
import {
  checkNesting,
  configNotFound,
  interpolationFailure,
  legacyInterpolation,
  missingChoice,
  overrideInInterpolated,
  overrideTooEarly,
  validatePaths,
} from './defaultsTreeErrors.ts';
import { type DefaultsTreeNode, inclusionChain, ROOT, type TreeContext } from './defaultsTreeNode.ts';

export { type DefaultsTreeNode, inclusionChain, ROOT, type TreeContext } from './defaultsTreeNode.ts';

/** Overrides that an interpolated entry may still receive, noted when the walk met it. */
type Deferred = Map<DefaultItem, ReadonlySet<string>>;

/** A composition without a primary config has this one, which no file holds. */
export const EMPTY_CONFIG = '_dummy_empty_config_';

/** Works out the tree of all configs that take part. Throws Hydra's errors, with the entry at fault and how it was reached. */
export function buildDefaultsTree(configName: string | undefined, context: TreeContext): DefaultsTreeNode {
  const root: DefaultsTreeNode = { item: ROOT, parent: undefined, children: [] };
  const primary = new ConfigDefault(
    { path: configName ?? EMPTY_CONFIG, package: undefined, origin: undefined },
    context.rules,
  );
  primary.primary = true;
  const builder = new TreeBuilder(context);
  // The walk runs backwards, so that the last override in the list is the first to be noted.
  const primaryNode = builder.expand({ item: primary, parent: root, children: undefined }, false, undefined);
  const hydraNode = hydraTree(root, builder, context);
  root.children = [hydraNode, primaryNode];
  builder.resolveDeferred(root);
  return root;
}

// What Hydra includes of its own is the same for nearly every composition.
let usualHydraTree: DefaultsTreeNode | undefined;

function hydraTree(root: DefaultsTreeNode, builder: TreeBuilder, context: TreeContext): DefaultsTreeNode {
  const { choices, repository, rules } = context;
  const isUsual = !choices.touchesHydra && !repository.hasOwnHydraFiles;
  if (isUsual && usualHydraTree !== undefined) {
    for (const { item } of usualHydraTree.children?.toReversed() ?? []) {
      if (item !== ROOT) choices.setKnown(item, () => []);
    }
    return usualHydraTree;
  }
  const item = new ConfigDefault({ path: 'hydra/config', package: undefined, origin: undefined }, rules);
  const node = builder.expand({ item, parent: root, children: undefined }, false, undefined);
  if (isUsual) usualHydraTree = { ...node, parent: { item: ROOT, parent: undefined, children: undefined } };
  return node;
}

class TreeBuilder {
  readonly #context: TreeContext;
  readonly #deferred: Deferred = new Map();

  constructor(context: TreeContext) {
    this.#context = context;
  }

  expand(node: DefaultsTreeNode, interpolated: boolean, eligible: ReadonlySet<string> | undefined): DefaultsTreeNode {
    const { repository, choices, skipMissing } = this.#context;
    const { item } = node;
    if (item === ROOT) return node;
    const isEmptyPrimary = item.primary && item.configPath() === EMPTY_CONFIG;
    if (item.primary && !isEmptyPrimary && !repository.configExists(item.configPath())) {
      throw configNotFound(node, this.#context);
    }
    checkNesting(node);
    if (!item.isMissing) item.setPackageHeader(repository.load(item.configPath())?.header);
    if (choices.deleteIfAsked(item)) return node;
    choices.setKnown(item, () => inclusionChain(node));
    if (item.name() === null) return node;
    if (item.configPath().endsWith('???')) {
      if (skipMissing) return node;
      throw missingChoice(node, this.#context);
    }
    const loaded = repository.load(item.configPath());
    if (loaded === undefined && !isEmptyPrimary) {
      if (!item.optional) throw configNotFound(node, this.#context);
      item.deleted = true;
      return node;
    }
    const items = (loaded?.entries ?? []).map((entry) => defaultItem(entry, this.#context.rules));
    const hasList = items.length > 0 || (item.primary && choices.appended.length > 0);
    if (hasList) addSelf(items, node, this.#context.rules);
    if (item.primary) items.push(...choices.appended);
    for (const child of items) validatePaths(child, node);
    this.#checkOverridesLast(items, node, interpolated);
    const children = this.#expandChildren(items, node, interpolated, eligible);
    if (children.length > 0) node.children = children;
    return node;
  }

  #checkOverridesLast(items: readonly DefaultItem[], node: DefaultsTreeNode, interpolated: boolean): void {
    let lastOverride: GroupDefault | undefined;
    const place = placeBelow(node);
    for (const child of items) {
      if (child.isSelf) continue;
      child.updateParent(place.group, place.package);
      if (lastOverride !== undefined && !child.isOverride && !child.isExternalAppend) {
        throw overrideTooEarly(lastOverride, child, node);
      }
      if (child.kind !== 'group' || !child.isOverride) continue;
      lastOverride = child;
      if (interpolated) throw overrideInInterpolated(child, node);
    }
  }

  #expandChildren(
    items: readonly DefaultItem[],
    node: DefaultsTreeNode,
    interpolated: boolean,
    eligible: ReadonlySet<string> | undefined,
  ): DefaultsTreeNode[] {
    const { choices } = this.#context;
    const children: DefaultsTreeNode[] = [];
    for (const child of items.toReversed()) {
      const childNode: DefaultsTreeNode = { item: child, parent: node, children: undefined };
      if (child.isSelf) {
        if (node.item !== ROOT) child.updateParent(node.item.parentBaseDirectory, node.item.ownPackage() ?? '');
        children.push(childNode);
        continue;
      }
      if (child.kind === 'group' && child.isOverride) {
        choices.addOverride(node.item === ROOT ? '' : node.item.configPath(), child, () => inclusionChain(node));
        continue;
      }
      choices.applyTo(child, eligible);
      validatePaths(child, node);
      if (child.kind === 'group' && typeof child.value === 'object' && child.value !== null) {
        for (const option of child.value.toReversed()) {
          children.push(this.expand(this.#optionNode(child, option, node), interpolated, eligible));
        }
      } else if (child.isInterpolation) {
        this.#deferred.set(child, eligible ?? choices.requestedKeys());
        children.push(childNode);
      } else {
        children.push(this.expand(childNode, interpolated, eligible));
      }
    }
    return children.reverse();
  }

  /** One of several options of a group is included like a config of its own. */
  #optionNode(group: GroupDefault, option: string, node: DefaultsTreeNode): DefaultsTreeNode {
    if (option.includes('${')) {
      const path = node.item === ROOT ? '' : node.item.configPath();
      throw compositionError(`In '${path}': Defaults List interpolation is not supported in options list items`, {
        origin: group.origin,
        chain: inclusionChain(node),
      });
    }
    // Appended groups are named from the root of the search path.
    const base = group.isExternalAppend ? group.groupPath() : group.group;
    const entry = { path: `${base}/${option}`, package: group.package, origin: group.origin };
    const item = new ConfigDefault(entry, this.#context.rules, group.optional);
    if (group.isExternalAppend) item.updateParent('', '');
    else adopt(item, node);
    return { item, parent: node, children: undefined };
  }

  /**
   * Expands interpolated entries once the choices they name are known; one may bring the choice that another waits for.
   */
  resolveDeferred(root: DefaultsTreeNode): void {
    while (this.#resolveOne(root)) {
      // Each round expands one entry, until none can be expanded.
    }
    this.#failOnUnresolved(root);
  }

  #resolveOne(node: DefaultsTreeNode): boolean {
    for (const [place, child] of (node.children ?? []).entries()) {
      if (child.children !== undefined) {
        if (this.#resolveOne(child)) return true;
        continue;
      }
      const { item } = child;
      if (item === ROOT || !item.isInterpolation || item.isSelf) continue;
      const candidate = item.clone();
      if (!this.#resolve(candidate)) continue;
      validatePaths(candidate, node);
      adopt(candidate, node);
      const eligible = this.#deferred.get(item);
      this.#deferred.delete(item);
      const expanded = this.expand({ item: candidate, parent: node, children: undefined }, true, eligible ?? new Set());
      node.children?.splice(place, 1, expanded);
      return true;
    }
    return false;
  }

  /** Puts known choices in place of `${…}`; false when one is not known. */
  #resolve(item: DefaultItem): boolean {
    if (item.kind === 'config') {
      const absolute = item.path.startsWith('/');
      const resolved = this.#substitute(absolute ? item.path.slice(1) : item.path);
      if (resolved === undefined) return false;
      item.path = absolute ? `/${resolved.replace(/^\/+/, '')}` : resolved;
      return true;
    }
    const { value } = item;
    if (typeof value !== 'string' || /\$\{defaults\.\d+\./.test(value)) return false;
    const resolved = this.#substitute(value);
    if (resolved === undefined) return false;
    const shorthand = splitShorthand(resolved);
    item.value = shorthand?.option ?? resolved;
    if (shorthand !== undefined) {
      item.originalGroup = item.group;
      item.group = `${item.group}/${shorthand.prefix}`;
    }
    return true;
  }

  #substitute(text: string): string | undefined {
    const { known } = this.#context.choices;
    const result = text.replace(/\$\{\s*([^{}]*?)\s*\}/g, (whole, key: string) => {
      const choice = known.get(key.trim());
      return typeof choice === 'string' && choice !== '???' ? choice : whole;
    });
    return result.includes('${') ? undefined : result;
  }

  #failOnUnresolved(node: DefaultsTreeNode): void {
    for (const child of node.children ?? []) {
      const { item } = child;
      if (child.children !== undefined) this.#failOnUnresolved(child);
      else if (item !== ROOT && item.isInterpolation && !item.isSelf) throw this.#unresolved(item, child);
    }
  }

  #unresolved(item: DefaultItem, node: DefaultsTreeNode): Error {
    if (item.kind === 'group' && /\$\{defaults\.\d+\./.test(pythonChoiceText(item.value))) {
      return legacyInterpolation(item, node);
    }
    const path = item.kind === 'group' ? pythonChoiceText(item.value) : item.path.replace(/^\//, '');
    return interpolationFailure(path, node, this.#context);
  }
}

/** Where the entries of a config's defaults list are relative to. */
function placeBelow({ item }: DefaultsTreeNode): { readonly group: string; readonly package: string } {
  return item === ROOT ? { group: '', package: '' } : { group: item.groupPath(), package: item.finalPackage() };
}

function adopt(child: DefaultItem, node: DefaultsTreeNode): void {
  const place = placeBelow(node);
  child.updateParent(place.group, place.package);
}

/** Without `_self_` a config's own content comes last; a list of overrides alone gets none. */
function addSelf(items: DefaultItem[], node: DefaultsTreeNode, rules: PackageRules): void {
  const selves = items.filter((item) => item.isSelf);
  const second = selves[1];
  if (second !== undefined) {
    const path = node.item === ROOT ? '' : node.item.configPath();
    throw compositionError(`Duplicate _self_ defined in ${path}`, {
      origin: second.origin,
      chain: inclusionChain(node),
    });
  }
  const onlyOverrides = items.length > 0 && items.every((item) => item.isOverride);
  if (selves.length > 0 || onlyOverrides) return;
  items.push(new ConfigDefault({ path: '_self_', package: undefined, origin: undefined }, rules));
}
