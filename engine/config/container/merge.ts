import { ConfigError } from '../errors.ts';
import { type ConfigNode, type ContainerNode, type DictNode, ListNode, type NodeFlags } from '../node/node.ts';
import type { ResolveContext } from '../resolve/context.ts';
import { Resolution } from '../resolve/resolution.ts';
import { isContainer } from '../resolve/value.ts';
import { setNode } from './access.ts';
import { telling } from './failure.ts';

/**
 * A new config: the first, with each further one merged into it. Mappings merge key by key, anything else replaces,
 * `???` never replaces a value. The inputs stay as they are; a read-only target is no obstacle. Every node that replaced
 * another keeps that one in `beat`. Throws a TypeError where a list meets a mapping, ConfigKeyError in struct mode.
 */
export function merge(configs: readonly ContainerNode[], context: ResolveContext): ContainerNode {
  const [first, ...others] = configs;
  if (first === undefined) throw new Error('merge needs at least one config');
  const target = first.clone();
  const readonlyNodes = liftReadonly(target);
  for (const other of others) mergeInto(target, other, context);
  const turnedReadonly = target.getFlag('readonly');
  for (const node of readonlyNodes) node.setFlag('readonly', true);
  if (turnedReadonly) target.setFlag('readonly', true);
  return target;
}

function liftReadonly(node: ConfigNode, found: ConfigNode[] = []): ConfigNode[] {
  if (node.flags?.readonly === true) {
    found.push(node);
    node.setFlag('readonly', false);
  }
  if (node.kind !== 'scalar') for (const child of childrenOf(node)) liftReadonly(child, found);
  return found;
}

function childrenOf(container: ContainerNode): Iterable<ConfigNode> {
  return container.kind === 'dict' ? container.values() : container.items;
}

/** Merges others into the config itself, minding its flags. Throws like `merge`, with paths, and ReadonlyConfigError. */
export function mergeWith(config: ContainerNode, others: readonly ContainerNode[], context: ResolveContext): void {
  telling(config, undefined, () => {
    for (const other of others) mergeInto(config, other, context);
  });
}

/** Merges a source, which stays as it is, into a target. */
export function mergeInto(target: ContainerNode, source: ContainerNode, context: ResolveContext): void {
  if (target.kind === 'dict' && source.kind === 'dict') mergeDict(target, source, context);
  else if (target.kind === 'list' && source.kind === 'list') mergeList(target, source);
  else throw new ConfigError('TypeError', 'Cannot merge incompatible container types', { origin: source.origin });
}

function mergeDict(target: DictNode, source: DictNode, context: ResolveContext): void {
  for (const node of source.values()) {
    const key = node.key ?? '';
    // A scalar replaces an interpolation whatever that leads to, so it need not be followed.
    const mustExpand = node.kind !== 'scalar' || node.isMissing;
    const existing = mustExpand ? expandInterpolation(target, target.get(key), context) : target.get(key);
    if (existing === undefined) {
      setNode(target, key, node.clone());
    } else if (existing.kind === 'scalar') {
      // A missing value leaves what is there, but a read-only target still refuses the attempt.
      if (!node.isMissing) setNode(target, key, node.clone());
      else setNode(target, key, existing);
    } else if (node.kind === 'scalar') {
      if (!node.isMissing) setNode(target, key, node.clone());
    } else if (existing.kind === 'list' && node.kind === 'list') {
      replaceList(target, existing, node);
    } else {
      mergeInto(existing, node, context);
    }
  }
  target.flags = mergedFlags(target.flags, source.flags);
}

/** Merging into an interpolation of a container means merging into a copy of that container. */
function expandInterpolation(
  target: DictNode,
  existing: ConfigNode | undefined,
  context: ResolveContext,
): ConfigNode | undefined {
  if (existing?.isInterpolation !== true) return existing;
  const behind = new Resolution(context).tryDereference(existing);
  if (behind === undefined || !isContainer(behind)) return existing;
  const copy = behind.clone();
  setNode(target, existing.key ?? '', copy);
  return copy;
}

function replaceList(target: DictNode, existing: ListNode, source: ListNode): void {
  const list = new ListNode([], source.origin);
  list.flags = existing.flags;
  fillList(list, source, existing);
  list.flags = mergedFlags(existing.flags, source.flags);
  list.keyOrigin = source.keyOrigin;
  list.beat = existing;
  target.set(existing.key ?? '', list);
}

function mergeList(target: ListNode, source: ListNode): void {
  const list = new ListNode([], source.origin);
  list.flags = target.flags;
  fillList(list, source, target);
  target.origin = source.origin;
  target.items.length = 0;
  for (const item of list.items) target.push(item);
  target.flags = mergedFlags(target.flags, source.flags);
}

/** Copies the items, refusing the first where the list that is replaced is read-only; an empty list passes. */
function fillList(list: ListNode, source: ListNode, replaced: ListNode): void {
  for (const item of source.items) {
    telling(replaced, list.size, () => {
      if (replaced.getFlag('readonly')) throw new ConfigError('ReadonlyConfigError', 'ListConfig is read-only');
    });
    list.push(item.clone());
  }
}

/** What the source sets explicitly wins. */
function mergedFlags(target: NodeFlags | undefined, source: NodeFlags | undefined): NodeFlags | undefined {
  if (source === undefined) return target;
  return {
    struct: source.struct ?? target?.struct,
    readonly: source.readonly ?? target?.readonly,
  };
}
