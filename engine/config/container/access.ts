import { ConfigError } from '../errors.ts';
import { type ConfigKey, keyType } from '../node/key.ts';
import type { ConfigNode, ContainerNode, DictNode, ListNode } from '../node/node.ts';
import { closeMatchHint } from './closeMatches.ts';
import { telling, withPath } from './failure.ts';
import { keyText } from './fullKey.ts';

/** Reading a key that a mapping in struct mode does not have is an error; elsewhere it is undefined. */
export function getNode(container: ContainerNode, key: ConfigKey): ConfigNode | undefined {
  if (container.kind === 'list') return telling(container, key, () => listNodeAt(container, key));
  const node = container.get(key);
  if (node === undefined && container.getFlag('struct')) throw notInStruct(container, key);
  return node;
}

function notInStruct(dict: DictNode, key: ConfigKey): ConfigError {
  const text = keyText(key);
  const hint = closeMatchHint(text, [...dict.keys()].map(keyText));
  return withPath(new ConfigError('ConfigAttributeError', `Key '${text}' is not in struct${hint}`), dict, key);
}

/** "Missing key c", with the keys that were perhaps meant. */
export function missingKey(dict: DictNode, key: ConfigKey): ConfigError {
  const text = keyText(key);
  return new ConfigError('ConfigKeyError', `Missing key ${text}${closeMatchHint(text, [...dict.keys()].map(keyText))}`);
}

function listNodeAt(list: ListNode, key: ConfigKey): ConfigNode {
  const node = list.items[listIndex(list, key)];
  if (node === undefined) throw new ConfigError('IndexError', 'list index out of range');
  return node;
}

/** The index that a key means in a list: negative ones count from the end. Throws for a key that is no integer. */
function listIndex(list: ListNode, key: ConfigKey): number {
  if (typeof key !== 'number' && typeof key !== 'boolean') {
    throw new ConfigError(
      'KeyValidationError',
      `ListConfig indices must be integers or slices, not ${keyType(key) === 'null' ? 'NoneType' : keyType(key)}`,
    );
  }
  const index = Number(key);
  return index < 0 ? index + list.size : index;
}

/** How a setting is told apart in errors: `config[key] = value` or `config.key = value`. */
export type Setting = 'item' | 'attribute';

/**
 * Puts a node under a key, minding the flags. The node must not belong to another container; the one it replaces is
 * kept as the one it beat. Throws ConfigKeyError (ConfigAttributeError for 'attribute') where struct mode has no such
 * key, ReadonlyConfigError and ConfigIndexError.
 */
export function setNode(container: ContainerNode, key: ConfigKey, node: ConfigNode, setting: Setting = 'item'): void {
  const exceptions = setting === 'item' ? { ConfigAttributeError: 'ConfigKeyError' } : {};
  telling(
    container,
    key,
    () => {
      if (container.kind === 'list') setListItem(container, key, node);
      else setDictItem(container, key, node);
    },
    exceptions,
  );
}

function setDictItem(dict: DictNode, key: ConfigKey, node: ConfigNode): void {
  // As in OmegaConf: only for ordinary values the missing key is noticed before the read-only flag.
  if (!node.isInterpolation && !node.isMissing) getNode(dict, key);
  if (dict.getFlag('readonly'))
    throw new ConfigError('ReadonlyConfigError', 'Cannot change read-only config container');
  const old = getNode(dict, key);
  if (old !== undefined && old !== node) node.beat = old;
  dict.set(key, node);
}

function setListItem(list: ListNode, key: ConfigKey, node: ConfigNode): void {
  const index = listIndex(list, key);
  if (list.getFlag('readonly')) throw new ConfigError('ReadonlyConfigError', 'ListConfig is read-only');
  const old = listNodeAt(list, key);
  if (old !== node) node.beat = old;
  list.set(index, node);
}
