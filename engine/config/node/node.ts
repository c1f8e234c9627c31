import { type ConfigKey, type KeyIdentity, keyIdentity } from './key.ts';
import type { Origin } from './origin.ts';

/** 'int' and 'float' are different types: 1 is not 1.0. */
export type ScalarType = 'null' | 'bool' | 'int' | 'float' | 'str' | 'bytes';

/** The value of an 'int' is a number, or a bigint when it does not fit 2^53-1. */
export type ScalarValue = null | boolean | number | bigint | string | Uint8Array;

export type FlagName = 'struct' | 'readonly';

/** `undefined` means: as the parent says. */
export interface NodeFlags {
  readonly struct?: boolean | undefined;
  readonly readonly?: boolean | undefined;
}

export type ConfigNode = ScalarNode | ListNode | DictNode;
export type ContainerNode = ListNode | DictNode;

/** The text of a mandatory value that nobody has given yet. */
export const MISSING = '???';

abstract class BaseNode {
  parent: ContainerNode | undefined = undefined;
  /** The key in the parent mapping, or the index in the parent list. */
  key: ConfigKey | undefined = undefined;
  /** Where the value was written. */
  origin: Origin | undefined;
  /** Where the key was written, for nodes of a mapping. */
  keyOrigin: Origin | undefined = undefined;
  /** The node that this one replaced in a merge; its own `beat` leads on to those it had replaced. */
  beat: ConfigNode | undefined = undefined;
  flags: NodeFlags | undefined = undefined;

  constructor(origin: Origin | undefined) {
    this.origin = origin;
  }

  /** The flag set on this node or on its nearest ancestor that sets it; false when nobody does. */
  getFlag(name: FlagName): boolean {
    let node: BaseNode | undefined = this;
    while (node !== undefined) {
      const value = node.flags?.[name];
      if (value !== undefined) return value;
      node = node.parent;
    }
    return false;
  }

  /** Sets the flag on this node alone; `undefined` gives the decision back to the parent. */
  setFlag(name: FlagName, value: boolean | undefined): void {
    this.flags = { ...this.flags, [name]: value };
  }

  protected copyBaseTo<T extends BaseNode>(copy: T): T {
    copy.key = this.key;
    copy.keyOrigin = this.keyOrigin;
    copy.beat = this.beat;
    copy.flags = this.flags;
    return copy;
  }
}

/** A leaf. A string may be the missing marker or hold an interpolation. */
export class ScalarNode extends BaseNode {
  readonly kind = 'scalar';
  readonly type: ScalarType;
  readonly value: ScalarValue;

  constructor(type: ScalarType, value: ScalarValue, origin?: Origin) {
    super(origin);
    this.type = type;
    this.value = value;
  }

  get isNull(): boolean {
    return this.type === 'null';
  }

  get isMissing(): boolean {
    return this.value === MISSING;
  }

  /** True for a string that holds `${`, also beside other text. */
  get isInterpolation(): boolean {
    return typeof this.value === 'string' && this.value.includes('${');
  }

  /** A copy without a parent; `key`, `flags` and `beat` are kept. */
  clone(): ScalarNode {
    return this.copyBaseTo(new ScalarNode(this.type, this.value, this.origin));
  }
}

/** A list; its items know it as their parent and their index as their key. */
export class ListNode extends BaseNode {
  readonly kind = 'list';
  readonly items: ConfigNode[] = [];

  constructor(items: Iterable<ConfigNode> = [], origin?: Origin) {
    super(origin);
    for (const item of items) this.push(item);
  }

  get isNull(): false {
    return false;
  }

  get isMissing(): false {
    return false;
  }

  get isInterpolation(): false {
    return false;
  }

  get size(): number {
    return this.items.length;
  }

  get(index: number): ConfigNode | undefined {
    return this.items[index];
  }

  /** Adopts the node. Flags are not checked: that is the business of `update` and `merge`. */
  push(node: ConfigNode): void {
    node.parent = this;
    node.key = this.items.length;
    this.items.push(node);
  }

  /** Replaces an item that exists and adopts the new one. */
  set(index: number, node: ConfigNode): void {
    node.parent = this;
    node.key = index;
    this.items[index] = node;
  }

  /** A deep copy without a parent. */
  clone(): ListNode {
    const copy = new ListNode([], this.origin);
    for (const item of this.items) copy.push(item.clone());
    return this.copyBaseTo(copy);
  }
}

/** A mapping with typed keys, in order of first insertion. */
export class DictNode extends BaseNode {
  readonly kind = 'dict';
  readonly #children = new Map<KeyIdentity, ConfigNode>();

  constructor(entries: Iterable<readonly [ConfigKey, ConfigNode]> = [], origin?: Origin) {
    super(origin);
    for (const [key, node] of entries) this.set(key, node);
  }

  get isNull(): false {
    return false;
  }

  get isMissing(): false {
    return false;
  }

  get isInterpolation(): false {
    return false;
  }

  get size(): number {
    return this.#children.size;
  }

  get(key: ConfigKey): ConfigNode | undefined {
    return this.#children.get(keyIdentity(key));
  }

  has(key: ConfigKey): boolean {
    return this.#children.has(keyIdentity(key));
  }

  /** Adopts the node; an equal key keeps its place and its first spelling. Flags are not checked here. */
  set(key: ConfigKey, node: ConfigNode): void {
    const identity = keyIdentity(key);
    const old = this.#children.get(identity);
    node.parent = this;
    node.key = old?.key ?? key;
    this.#children.set(identity, node);
  }

  delete(key: ConfigKey): boolean {
    return this.#children.delete(keyIdentity(key));
  }

  clear(): void {
    this.#children.clear();
  }

  *keys(): Generator<ConfigKey> {
    for (const node of this.#children.values()) yield childKey(node);
  }

  /** The children in order; each knows its `key`. */
  values(): IterableIterator<ConfigNode> {
    return this.#children.values();
  }

  *entries(): Generator<[ConfigKey, ConfigNode]> {
    for (const node of this.#children.values()) yield [childKey(node), node];
  }

  /** A deep copy without a parent. */
  clone(): DictNode {
    const copy = new DictNode([], this.origin);
    for (const [identity, node] of this.#children) {
      const child = node.clone();
      child.parent = copy;
      copy.#children.set(identity, child);
    }
    return this.copyBaseTo(copy);
  }
}

function childKey(node: ConfigNode): ConfigKey {
  if (node.key === undefined) throw new Error('Internal error: a child of a mapping has no key');
  return node.key;
}
