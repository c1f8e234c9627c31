import { type ConfigKey, type KeyIdentity, keyIdentity } from '../node/key.ts';
import { type ConfigNode, type ContainerNode, DictNode, ListNode, type ScalarNode } from '../node/node.ts';

/** A list that an interpolation or a resolver made: a value without a place in the config. */
export interface PlainList {
  readonly kind: 'plain-list';
  readonly items: readonly Value[];
}

/** A mapping that an interpolation or a resolver made. */
export interface PlainDict {
  readonly kind: 'plain-dict';
  readonly entries: ReadonlyMap<KeyIdentity, { readonly key: ConfigKey; readonly value: Value }>;
}

/** What an interpolation yields: a scalar, a container of the config itself, or a plain collection of these. */
export type Value = ScalarNode | ContainerNode | PlainList | PlainDict;

/** The result of an interpolation that is not a node of the config. It is never an interpolation again. */
export interface ResultNode {
  readonly kind: 'result';
  readonly value: Exclude<Value, ContainerNode>;
  /** The node that held the interpolation. */
  readonly of?: ConfigNode;
}

/** What stands behind a node once its interpolation is followed. */
export type Dereferenced = ConfigNode | ResultNode;

export function valueBehind(node: Dereferenced): Value {
  return node.kind === 'result' ? node.value : node;
}

/** A value as a node: a config container is itself, anything else is wrapped. */
export function asDereferenced(value: Value): Dereferenced {
  return value.kind === 'list' || value.kind === 'dict' ? value : { kind: 'result', value };
}

export function isContainer(node: Dereferenced | Value): node is ContainerNode {
  return node.kind === 'list' || node.kind === 'dict';
}

export function isMissingValue(node: Dereferenced): boolean {
  const value = valueBehind(node);
  return value.kind === 'scalar' && value.isMissing;
}

/** A free-standing node tree as a plain value. */
export function plainFromNode(node: ConfigNode): Exclude<Value, ContainerNode> {
  if (node.kind === 'scalar') return node;
  if (node.kind === 'list') return { kind: 'plain-list', items: node.items.map(plainFromNode) };
  const entries = new Map<KeyIdentity, { readonly key: ConfigKey; readonly value: Value }>();
  for (const [key, child] of node.entries()) entries.set(keyIdentity(key), { key, value: plainFromNode(child) });
  return { kind: 'plain-dict', entries };
}

/** A plain value as a node tree of its own; containers of the config inside it are given to `convert`. */
export function nodeFromPlain(value: Value, convert: (container: ContainerNode) => ConfigNode): ConfigNode {
  switch (value.kind) {
    case 'plain-list':
      return new ListNode(value.items.map((item) => nodeFromPlain(item, convert)));
    case 'plain-dict': {
      const dict = new DictNode();
      for (const { key, value: child } of value.entries.values()) dict.set(key, nodeFromPlain(child, convert));
      return dict;
    }
    case 'scalar':
      return value.clone();
    default:
      return convert(value);
  }
}
