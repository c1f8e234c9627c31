import { childFullKey, keyText } from '../container/fullKey.ts';
import { printText, printValue } from '../grammar/printer.ts';
import type { OverrideValue } from '../grammar/types.ts';
import { dictValue } from '../grammar/values.ts';
import type { ConfigKey } from '../node/key.ts';
import type { ConfigNode, DictNode, ListNode } from '../node/node.ts';
import { sameConfig } from './equality.ts';
import { valueOfKey, valueOfNode } from './nodeValue.ts';

export interface LeafEdits {
  /** Overrides of values, in an order in which they can be applied. */
  readonly overrides: readonly string[];
  /** Paths whose change no override can express: bytes, or keys that the grammar cannot write. */
  readonly inexpressible: readonly string[];
  /**
   * The values that the overrides spell out, and the deletions: what makes a list long. An override that gives a mapping
   * counts as its values do, since it could be written as so many overrides; a list is one value.
   */
  readonly weight: number;
}

/** The overrides of values that turn one config into another. A subtree that is new or replaced is one override. */
export function leafEdits(from: DictNode, to: DictNode): LeafEdits {
  const output = new Output();
  editDict(from, to, [], output);
  return { overrides: output.edits, inexpressible: output.inexpressible, weight: output.weight };
}

class Output {
  readonly edits: string[] = [];
  readonly inexpressible: string[] = [];
  weight = 0;

  say(override: string, weight: number): void {
    this.edits.push(override);
    this.weight += weight;
  }

  add(other: Output): void {
    this.edits.push(...other.edits);
    this.inexpressible.push(...other.inexpressible);
    this.weight += other.weight;
  }
}

/** How many values an override that gives this node spells out. */
function spelledOut(node: ConfigNode): number {
  if (node.kind !== 'dict') return 1;
  let sum = 0;
  for (const child of node.values()) sum += spelledOut(child);
  return Math.max(1, sum);
}

type Path = readonly string[];

const NAME = /^[A-Za-z_$][\w$-]*$/;
const INDEX = /^(?:0|[1-9]\d*)$/;

/** The path as an override's key, or `undefined` when the grammar cannot write it. */
function pathText(path: Path): string | undefined {
  if (path.length === 0 || !path.every((part) => NAME.test(part) || INDEX.test(part))) return undefined;
  const isLoneIndex = path.length === 1 && INDEX.test(path[0] ?? '');
  return isLoneIndex ? undefined : path.join('.');
}

function editDict(from: DictNode, to: DictNode, path: Path, output: Output): void {
  for (const [key, child] of from.entries()) {
    if (!to.has(key)) removeKey(from, key, child, path, output);
  }
  for (const [key, child] of to.entries()) {
    const old = from.get(key);
    if (old === undefined) addKey(to, key, child, path, output);
    else if (!sameConfig(old, child)) changeKey(to, key, old, child, path, output);
  }
}

function removeKey(dict: DictNode, key: ConfigKey, child: ConfigNode, path: Path, output: Output): void {
  const text = typeof key === 'string' ? pathText([...path, key]) : undefined;
  if (text === undefined) output.inexpressible.push(childFullKey(dict, child.key));
  else output.say(`~${text}`, 1);
}

function addKey(dict: DictNode, key: ConfigKey, child: ConfigNode, path: Path, output: Output): void {
  const text = typeof key === 'string' ? pathText([...path, key]) : undefined;
  const value = valueOfNode(child);
  if (value === undefined) output.inexpressible.push(childFullKey(dict, key));
  else if (text !== undefined) output.say(`+${text}=${topLevelText(value)}`, spelledOut(child));
  else mergeIntoParent('++', dict, child, value, path, output);
}

/** A key that no path can name may still stand in a mapping that is merged into its parent. */
function mergeIntoParent(
  prefix: '' | '++',
  dict: DictNode,
  child: ConfigNode,
  value: OverrideValue,
  path: Path,
  output: Output,
): void {
  const key = child.key ?? '';
  const parent = pathText(path);
  const keyValue = valueOfKey(key);
  if (parent === undefined || keyValue === undefined) output.inexpressible.push(childFullKey(dict, key));
  else output.say(`${prefix}${parent}=${printValue(dictValue([[keyValue, value]]))}`, spelledOut(child));
}

