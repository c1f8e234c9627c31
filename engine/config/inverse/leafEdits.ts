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
}

/** The overrides of values that turn one config into another. A subtree that is new or replaced is one override. */
export function leafEdits(from: DictNode, to: DictNode): LeafEdits {
  const edits: string[] = [];
  const inexpressible: string[] = [];
  editDict(from, to, [], { edits, inexpressible });
  return { overrides: edits, inexpressible };
}

interface Output {
  readonly edits: string[];
  readonly inexpressible: string[];
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
  else output.edits.push(`~${text}`);
}

function addKey(dict: DictNode, key: ConfigKey, child: ConfigNode, path: Path, output: Output): void {
  const text = typeof key === 'string' ? pathText([...path, key]) : undefined;
  const value = valueOfNode(child);
  if (value === undefined) output.inexpressible.push(childFullKey(dict, key));
  else if (text !== undefined) output.edits.push(`+${text}=${topLevelText(value)}`);
  else mergeIntoParent('++', dict, key, value, path, output);
}

/** A key that no path can name may still stand in a mapping that is merged into its parent. */
function mergeIntoParent(
  prefix: '' | '++',
  dict: DictNode,
  key: ConfigKey,
  value: OverrideValue,
  path: Path,
  output: Output,
): void {
  const parent = pathText(path);
  const keyValue = valueOfKey(key);
  if (parent === undefined || keyValue === undefined) output.inexpressible.push(childFullKey(dict, key));
  else output.edits.push(`${prefix}${parent}=${printValue(dictValue([[keyValue, value]]))}`);
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
      output.edits.push(inside);
      return;
    }
  }
  const value = valueOfNode(to);
  const text = typeof key === 'string' ? pathText(own) : undefined;
  if (value === undefined) output.inexpressible.push(childFullKey(dict, key));
  else if (text === undefined) mergeIntoParent('', dict, key, value, path, output);
  else if (mustBeReplaced(from, to)) output.edits.push(`~${text}`, `+${text}=${topLevelText(value)}`);
  else output.edits.push(`${text}=${topLevelText(value)}`);
}

/** A mapping is changed key by key, unless replacing it takes fewer overrides. */
function changeDict(dict: DictNode, key: string, from: DictNode, to: DictNode, path: Path, output: Output): void {
  const inner: Output = { edits: [], inexpressible: [] };
  editDict(from, to, path, inner);
  const text = pathText(path);
  const value = valueOfNode(to);
  const isReplaceable = text !== undefined && value !== undefined;
  if (isReplaceable && (inner.edits.length > 2 || inner.inexpressible.length > 0) && replacesBetter(inner, from, to)) {
    output.edits.push(`~${text}`, `+${text}=${topLevelText(value)}`);
    return;
  }
  if (inner.inexpressible.length > 0 && !isReplaceable) output.inexpressible.push(childFullKey(dict, key));
  else output.inexpressible.push(...inner.inexpressible);
  output.edits.push(...inner.edits);
}

/** Replacing hides what changed, so it is left to what cannot be told otherwise and to mappings that lose everything. */
function replacesBetter(inner: Output, from: DictNode, to: DictNode): boolean {
  if (inner.inexpressible.length > 0) return true;
  return [...from.keys()].every((key) => !to.has(key)) && to.size > 0;
}

/** A list and a mapping cannot be merged into each other. */
function mustBeReplaced(from: ConfigNode, to: ConfigNode): boolean {
  return from.kind !== 'scalar' && to.kind !== 'scalar' && from.kind !== to.kind;
}

/** The one override that changes, extends or shortens a list from within, when there is one. */
function singleItemEdit(from: ListNode, to: ListNode, path: Path): string | undefined {
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
    return replaced === undefined || extended.length < replaced.length ? extended : replaced;
  }
  const [place] = differing;
  if (from.size !== to.size || differing.length !== 1 || place === undefined) return undefined;
  const inner: Output = { edits: [], inexpressible: [] };
  const [oldItem, newItem] = [from.get(place), to.get(place)];
  if (oldItem === undefined || newItem === undefined) return undefined;
  if (oldItem.kind === 'dict' && newItem.kind === 'dict') {
    editDict(oldItem, newItem, [...path, String(place)], inner);
    return inner.edits.length === 1 && inner.inexpressible.length === 0 ? inner.edits[0] : undefined;
  }
  const value = newItem.kind === 'scalar' && oldItem.kind === 'scalar' ? valueOfNode(newItem) : undefined;
  return value === undefined ? undefined : `${text}.${place}=${topLevelText(value)}`;
}

/** A value right after `=`: the empty text needs nothing there. */
function topLevelText(value: OverrideValue): string {
  if (value.type !== 'str' || value.quote !== undefined) return printValue(value);
  return value.value === '' ? "''" : printText(value.value);
}
