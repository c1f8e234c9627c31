import { pythonFloat, pythonRepr } from '../grammar/pythonText.ts';
import { BytesKey, type ConfigKey, FloatKey } from '../node/key.ts';
import type { ConfigNode, ScalarNode } from '../node/node.ts';
import type { Value } from '../resolve/value.ts';

/** Python's `str(value)`: what an interpolation inside a longer text becomes. */
export function pythonStr(value: Value): string {
  return value.kind === 'scalar' && typeof value.value === 'string' ? value.value : pythonReprOf(value);
}

/** Python's `repr(value)`; the interpolations inside a container stay as they are written. */
export function pythonReprOf(value: Value): string {
  switch (value.kind) {
    case 'scalar':
      return scalarRepr(value);
    case 'list':
    case 'plain-list':
      return `[${value.items.map((item: ConfigNode | Value) => pythonReprOf(item)).join(', ')}]`;
    case 'dict':
      return dictRepr(value.entries());
    default:
      return dictRepr([...value.entries.values()].map(({ key, value: child }) => [key, child] as const));
  }
}

function dictRepr(entries: Iterable<readonly [ConfigKey, Value]>): string {
  const parts: string[] = [];
  for (const [key, value] of entries) parts.push(`${keyRepr(key)}: ${pythonReprOf(value)}`);
  return `{${parts.join(', ')}}`;
}

function keyRepr(key: ConfigKey): string {
  if (typeof key === 'string') return pythonRepr(key);
  if (key === null) return 'None';
  if (typeof key === 'boolean') return key ? 'True' : 'False';
  if (key instanceof FloatKey) return pythonFloat(key.value);
  return key instanceof BytesKey ? pythonBytesRepr(key.bytes) : key.toString();
}

function scalarRepr({ type, value }: ScalarNode): string {
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'string') return pythonRepr(value);
  if (value instanceof Uint8Array) return pythonBytesRepr(value);
  return type === 'float' && typeof value === 'number' ? pythonFloat(value) : value.toString();
}

/** Python's `repr` of bytes. */
export function pythonBytesRepr(bytes: Uint8Array): string {
  const quote = bytes.includes(0x27) && !bytes.includes(0x22) ? '"' : "'";
  let text = '';
  for (const byte of bytes) {
    const character = String.fromCharCode(byte);
    if (character === '\\' || character === quote) text += `\\${character}`;
    else if (character === '\n') text += '\\n';
    else if (character === '\r') text += '\\r';
    else if (character === '\t') text += '\\t';
    else if (byte < 0x20 || byte > 0x7e) text += `\\x${byte.toString(16).padStart(2, '0')}`;
    else text += character;
  }
  return `b${quote}${text}${quote}`;
}

/** The name of a value's Python class. */
export function pythonTypeOf(value: Value): string {
  switch (value.kind) {
    case 'scalar':
      return value.type === 'null' ? 'NoneType' : value.type;
    case 'list':
      return 'ListConfig';
    case 'dict':
      return 'DictConfig';
    case 'plain-list':
      return 'list';
    default:
      return 'dict';
  }
}

/** Python's text for the class itself: `<class 'int'>`. */
export function pythonClassText(value: Value): string {
  const name = pythonTypeOf(value);
  return name.endsWith('Config') ? `<class 'omegaconf.${name.toLowerCase()}.${name}'>` : `<class '${name}'>`;
}
