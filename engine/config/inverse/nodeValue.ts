import type { OverrideValue, ScalarOverrideValue } from '../grammar/types.ts';
import { boolValue, dictValue, floatValue, intValue, NULL_VALUE, stringValue } from '../grammar/values.ts';
import { BytesKey, type ConfigKey, FloatKey } from '../node/key.ts';
import type { ConfigNode } from '../node/node.ts';

/** A config value as an override's value; `undefined` for bytes, which the command line cannot write. */
export function valueOfNode(node: ConfigNode): OverrideValue | undefined {
  if (node.kind === 'list') {
    const items = node.items.map(valueOfNode);
    return items.every((item) => item !== undefined) ? { type: 'list', items } : undefined;
  }
  if (node.kind === 'dict') {
    const entries: (readonly [ScalarOverrideValue, OverrideValue])[] = [];
    for (const [key, child] of node.entries()) {
      const keyValue = valueOfKey(key);
      const value = valueOfNode(child);
      if (keyValue === undefined || value === undefined) return undefined;
      entries.push([keyValue, value]);
    }
    return dictValue(entries);
  }
  const { type, value } = node;
  if (value === null) return NULL_VALUE;
  if (typeof value === 'boolean') return boolValue(value);
  if (typeof value === 'string') return stringValue(value);
  if (value instanceof Uint8Array) return undefined;
  return type === 'float' ? floatValue(Number(value)) : intValue(value);
}

/** A mapping's key inside an override's value. */
export function valueOfKey(key: ConfigKey): ScalarOverrideValue | undefined {
  if (key === null) return NULL_VALUE;
  if (typeof key === 'string') return stringValue(key);
  if (typeof key === 'boolean') return boolValue(key);
  if (key instanceof FloatKey) return floatValue(key.value);
  return key instanceof BytesKey ? undefined : intValue(key);
}
