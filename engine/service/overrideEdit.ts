import { EngineError } from '../api/errors.ts';
import { splitKeyPath } from '../config/container/keyPath.ts';
import type { OverrideValue, ScalarOverrideValue } from '../config/grammar/types.ts';
import {
  BytesKey,
  type ConfigKey,
  type ConfigNode,
  type ContainerNode,
  FloatKey,
  isHydraOverride,
  ListNode,
  parseOverride,
  printText,
  printValue,
  type ScalarNode,
} from '../config/index.ts';
import { loadYaml } from '../config/yaml/load.ts';
import { scalarText } from './scalarText.ts';

export interface OverrideEdit {
  readonly overrides: readonly string[];
  /** Dotted path of the value: `optimizer.lr`, `layers[0].size`. */
  readonly path: string;
  /** In YAML flow syntax; undefined deletes. */
  readonly value: string | undefined;
}

/**
 * The override list after a click: `path` set to a value, added or deleted. An override of the same path is replaced, and
 * left out where the config says the same without it. Overrides cannot name items of a list, so a change in a list sets
 * the whole list. `compose` gives the config for a list of overrides. Throws `config.edit.no-such-item` and YAML errors.
 */
export function editOverrides(edit: OverrideEdit, compose: (overrides: readonly string[]) => ContainerNode): string[] {
  const { key, inside } = splitAtList(edit.path);
  const others = edit.overrides.filter((text) => !isValueOverrideOf(text, key));
  const without = nodeAt(compose(others), key);
  if (inside.length === 0) return [...others, ...overrideFor(key, without, edit.value)];
  const list = nodeAt(compose(edit.overrides), key)?.clone();
  const changed = list && changeInside(list, inside, edit.value);
  if (!changed)
    throw new EngineError('config.edit.no-such-item', `The config has no '${edit.path}'.`, { path: edit.path });
  const text = printValue(overrideValue(changed));
  return without && printValue(overrideValue(without)) === text ? others : [...others, `${key}=${text}`];
}

/** A value as an override writes it. */
export function overrideText(node: ConfigNode): string {
  return printValue(overrideValue(node));
}

function overrideFor(key: string, without: ConfigNode | undefined, value: string | undefined): string[] {
  if (value === undefined) return without === undefined ? [] : [`~${key}`];
  const wanted = parseValue(value);
  if (without === undefined) return [`+${key}=${overrideText(wanted)}`];
  return isSameValue(without, wanted) ? [] : [`${key}=${overrideText(wanted)}`];
}

/** The path up to the first list index, and the keys behind it. */
function splitAtList(path: string): { readonly key: string; readonly inside: readonly string[] } {
  const bracket = path.indexOf('[');
  if (bracket === -1) return { key: path, inside: [] };
  return { key: path.slice(0, bracket), inside: splitKeyPath(path.slice(bracket)) };
}

function isValueOverrideOf(text: string, key: string): boolean {
  try {
    const override = parseOverride(text, 0);
    return override.keyOrGroup === key && override.package === undefined && !isHydraOverride(override);
  } catch {
    return false; // a broken override stays where its owner can see and mend it
  }
}

function nodeAt(root: ConfigNode, path: string): ConfigNode | undefined {
  let node: ConfigNode | undefined = root;
  for (const part of splitKeyPath(path)) node = node && childAt(node, part);
  return node;
}

function childAt(node: ConfigNode, part: string): ConfigNode | undefined {
  if (node.kind === 'list') return node.get(Number(part));
  if (node.kind !== 'dict') return undefined;
  return node.get(part) ?? [...node.values()].find((child) => String(child.key) === part);
}

function changeInside(node: ConfigNode, path: readonly string[], value: string | undefined): ConfigNode | undefined {
  const [part = '', ...rest] = path;
  const child = childAt(node, part);
  if (child === undefined || node.kind === 'scalar') return undefined;
  if (rest.length > 0) return changeInside(child, rest, value) && node;
  if (node.kind === 'list') {
    if (value !== undefined) node.set(Number(part), parseValue(value));
    else return new ListNode(node.items.filter((_, index) => index !== Number(part)));
  } else if (child.key !== undefined) {
    if (value === undefined) node.delete(child.key);
    else node.set(child.key, parseValue(value));
  }
  return node;
}

function parseValue(text: string): ConfigNode {
  const list = loadYaml(`- ${text === '' ? "''" : text}`, { source: 'the value' });
  const [item] = list.kind === 'list' ? list.items : [];
  if (item) return item;
  throw new EngineError('config.edit.no-value', `'${text}' is no YAML value.`, { text });
}

function isSameValue(a: ConfigNode, b: ConfigNode): boolean {
  if (a.kind === 'scalar' && b.kind === 'scalar') return a.type === b.type && scalarText(a) === scalarText(b);
  return a.kind === b.kind && overrideText(a) === overrideText(b);
}

function overrideValue(node: ConfigNode): OverrideValue {
  switch (node.kind) {
    case 'scalar':
      return scalarValue(node);
    case 'list':
      return { type: 'list', items: node.items.map(overrideValue) };
    default:
      return {
        type: 'dict',
        entries: [...node.entries()].map(([key, child]) => [keyValue(key), overrideValue(child)]),
      };
  }
}

function scalarValue({ type, value }: ScalarNode): ScalarOverrideValue {
  if (value === null) return { type: 'null' };
  if (typeof value === 'boolean') return { type: 'bool', value };
  if (typeof value === 'bigint') return { type: 'int', value };
  if (typeof value === 'number') return type === 'float' ? { type: 'float', value } : { type: 'int', value };
  if (typeof value === 'string') return textValue(value);
  throw new EngineError('config.edit.bytes', 'An override cannot write binary values. Change the file instead.');
}

/** Quotes read better than escapes. */
function textValue(value: string): ScalarOverrideValue {
  return printText(value) === value ? { type: 'str', value } : { type: 'str', value, quote: "'" };
}

function keyValue(key: ConfigKey): ScalarOverrideValue {
  if (key === null) return { type: 'null' };
  if (typeof key === 'boolean') return { type: 'bool', value: key };
  if (typeof key === 'string') return { type: 'str', value: key };
  if (key instanceof FloatKey) return { type: 'float', value: key.value };
  if (key instanceof BytesKey) throw new EngineError('config.edit.bytes', 'An override cannot write binary keys.');
  return { type: 'int', value: key };
}
