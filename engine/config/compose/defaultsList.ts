import type { Origin } from '../node/origin.ts';
import { compositionError, type InclusionStep } from './compositionError.ts';
import { type DefaultsTreeNode, EMPTY_CONFIG, inclusionChain, ROOT } from './defaultsTree.ts';

/** One config of the final defaults list, in the order in which they are merged. */
export interface ResultDefault {
  readonly configPath: string;
  /** The config that includes it. */
  readonly parent: string | undefined;
  readonly package: string;
  /** The config's own content among its defaults. */
  readonly isSelf: boolean;
  readonly primary: boolean;
  /** The key by which the command line can choose another option; `undefined` for what no group chose. */
  readonly overrideKey: string | undefined;
  /** The entry that asks for it; `undefined` for the primary config and an implied `_self_`. */
  readonly origin: Origin | undefined;
  readonly chain: readonly InclusionStep[];
}

/** The tree's leaves in order. Throws when one key would be merged twice. */
export function flattenDefaults(root: DefaultsTreeNode): readonly ResultDefault[] {
  const result: ResultDefault[] = [];
  collect(root, result);
  const seen = new Map<string, ResultDefault>();
  for (const item of result) {
    const key = item.overrideKey;
    if (item.isSelf || key === undefined) continue;
    const first = seen.get(key);
    if (first !== undefined) {
      throw compositionError(`${key} appears more than once in the final defaults list`, {
        origin: item.origin,
        chain: item.chain,
        details: { key, first: first.origin },
      });
    }
    seen.set(key, item);
  }
  return result;
}

function collect(node: DefaultsTreeNode, result: ResultDefault[]): void {
  if (node.children === undefined) {
    const leaf = leafDefault(node);
    if (leaf !== undefined) result.push(leaf);
    return;
  }
  for (const child of node.children) collect(child, result);
}

function leafDefault(node: DefaultsTreeNode): ResultDefault | undefined {
  const { item, parent } = node;
  if (item === ROOT || item.deleted || item.isMissing || item.name() === null) return undefined;
  const container = parent === undefined || parent.item === ROOT ? undefined : parent.item;
  const isSelf = item.isSelf && container !== undefined;
  const own = isSelf ? container : item;
  if (own.configPath() === EMPTY_CONFIG) return undefined;
  const above = isSelf ? parent?.parent : parent;
  return new LeafDefault(
    {
      configPath: own.configPath(),
      parent: above === undefined ? undefined : above.item === ROOT ? '<root>' : above.item.configPath(),
      package: own.finalPackage(),
      isSelf,
      primary: own.primary,
      // Hydra checks duplicates by the key of whole configs, so a config's own content among its defaults has none.
      overrideKey: !isSelf && item.kind === 'group' ? item.overrideKey() : undefined,
      origin: item.origin,
    },
    isSelf ? parent : node,
  );
}

// A class, because a getter in an object literal gives every object a shape of its own.
class LeafDefault implements ResultDefault {
  readonly configPath: string;
  readonly parent: string | undefined;
  readonly package: string;
  readonly isSelf: boolean;
  readonly primary: boolean;
  readonly overrideKey: string | undefined;
  readonly origin: Origin | undefined;
  readonly #node: DefaultsTreeNode | undefined;

  constructor(fields: Omit<ResultDefault, 'chain'>, node: DefaultsTreeNode | undefined) {
    this.configPath = fields.configPath;
    this.parent = fields.parent;
    this.package = fields.package;
    this.isSelf = fields.isSelf;
    this.primary = fields.primary;
    this.overrideKey = fields.overrideKey;
    this.origin = fields.origin;
    this.#node = node;
  }

  /** Only errors and explanations ask for it. */
  get chain(): readonly InclusionStep[] {
    return inclusionChain(this.#node);
  }
}
