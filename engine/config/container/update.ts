import { ConfigError } from '../errors.ts';
import { parsePythonInt } from '../grammar/pythonText.ts';
import type { ConfigKey } from '../node/key.ts';
import { type ConfigNode, type ContainerNode, DictNode } from '../node/node.ts';
import { isPythonInteger } from '../python/number.ts';
import type { ResolveContext } from '../resolve/context.ts';
import { Resolution } from '../resolve/resolution.ts';
import { isContainer } from '../resolve/value.ts';
import { loadYamlValue, toConfigNode } from '../yaml/load.ts';
import { getNode, setNode } from './access.ts';
import { splitKeyPath } from './keyPath.ts';
import { mergeWith } from './merge.ts';

export interface UpdateOptions {
  /** True (the default): a mapping is merged into the one that is there. False: it replaces it. */
  readonly merge?: boolean;
  /** Create the path also where struct mode forbids it. */
  readonly forceAdd?: boolean;
}

/** Deeper paths make trees that nothing else would walk. */
const DEEPEST_PATH = 200;

/**
 * Sets the value under a dotted key, creating mappings on the way and following interpolations to containers. The value
 * is copied. Throws ConfigAttributeError and ConfigKeyError in struct mode, ReadonlyConfigError, ConfigIndexError,
 * ConfigTypeError where a list meets a mapping, ValueError for a list index that is no integer.
 */
export function update(
  config: ContainerNode,
  key: string,
  value: ConfigNode,
  context: ResolveContext,
  options: UpdateOptions = {},
): void {
  const { merge = true, forceAdd = false } = options;
  const parts = splitKeyPath(key);
  if (parts.length > DEEPEST_PATH) {
    throw new ConfigError(
      'RecursionError',
      `The key begins '${key.slice(0, 40)}…' and has more than ${DEEPEST_PATH} parts`,
    );
  }
  let container = config;
  for (const part of parts.slice(0, -1)) container = enter(container, part, context, forceAdd);
  const lastPart = parts.at(-1) ?? '';
  const last: ConfigKey = container.kind === 'list' ? Number(parsePythonInt(lastPart)) : lastPart;
  withoutStruct(container, forceAdd, () => {
    if (merge && value.kind !== 'scalar') {
      const existing = getNode(container, last);
      if (existing !== undefined && existing.kind !== 'scalar') {
        mergeWith(existing, [value], context);
        return;
      }
    }
    setNode(container, last, value.clone(), container.kind === 'dict' ? 'attribute' : 'item');
  });
}

/** The container under one part of the path; a value that is none gives way to an empty mapping. */
function enter(container: ContainerNode, part: string, context: ResolveContext, forceAdd: boolean): ContainerNode {
  const key = childKeyOf(container, part);
  const child = container.kind === 'dict' ? container.get(key) : itemAt(container, key);
  const target = child === undefined ? undefined : new Resolution(context).dereference(child);
  if (target !== undefined && isContainer(target)) return target;
  const created = new DictNode();
  withoutStruct(container, forceAdd, () => setNode(container, key, created));
  return created;
}

function childKeyOf(container: ContainerNode, part: string): ConfigKey {
  if (container.kind === 'dict') return part;
  if (isPythonInteger(part)) return Number(parsePythonInt(part));
  throw new ConfigError('TypeError', `Index '${part}' (str) is not an int`);
}

function itemAt(list: ContainerNode & { readonly kind: 'list' }, key: ConfigKey): ConfigNode | undefined {
  const index = Number(key);
  return list.get(index < 0 ? index + list.size : index);
}

function withoutStruct(container: ContainerNode, lift: boolean, action: () => void): void {
  if (!lift) {
    action();
    return;
  }
  const before = container.flags;
  container.setFlag('struct', false);
  try {
    action();
  } finally {
    container.flags = before;
  }
}

/**
 * Merges `key=value` texts, whose values are YAML; a text without `=` sets null. Throws like `update` and what reading
 * the YAML throws.
 */
export function updateFromDotlist(config: ContainerNode, dotlist: readonly string[], context: ResolveContext): void {
  for (const text of dotlist) {
    const equals = text.indexOf('=');
    const key = equals < 0 ? text : text.slice(0, equals);
    const yaml = equals < 0 ? 'null' : text.slice(equals + 1);
    update(config, key, toConfigNode(loadYamlValue(yaml, { source: text })), context);
  }
}
