import { keyIdentity } from '../node/key.ts';
import type { ConfigNode, ScalarNode } from '../node/node.ts';

/** Python's `==` of two config values: 1, 1.0 and True are equal, mappings compare without order. */
export function pythonEqual(a: ConfigNode, b: ConfigNode): boolean {
  if (a.kind === 'scalar' && b.kind === 'scalar') return scalarsEqual(a, b);
  if (a.kind === 'list' && b.kind === 'list') {
    return a.size === b.size && a.items.every((item, place) => nodesEqual(item, b.get(place)));
  }
  if (a.kind === 'dict' && b.kind === 'dict') {
    return a.size === b.size && [...a.entries()].every(([key, child]) => nodesEqual(child, b.get(key)));
  }
  return false;
}

function nodesEqual(a: ConfigNode, b: ConfigNode | undefined): boolean {
  return b !== undefined && pythonEqual(a, b);
}

function scalarsEqual(a: ScalarNode, b: ScalarNode): boolean {
  if (a.value instanceof Uint8Array || b.value instanceof Uint8Array) {
    return a.value instanceof Uint8Array && b.value instanceof Uint8Array && Buffer.compare(a.value, b.value) === 0;
  }
  if (typeof a.value === 'string' || typeof b.value === 'string') return a.value === b.value;
  if (a.value === null || b.value === null) return a.value === b.value;
  if (Number.isNaN(a.value)) return false;
  return keyIdentity(a.value) === keyIdentity(b.value);
}