function changeKey(dict: DictNode, key: ConfigKey, from: ConfigNode, to: ConfigNode, path: Path, output: Output): void {
  const own = [...path, keyText(key)];
  if (from.kind === 'dict' && to.kind === 'dict' && typeof key === 'string') {
    changeDict(dict, key, from, to, own, output);
    return;
  }
  if (from.kind === 'list' && to.kind === 'list' && typeof key === 'string') {
    const inside = singleItemEdit(from, to, own);
    if (inside !== undefined) {
      output.add(inside);
      return;
    }
  }
  const value = valueOfNode(to);
  const text = typeof key === 'string' ? pathText(own) : undefined;
  if (value === undefined) output.inexpressible.push(childFullKey(dict, key));
  else if (text === undefined) mergeIntoParent('', dict, to, value, path, output);
  else if (mustBeReplaced(from, to)) replaceKey(text, to, value, output);
  else output.say(`${text}=${topLevelText(value)}`, spelledOut(to));
}

function replaceKey(text: string, to: ConfigNode, value: OverrideValue, output: Output): void {
  output.say(`~${text}`, 1);
  output.say(`+${text}=${topLevelText(value)}`, spelledOut(to));
}

/** A mapping is changed key by key, unless deleting it and giving it anew says less. */
function changeDict(dict: DictNode, key: string, from: DictNode, to: DictNode, path: Path, output: Output): void {
  const inner = new Output();
  editDict(from, to, path, inner);
  const text = pathText(path);
  const value = valueOfNode(to);
  const isReplaceable = text !== undefined && value !== undefined;
  if (isReplaceable && (inner.inexpressible.length > 0 || inner.weight > 1 + spelledOut(to))) {
    replaceKey(text, to, value, output);
  } else if (inner.inexpressible.length > 0 && !isReplaceable) {
    output.inexpressible.push(childFullKey(dict, key));
    output.edits.push(...inner.edits);
    output.weight += inner.weight;
  } else {
    output.add(inner);
  }
}

/** A list and a mapping cannot be merged into each other. */
function mustBeReplaced(from: ConfigNode, to: ConfigNode): boolean {
  return from.kind !== 'scalar' && to.kind !== 'scalar' && from.kind !== to.kind;
}

/** The one override that changes, extends or shortens a list from within, when there is one. */
function singleItemEdit(from: ListNode, to: ListNode, path: Path): Output | undefined {
  const output = new Output();
  const text = pathText(path);
  if (text === undefined) return undefined;
  const differing = from.items.flatMap((item, place) => {
    const other = to.get(place);
    return other === undefined || sameConfig(item, other) ? [] : [place];
  });
  if (from.size < to.size && differing.length === 0 && from.size > 0) {
    const added = to.items.slice(from.size).map(valueOfNode);
    if (!added.every((item) => item !== undefined)) return undefined;
    const extended = `${text}=extend_list(${added.map(printValue).join(',')})`;
    const whole = valueOfNode(to);
    const replaced = whole === undefined ? undefined : `${text}=${printValue(whole)}`;
    output.say(replaced === undefined || extended.length < replaced.length ? extended : replaced, 1);
    return output;
  }
  const [place] = differing;
  if (from.size !== to.size || differing.length !== 1 || place === undefined) return undefined;
  const [oldItem, newItem] = [from.get(place), to.get(place)];
  if (oldItem === undefined || newItem === undefined) return undefined;
  if (oldItem.kind === 'dict' && newItem.kind === 'dict') {
    editDict(oldItem, newItem, [...path, String(place)], output);
    return output.weight === 1 && output.inexpressible.length === 0 ? output : undefined;
  }
  const value = newItem.kind === 'scalar' && oldItem.kind === 'scalar' ? valueOfNode(newItem) : undefined;
  if (value === undefined) return undefined;
  output.say(`${text}.${place}=${topLevelText(value)}`, 1);
  return output;
}

/** A value right after `=`: the empty text needs nothing there. */
function topLevelText(value: OverrideValue): string {
  if (value.type !== 'str' || value.quote !== undefined) return printValue(value);
  return value.value === '' ? "''" : printText(value.value);
}
