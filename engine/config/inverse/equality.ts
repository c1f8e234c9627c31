import { keyType } from '../node/key.ts';
import type { ConfigNode } from '../node/node.ts';

/** The same values of the same types (1 is not 1.0), keys in any order. */
export function sameConfig(a: ConfigNode, b: ConfigNode): boolean {
  if (a.kind === 'scalar' || b.kind === 'scalar') {
    return a.kind === 'scalar' && b.kind === 'scalar' && a.type === b.type && sameScalar(a.value, b.value);
  }
  if (a.size !== b.size) return false;
  if (a.kind === 'list' || b.kind === 'list') {
    return a.kind === 'list' && b.kind === 'list' && a.items.every((item, place) => sameOptional(item, b.get(place)));
  }
  for (const [key, child] of a.entries()) {
    const other = b.get(key);
    if (other === undefined || !sameConfig(child, other)) return false;
    if (other.key !== undefined && keyType(other.key) !== keyType(key)) return false;
  }
  return true;
}

function sameOptional(a: ConfigNode, b: ConfigNode | undefined): boolean {
  return b !== undefined && sameConfig(a, b);
}

function sameScalar(a: unknown, b: unknown): boolean {
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b) === 0;
  return Object.is(a, b);
}
