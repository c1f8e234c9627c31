import { EngineError } from '../api/errors.ts';
import {
  type ConfigNode,
  DictNode,
  isHydraOverride,
  type ListNode,
  leafEdits,
  loadYaml,
  parseOverride,
  splitKeyPath,
} from '../config/index.ts';

export interface OverrideEdit {
  readonly overrides: readonly string[];
  /** Dotted path of the value: `optimizer.lr`, `layers[0].size`. */
  readonly path: string;
  /** In YAML flow syntax; undefined deletes. */
  readonly value: string | undefined;
}

/**
 * The override list after a click: `path` set to a value, added or deleted. An override of the same value is replaced,
 * and left out where the config says the same without it; the others stay as they were written. `compose` gives the
 * config for a list of overrides. Throws `config.edit.…` and YAML errors.
 */
export function editOverrides(edit: OverrideEdit, compose: (overrides: readonly string[]) => DictNode): string[] {
  const wanted = compose(edit.overrides).clone();
  changeAt(wanted, splitKeyPath(edit.path), edit.path, edit.value);
  const others = withoutValueOverrides(edit.overrides, edit.path);
  const { overrides, inexpressible } = leafEdits(compose(others), wanted);
  if (inexpressible.length === 0) return [...others, ...overrides];
  throw new EngineError(
    'config.edit.inexpressible',
    `No override can say this change of '${inexpressible.join("', '")}'. Change the config file instead.`,
    { paths: inexpressible },
  );
}

/** The overrides without those of the value itself, or of the list that it stands in. */
export function withoutValueOverrides(overrides: readonly string[], path: string): string[] {
  const keys = [splitKeyPath(path).join('.'), path.split('[')[0] ?? ''];
  return overrides.filter((text) => !keys.some((key) => isValueOverrideOf(text, key)));
}

/** The node at a dotted path, not following interpolations. */
export function nodeAt(root: DictNode, path: string): ConfigNode | undefined {
  let node: ConfigNode | undefined = root;
  for (const part of splitKeyPath(path)) node = node && childOf(node, part);
  return node;
}

function isValueOverrideOf(text: string, key: string): boolean {
  try {
    const override = parseOverride(text, 0);
    return override.keyOrGroup === key && override.package === undefined && !isHydraOverride(override);
  } catch {
    return false; // a broken override stays where its owner can see and mend it
  }
}

function changeAt(root: DictNode, parts: readonly string[], path: string, value: string | undefined): void {
  const parents = parts.slice(0, -1);
  const last = parts.at(-1) ?? '';
  let container: ConfigNode = root;
  for (const part of parents) {
    const child: ConfigNode | undefined = childOf(container, part);
    if (child !== undefined && child.kind !== 'scalar') container = child;
    else if (child === undefined && container.kind === 'dict' && value !== undefined) {
      const made = new DictNode();
      container.set(part, made);
      container = made;
    } else throw noSuchItem(path);
  }
  if (container.kind === 'list') changeItem(container, Number(last), path, value);
  else if (container.kind === 'dict') {
    const key = childOf(container, last)?.key ?? last;
    if (value === undefined) container.delete(key);
    else container.set(key, parseValue(value));
  }
}

function changeItem(list: ListNode, index: number, path: string, value: string | undefined): void {
  if (list.get(index) === undefined) throw noSuchItem(path);
  if (value !== undefined) list.set(index, parseValue(value));
  else {
    const rest = list.items.filter((_, other) => other !== index);
    list.items.length = 0;
    for (const item of rest) list.push(item);
  }
}

function childOf(node: ConfigNode, part: string): ConfigNode | undefined {
  if (node.kind === 'list') return node.get(Number(part));
  if (node.kind !== 'dict') return undefined;
  return node.get(part) ?? [...node.values()].find((child) => String(child.key) === part);
}

function parseValue(text: string): ConfigNode {
  const list = loadYaml(`- ${text === '' ? "''" : text}`, { source: 'the value' });
  const [item] = list.kind === 'list' ? list.items : [];
  if (item) return item;
  throw new EngineError('config.edit.no-value', `'${text}' is no YAML value.`, { text });
}

function noSuchItem(path: string): EngineError {
  return new EngineError('config.edit.no-such-item', `The config has no '${path}'.`, { path });
}
