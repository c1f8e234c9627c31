import { keyText } from '../../container/fullKey.ts';
import { ScalarNode } from '../../node/node.ts';
import { scalarKey } from '../../node/scalarKey.ts';
import { constructYaml } from '../construct.ts';
import type { Span } from '../mark.ts';
import { MERGE_TAG, STR_TAG } from '../tags.ts';
import type { YamlMapping, YamlNode, YamlSequence } from '../yamlNode.ts';

/** A value that is written in the text. */
export interface FoundValue {
  readonly kind: 'value';
  readonly node: YamlNode;
  /** Set when an alias stands there instead of the value. */
  readonly alias: Span | undefined;
  readonly inFlow: boolean;
  /** The indentation of the collection that holds it. */
  readonly indent: number;
}

/** A key that is not written yet, in a collection that is. */
export interface AbsentValue {
  readonly kind: 'absent';
  readonly container: YamlMapping | YamlSequence;
  readonly inFlow: boolean;
  /** The parts of the path that are missing, at least one. */
  readonly rest: readonly string[];
}

/** The way to the value leads over an alias: it is written elsewhere. */
export interface BehindAlias {
  readonly kind: 'alias';
  readonly alias: Span;
  readonly anchor: string;
  readonly path: string;
}

/** The way ends at a scalar that cannot hold the rest. */
export interface Blocked {
  readonly kind: 'blocked';
  readonly path: string;
}

export type Located = FoundValue | AbsentValue | BehindAlias | Blocked;

/** Where the value under a path is written. */
export function locate(root: YamlNode, path: readonly string[], source: string): Located {
  let found: FoundValue = { kind: 'value', node: root, alias: undefined, inFlow: false, indent: -1 };
  for (const [index, part] of path.entries()) {
    const { node, alias } = found;
    const walked = path.slice(0, index).join('.');
    if (alias !== undefined) return { kind: 'alias', alias, anchor: node.anchor ?? '', path: walked };
    if (node.kind === 'scalar') return { kind: 'blocked', path: walked };
    const inFlow: boolean = found.inFlow || node.flow;
    const at: number = node.kind === 'mapping' ? pairIndex(node, part, source) : itemIndex(node, part);
    const child = node.kind === 'mapping' ? node.pairs[at]?.[1] : node.items[at];
    if (child === undefined) return { kind: 'absent', container: node, inFlow, rest: path.slice(index) };
    found = { kind: 'value', node: child, alias: node.aliases?.get(at), inFlow, indent: node.contentStart.column };
  }
  return found;
}

function pairIndex(node: YamlMapping, part: string, source: string): number {
  return node.pairs.findLastIndex(([key]) => keyTextOf(key, source) === part);
}

/** The key as it stands in a path: strings as they are, others as Python prints them. */
function keyTextOf(key: YamlNode, source: string): string | undefined {
  if (key.kind !== 'scalar' || key.tag === MERGE_TAG) return undefined;
  if (key.tag === STR_TAG) return key.value;
  const value = constructYaml(key, source, null);
  return value.kind === 'scalar' ? keyText(scalarKey(new ScalarNode(value.type, value.value))) : undefined;
}

function itemIndex(node: YamlSequence, part: string): number {
  if (!/^-?\d+$/.test(part)) return -1;
  const index = Number(part);
  return index < 0 ? index + node.items.length : index;
}

/** Where a value's text ends: a block collection ends with its last child, before the comments that follow it. */
export function contentEnd(node: YamlNode, text: string): number {
  if (node.kind === 'scalar') return trimmedEnd(node.end.index, node.contentStart.index, text);
  if (node.flow) return node.end.index;
  const last = node.kind === 'sequence' ? node.items.length - 1 : node.pairs.length - 1;
  const alias = node.aliases?.get(last);
  if (alias !== undefined) return alias.end.index;
  const child = node.kind === 'sequence' ? node.items[last] : node.pairs[last]?.[1];
  return child === undefined ? node.contentStart.index : contentEnd(child, text);
}

/** A block scalar's mark stands behind its last line break. */
function trimmedEnd(end: number, start: number, text: string): number {
  let at = end;
  while (at > start && /[\r\n]/.test(text[at - 1] ?? '')) at -= 1;
  return at;
}
