import { boolNode, bytesNode, floatNode, intNode, nullNode, strNode } from './build.ts';
import { BytesKey, type ConfigKey, FloatKey, keyType } from './key.ts';
import { type ConfigNode, DictNode, ListNode, ScalarNode } from './node.ts';
import type { Origin } from './origin.ts';

/**
 * A config as JavaScript values: integers are number or bigint, floats number, bytes Uint8Array, lists arrays. A mapping
 * whose keys are all strings is an object without a prototype, so `__proto__` is an ordinary key; any other is a Map.
 */
export type PlainValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly PlainValue[]
  | { readonly [key: string]: PlainValue }
  | ReadonlyMap<unknown, PlainValue>;

/** The node's values as they stand: interpolations and missing values stay strings (resolve first to have values). */
export function toPlain(node: ConfigNode): PlainValue {
  if (node.kind === 'scalar') return node.value;
  if (node.kind === 'list') return node.items.map(toPlain);
  const entries = [...node.entries()];
  if (entries.every(([key]) => typeof key === 'string')) {
    const object: Record<string, PlainValue> = Object.create(null);
    for (const [key, child] of entries) object[String(key)] = toPlain(child);
    return object;
  }
  return new Map(entries.map(([key, child]) => [plainKey(key), toPlain(child)]));
}

/** Builds nodes from JavaScript values; whole numbers become integers, others floats. Throws a TypeError for the rest. */
export function fromPlain(value: unknown, origin?: Origin): ConfigNode {
  if (value === null || value === undefined) return nullNode(origin);
  if (value instanceof ScalarNode || value instanceof ListNode || value instanceof DictNode) return value.clone();
  switch (typeof value) {
    case 'boolean':
      return boolNode(value, origin);
    case 'number':
      return Number.isSafeInteger(value) && !Object.is(value, -0) ? intNode(value, origin) : floatNode(value, origin);
    case 'bigint':
      return intNode(value, origin);
    case 'string':
      return strNode(value, origin);
    case 'object':
      return fromObject(value, origin);
    default:
      throw new TypeError(`A ${typeof value} cannot be a config value`);
  }
}

function fromObject(value: object, origin: Origin | undefined): ConfigNode {
  if (value instanceof Uint8Array) return bytesNode(value, origin);
  if (Array.isArray(value)) {
    return new ListNode(
      value.map((item: unknown) => fromPlain(item, origin)),
      origin,
    );
  }
  if (value instanceof Map) {
    const dict = new DictNode([], origin);
    for (const [key, child] of value) dict.set(fromPlainKey(key), fromPlain(child, origin));
    return dict;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== null && prototype !== Object.prototype) {
    throw new TypeError(`An object of class ${value.constructor.name} cannot be a config value`);
  }
  const dict = new DictNode([], origin);
  for (const [key, child] of Object.entries(value)) dict.set(key, fromPlain(child, origin));
  return dict;
}

function plainKey(key: ConfigKey): unknown {
  if (key instanceof FloatKey) return key.value;
  return key instanceof BytesKey ? key.bytes : key;
}

function fromPlainKey(key: unknown): ConfigKey {
  if (typeof key === 'string' || typeof key === 'boolean' || typeof key === 'bigint') return key;
  if (typeof key === 'number') return Number.isSafeInteger(key) ? key : new FloatKey(key);
  if (key instanceof Uint8Array) return new BytesKey(key);
  if (key instanceof FloatKey || key instanceof BytesKey) return key;
  throw new TypeError(`A ${typeof key} cannot be a config key`);
}

/** True when the key can stand in a dotted path as it is. */
export function isStringKey(key: ConfigKey): key is string {
  return keyType(key) === 'str';
}
