import type { ConfigKey } from './key.ts';
import { type ConfigNode, DictNode, ListNode, ScalarNode } from './node.ts';
import type { Origin } from './origin.ts';

export function nullNode(origin?: Origin): ScalarNode {
  return new ScalarNode('null', null, origin);
}

export function boolNode(value: boolean, origin?: Origin): ScalarNode {
  return new ScalarNode('bool', value, origin);
}

/** A bigint that fits 2^53-1 is stored as a number, so that equal integers have one form. */
export function intNode(value: number | bigint, origin?: Origin): ScalarNode {
  return new ScalarNode('int', normalInteger(value), origin);
}

export function floatNode(value: number, origin?: Origin): ScalarNode {
  return new ScalarNode('float', value, origin);
}

export function strNode(value: string, origin?: Origin): ScalarNode {
  return new ScalarNode('str', value, origin);
}

export function bytesNode(value: Uint8Array, origin?: Origin): ScalarNode {
  return new ScalarNode('bytes', value, origin);
}

export function listNode(items: Iterable<ConfigNode> = [], origin?: Origin): ListNode {
  return new ListNode(items, origin);
}

export function dictNode(entries: Iterable<readonly [ConfigKey, ConfigNode]> = [], origin?: Origin): DictNode {
  return new DictNode(entries, origin);
}

/** A bigint narrowed to a number when that loses nothing. */
export function normalInteger(value: number | bigint): number | bigint {
  if (typeof value !== 'bigint') return value;
  const narrow = Number(value);
  return Number.isSafeInteger(narrow) ? narrow : value;
}
