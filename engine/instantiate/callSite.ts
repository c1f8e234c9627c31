import { type ConfigKey, type ConfigNode, DictNode, fromPlain, ListNode, ScalarNode } from '../config/index.ts';
import type { ConfigAccess } from './configAccess.ts';
import { containerInfo } from './containers.ts';
import { InstantiateError } from './errors.ts';

/** Keyword arguments given where `instantiate` is called, by name and in order. */
export type CallOverrides = ReadonlyMap<string, unknown>;

/** Objects of the running program that stand in a config tree where their node stands. */
export type RuntimeValues = WeakMap<ConfigNode, unknown>;

/** The config with the call's arguments in it, so that interpolations elsewhere see them. The given tree is untouched. */
export function applyCallOverrides(
  config: DictNode,
  overrides: CallOverrides,
  access: ConfigAccess,
  runtime: RuntimeValues,
): DictNode {
  for (const [key, value] of overrides) checkOverride(value, key);
  const copy = copyInPlace(config);
  const isTarget = overrides.has('_target_') || copy.has('_target_');
  const previous = new Map([...overrides.keys()].map((key) => [key, copy.get(key)]));
  // All arguments stand in the tree before any is merged: an interpolated base may lead to one of them.
  for (const [key, value] of overrides) copy.set(key, nodeOf(value, runtime));
  for (const [key, value] of overrides) {
    const base = mergeBase(previous.get(key), isTarget, access);
    const given = copy.get(key);
    if (base === undefined || given?.kind !== 'dict' || !isMapping(value)) continue;
    copy.set(key, mergeDicts(base, given));
  }
  return copy;
}

/** Copies the whole tree, because interpolations may lead anywhere in it, and returns the node's copy. */
function copyInPlace(config: DictNode): DictNode {
  const path: ConfigKey[] = [];
  let root: ConfigNode = config;
  for (; root.parent !== undefined; root = root.parent) path.unshift(root.key ?? '');
  let node: ConfigNode | undefined = root.clone();
  for (const key of path) node = childOf(node, key);
  if (node?.kind !== 'dict') throw new Error('Internal error: the copy of a config has another shape');
  return node;
}

function childOf(node: ConfigNode | undefined, key: ConfigKey): ConfigNode | undefined {
  if (node?.kind === 'list') return typeof key === 'number' ? node.get(key) : undefined;
  return node?.kind === 'dict' ? node.get(key) : undefined;
}

/**
 * A mapping given at the call merges into what is there when that is no parameter of a target, or is a target itself;
 * a plain mapping passed to a target is replaced.
 */
function mergeBase(
  node: ConfigNode | undefined,
  isTargetParameter: boolean,
  access: ConfigAccess,
): DictNode | undefined {
  const configured = node?.isInterpolation && isTargetParameter ? resolveQuietly(node, access) : node;
  if (configured?.kind !== 'dict') return undefined;
  return !isTargetParameter || configured.has('_target_') ? configured : undefined;
}

function resolveQuietly(node: ConfigNode, access: ConfigAccess): ConfigNode | undefined {
  try {
    return access.resolve(node);
  } catch {
    // The argument replaces the interpolation, so that it cannot be resolved does not matter.
    return undefined;
  }
}

function mergeDicts(base: DictNode, given: DictNode): DictNode {
  const merged = base.clone();
  for (const [key, value] of given.entries()) {
    const old = merged.get(key);
    merged.set(key, old?.kind === 'dict' && value.kind === 'dict' ? mergeDicts(old, value) : value);
  }
  return merged;
}

function nodeOf(value: unknown, runtime: RuntimeValues): ConfigNode {
  const info = containerInfo(value);
  if (info?.isConfig) return info.node.clone();
  if (isConfigNode(value)) return value.clone();
  if (Array.isArray(value)) return new ListNode(value.map((item: unknown) => nodeOf(item, runtime)));
  if (isMapping(value)) {
    const dict = new DictNode();
    for (const [key, child] of entriesOf(value)) dict.set(key, nodeOf(child, runtime));
    return dict;
  }
  if (isConfigScalar(value)) return fromPlain(value);
  const node = new ScalarNode('str', `<${typeof value} given at the call>`);
  runtime.set(node, value);
  return node;
}

export function isConfigNode(value: unknown): value is ConfigNode {
  return value instanceof ScalarNode || value instanceof ListNode || value instanceof DictNode;
}

/** A plain object, a Map or a mapping node: what merges instead of being passed on. */
export function isMapping(value: unknown): value is object {
  if (value instanceof Map || value instanceof DictNode) return true;
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

function entriesOf(value: object): [string, unknown][] {
  if (value instanceof Map) return [...value].map(([key, child]) => [String(key), child]);
  return Object.entries(value);
}

function isConfigScalar(value: unknown): boolean {
  return value === null || value === undefined || value instanceof Uint8Array
    ? true
    : ['boolean', 'number', 'bigint', 'string'].includes(typeof value);
}

/** Refuses text that would be read as config syntax: what a program passes must be the value itself. */
export function checkOverride(value: unknown, path: string): void {
  const raw = value instanceof ScalarNode ? value.value : value;
  if (raw === '???') throw refused(path, 'missing value');
  if (typeof raw === 'string' && raw.includes('${')) throw refused(path, 'interpolation');
  if (Array.isArray(raw)) {
    for (const [index, item] of raw.entries()) checkOverride(item, `${path}.${index}`);
  } else if (isMapping(raw) && !(raw instanceof DictNode)) {
    for (const [key, child] of entriesOf(raw)) checkOverride(child, `${path}.${key}`);
  }
}

function refused(path: string, what: string): InstantiateError {
  return new InstantiateError(
    'override-invalid',
    `Call-site override '${path}' cannot be an OmegaConf ${what}. Pass a concrete runtime value instead.`,
    { details: { override: path } },
  );
}
