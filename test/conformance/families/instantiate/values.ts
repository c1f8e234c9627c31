import { BytesKey, type ConfigKey, FloatKey, floatNode, ScalarNode } from '../../../../engine/config/index.ts';
import { Built, containerInfo, isCallable } from '../../../../engine/instantiate/index.ts';
import { isPythonTarget, RecordedCall } from './pythonTarget.ts';

/** A recorded value: its type and, for all but null, its content. */
export interface Encoded {
  readonly t: string;
  readonly [key: string]: unknown;
}

/** Reads a recorded argument into what a program would pass; a float like 1.0 keeps its type in a node. */
export function decode(encoded: Encoded): unknown {
  switch (encoded.t) {
    case 'null':
      return null;
    case 'int':
      return typeof encoded.v === 'string' ? BigInt(encoded.v) : encoded.v;
    case 'float':
      return decodeFloat(Number(encoded.v === 'inf' ? Infinity : encoded.v === '-inf' ? -Infinity : encoded.v));
    case 'list':
      return (encoded.v as Encoded[]).map(decode);
    case 'dict':
      return decodeDict(encoded.v as [Encoded, Encoded][]);
    default:
      return encoded.v;
  }
}

function decodeFloat(value: number): unknown {
  return Number.isSafeInteger(value) ? floatNode(value) : value;
}

function decodeDict(entries: readonly (readonly [Encoded, Encoded])[]): unknown {
  const decoded = entries.map(([key, value]): [unknown, unknown] => [decode(key), decode(value)]);
  return decoded.every(([key]) => typeof key === 'string')
    ? Object.fromEntries(decoded.map(([key, value]) => [String(key), value]))
    : new Map(decoded);
}

/** Writes what instantiation gave in the vectors' encoding. */
export function encode(built: Built): Encoded {
  const { value, node } = built;
  if (value instanceof RecordedCall) {
    const kwargs = value.kwargs.map(([name, child]) => [name, encode(child)]);
    return { t: 'object', target: value.target, args: value.args.map(encode), kwargs, partial: value.partial };
  }
  if (isPythonTarget(value)) return { t: 'ref', v: value.pythonName };
  if (isCallable(value)) return { t: 'ref', v: value.name };
  const info = containerInfo(value);
  if (info !== undefined) {
    const mark = info.isConfig ? { config: true } : {};
    if (Array.isArray(value)) return { t: 'list', ...mark, v: info.entries.map(([, child]) => encode(child)) };
    return { t: 'dict', ...mark, v: info.entries.map(([key, child]) => [encodeKey(key), encode(child)]) };
  }
  return node instanceof ScalarNode ? encodeNode(node) : encodePlain(value);
}

function encodeNode(node: ScalarNode): Encoded {
  if (node.isMissing) return { t: 'missing' };
  if (node.type === 'null') return { t: 'null' };
  if (node.type === 'bytes') return { t: 'bytes', v: Buffer.from(node.value as Uint8Array).toString('hex') };
  if (node.type === 'float') return { t: 'float', v: encodeFloat(Number(node.value)) };
  return { t: node.type, v: typeof node.value === 'bigint' ? String(node.value) : node.value };
}

function encodeFloat(value: number): unknown {
  if (Number.isNaN(value)) return 'nan';
  return Number.isFinite(value) ? value : value > 0 ? 'inf' : '-inf';
}

function encodeKey(key: ConfigKey): Encoded {
  if (key instanceof BytesKey) return { t: 'bytes', v: Buffer.from(key.bytes).toString('hex') };
  if (key instanceof FloatKey) return { t: 'float', v: encodeFloat(key.value) };
  return encodePlain(key);
}

function encodePlain(value: unknown): Encoded {
  if (value === null || value === undefined) return { t: 'null' };
  if (typeof value === 'boolean') return { t: 'bool', v: value };
  if (typeof value === 'string') return { t: 'str', v: value };
  if (typeof value === 'bigint') return { t: 'int', v: String(value) };
  if (typeof value === 'number') {
    return Number.isSafeInteger(value) ? { t: 'int', v: value } : { t: 'float', v: encodeFloat(value) };
  }
  if (Array.isArray(value)) return { t: 'list', v: value.map((item: unknown) => encode(new Built(item))) };
  const entries = Object.entries(value).map(([key, child]) => [encodePlain(key), encode(new Built(child))]);
  return { t: 'dict', v: entries };
}
