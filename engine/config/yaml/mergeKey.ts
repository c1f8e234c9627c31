import { yamlError } from './mark.ts';
import { MERGE_TAG, STR_TAG, VALUE_TAG } from './tags.ts';
import type { YamlMapping, YamlNode } from './yamlNode.ts';

type Pair = [key: YamlNode, value: YamlNode];

/**
 * Refuses a string key that a mapping repeats and writes out its `<<` entries, in place. What is merged in goes first;
 * the mapping's own keys win, and of several sources the first. A mapping that is merged elsewhere stays written out,
 * as PyYAML leaves it, so a second look can find keys that two of its own sources share.
 */
export function flattenMapping(node: YamlMapping, source: string): void {
  const ownKeys = collectOwnKeys(node, source);
  const merged: Pair[] = [];
  const kept: Pair[] = [];
  for (const pair of node.pairs) {
    const [key, value] = pair;
    if (key.tag === MERGE_TAG) merged.push(...mergedPairs(node, value, source));
    else kept.push(key.tag === VALUE_TAG ? [{ ...key, tag: STR_TAG }, value] : pair);
  }
  const remaining = merged.filter(([key]) => !isStringKey(key) || !ownKeys.has(key.value));
  node.pairs = [...remaining, ...kept];
}

function isStringKey(key: YamlNode): key is YamlNode & { readonly kind: 'scalar' } {
  return key.kind === 'scalar' && key.tag === STR_TAG;
}

function collectOwnKeys(node: YamlMapping, source: string): Set<string> {
  const keys = new Set<string>();
  for (const [key] of node.pairs) {
    if (!isStringKey(key)) continue;
    if (keys.has(key.value)) {
      throw yamlError('ConstructorError', source, `found duplicate key ${key.value}`, key.start, {
        text: 'while constructing a mapping',
        mark: node.start,
      });
    }
    keys.add(key.value);
  }
  return keys;
}

function mergedPairs(node: YamlMapping, value: YamlNode, source: string): Pair[] {
  const fail = (problem: string, at: YamlNode): never => {
    throw yamlError('ConstructorError', source, problem, at.start, {
      text: 'while constructing a mapping',
      mark: node.start,
    });
  };
  if (value.kind === 'mapping') {
    flattenMapping(value, source);
    return value.pairs;
  }
  if (value.kind !== 'sequence') {
    return fail(`expected a mapping or list of mappings for merging, but found ${value.kind}`, value);
  }
  const parts: Pair[][] = [];
  for (const item of value.items) {
    if (item.kind !== 'mapping') return fail(`expected a mapping for merging, but found ${item.kind}`, item);
    flattenMapping(item, source);
    parts.push(item.pairs);
  }
  return parts.reverse().flat();
}
