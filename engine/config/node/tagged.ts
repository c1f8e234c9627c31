import { parseInterpolation } from '../interpolation/parser.ts';
import { boolNode, bytesNode, floatNode, intNode, listNode, nullNode, strNode } from './build.ts';
import { BytesKey, type ConfigKey, FloatKey } from './key.ts';
import { type ConfigNode, DictNode, type ScalarType, type ScalarValue } from './node.ts';
import { scalarKey } from './scalarKey.ts';

/**
 * A value as JSON without loss: 1 and 1.0 differ, mappings keep their order and their keys' types. Integers beyond
 * 2^53-1 are decimal strings, floats that JSON lacks are 'nan', 'inf' and '-inf', bytes are hexadecimal.
 */
export type TaggedValue =
  | { readonly t: 'null' }
  | { readonly t: 'bool'; readonly v: boolean }
  | { readonly t: 'int' | 'float'; readonly v: number | string }
  | { readonly t: 'str' | 'bytes'; readonly v: string }
  | { readonly t: 'list'; readonly v: readonly TaggedValue[] }
  | { readonly t: 'dict'; readonly v: readonly (readonly [TaggedValue, TaggedValue])[] };

/** The tagged form of a node as it stands, interpolations unresolved. */
export function toTagged(node: ConfigNode): TaggedValue {
  if (node.kind === 'scalar') return tagScalar(node.type, node.value);
  if (node.kind === 'list') return { t: 'list', v: node.items.map(toTagged) };
  return { t: 'dict', v: [...node.entries()].map(([key, child]) => [tagKey(key), toTagged(child)]) };
}

export function tagKey(key: ConfigKey): TaggedValue {
  if (key === null) return { t: 'null' };
  if (typeof key === 'string') return { t: 'str', v: key };
  if (typeof key === 'boolean') return { t: 'bool', v: key };
  if (key instanceof FloatKey) return tagScalar('float', key.value);
  if (key instanceof BytesKey) return tagScalar('bytes', key.bytes);
  return tagScalar('int', key);
}

export function tagScalar(type: ScalarType, value: ScalarValue): TaggedValue {
  if (value === null) return { t: 'null' };
  if (typeof value === 'boolean') return { t: 'bool', v: value };
  if (typeof value === 'string') return { t: 'str', v: value };
  if (value instanceof Uint8Array) return { t: 'bytes', v: Buffer.from(value).toString('hex') };
  if (typeof value === 'bigint') return { t: 'int', v: value.toString() };
  if (type !== 'float') return { t: 'int', v: value };
  if (Number.isNaN(value)) return { t: 'float', v: 'nan' };
  if (!Number.isFinite(value)) return { t: 'float', v: value > 0 ? 'inf' : '-inf' };
  return { t: 'float', v: value };
}

/** The node for a tagged value. Throws a GrammarParseError for a text whose `${` begins no interpolation. */
export function fromTagged(tagged: TaggedValue): ConfigNode {
  switch (tagged.t) {
    case 'null':
      return nullNode();
    case 'bool':
      return boolNode(tagged.v);
    case 'int':
      return intNode(typeof tagged.v === 'string' ? BigInt(tagged.v) : tagged.v);
    case 'float':
      return floatNode(typeof tagged.v === 'string' ? namedFloat(tagged.v) : tagged.v);
    case 'str':
      if (tagged.v.includes('${')) parseInterpolation(tagged.v);
      return strNode(tagged.v);
    case 'bytes':
      return bytesNode(new Uint8Array(Buffer.from(tagged.v, 'hex')));
    case 'list':
      return listNode(tagged.v.map(fromTagged));
    default: {
      const dict = new DictNode();
      for (const [key, value] of tagged.v) dict.set(keyOf(fromTagged(key)), fromTagged(value));
      return dict;
    }
  }
}

function namedFloat(name: string): number {
  if (name === 'nan') return Number.NaN;
  return name === '-inf' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}

function keyOf(node: ConfigNode): ConfigKey {
  if (node.kind !== 'scalar') throw new TypeError(`A ${node.kind} cannot be a key`);
  return scalarKey(node);
}
