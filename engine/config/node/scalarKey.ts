import { BytesKey, type ConfigKey, FloatKey } from './key.ts';
import type { ScalarNode } from './node.ts';

/** A scalar as the key of a mapping. */
export function scalarKey({ type, value }: ScalarNode): ConfigKey {
  if (value instanceof Uint8Array) return new BytesKey(value);
  return type === 'float' && typeof value === 'number' ? new FloatKey(value) : value;
}
