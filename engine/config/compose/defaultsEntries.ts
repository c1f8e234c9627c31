import { didYouMean } from '../../base/nearest.ts';
import { ConfigError } from '../errors.ts';
import type { ConfigNode, DictNode, ListNode } from '../node/node.ts';
import type { Origin } from '../node/origin.ts';
import { isStringKey } from '../node/plain.ts';
import { pythonReprOf } from '../python/repr.ts';

/** `- db/mysql@pkg` */
export interface ConfigEntry {
  readonly kind: 'config';
  readonly path: string;
  readonly package: string | undefined;
  readonly origin: Origin | undefined;
}

/** `- optional db@pkg: mysql`; several options make a list, `null` no choice. */
export interface GroupEntry {
  readonly kind: 'group';
  readonly group: string;
  readonly value: string | null | readonly string[];
  readonly package: string | undefined;
  readonly optional: boolean;
  readonly override: boolean;
  /** The group as written when `group: sub/option` was read as `group/sub: option`. */
  readonly originalGroup: string | undefined;
  readonly origin: Origin | undefined;
}

export type DefaultsEntry = ConfigEntry | GroupEntry;

/**
 * The defaults list of a config, read from its `defaults` key. Throws Hydra's ValueErrors for what a defaults list
 * cannot hold, with the place of the item.
 */
export function readDefaultsEntries(configPath: string, config: ConfigNode): readonly DefaultsEntry[] {
  if (config.kind !== 'dict') return [];
  const defaults = config.get('defaults');
  if (defaults === undefined || defaults.isMissing) return [];
  if (defaults.kind !== 'list') {
    const type = defaults.kind === 'dict' ? 'mapping' : pythonTypeOf(defaults);
    throw failure(
      `Invalid defaults list in '${configPath}', defaults must be a list (got ${type})`,
      defaults.keyOrigin ?? defaults.origin,
    );
  }
  return defaults.items.map((item) => readItem(configPath, item));
}

function failure(message: string, origin: Origin | undefined, hint = ''): ConfigError {
  return new ConfigError('ValueError', message, { origin, details: hint === '' ? {} : { hint: hint.trim() } });
}

function readItem(configPath: string, item: ConfigNode): DefaultsEntry {
  if (item.kind === 'dict') return readGroup(configPath, item);
  if (item.kind === 'scalar' && typeof item.value === 'string') return readConfig(item.value, item.origin);
  const type = item.kind === 'list' ? 'ListConfig' : pythonTypeOf(item);
  throw failure(`Unsupported type in defaults : ${type}`, item.origin);
}

function readConfig(text: string, origin: Origin | undefined): ConfigEntry {
  const { name, package: packageName } = splitPackage(text);
  if (name === '_self_' && packageName !== undefined) throw failure('_self_@PACKAGE is not supported', origin);
  return { kind: 'config', path: name, package: packageName, origin };
}

/** `group@package`; of the old rename form `group@from:to` Hydra keeps `from`. `_here_` is the empty package. */
function splitPackage(text: string): { readonly name: string; readonly package: string | undefined } {
  const at = text.indexOf('@');
  if (at === -1) return { name: text, package: undefined };
  const [packageName = ''] = text.slice(at + 1).split(':', 1);
  return { name: text.slice(0, at), package: packageName === '_here_' ? '' : packageName };
}

function readGroup(configPath: string, item: DictNode): GroupEntry {
  const keys = [...item.keys()];
  if (keys.length > 1) {
    throw failure(`In ${configPath}: Too many keys in default item ${pythonReprOf(item)}`, item.origin);
  }
  const [key] = keys;
  if (key === undefined) throw failure(`In ${configPath}: Missing group name in ${pythonReprOf(item)}`, item.origin);
  const valueNode = item.get(key);
  const origin = valueNode?.keyOrigin ?? item.origin;
  if (!isStringKey(key) || valueNode === undefined) throw new ConfigError('AssertionError', '', { origin });
  const { name, package: packageName } = splitPackage(key);
  const { group, optional, override } = readKeywords(configPath, name, origin);
  const value = readValue(valueNode);
  const shorthand = typeof value === 'string' ? splitShorthand(value) : undefined;
  return {
    kind: 'group',
    group: shorthand === undefined ? group : `${group}/${shorthand.prefix}`,
    value: shorthand === undefined ? value : shorthand.option,
    package: packageName,
    optional,
    override,
    originalGroup: shorthand === undefined ? undefined : group,
    origin,
  };
}

/** `sub/option` → `sub` and `option`; not for interpolations, missing choices or parent traversal. */
export function splitShorthand(value: string): { readonly prefix: string; readonly option: string } | undefined {
  const slash = value.lastIndexOf('/');
  if (slash === -1 || value.includes('${') || value === '???' || value.split('/').includes('..')) return undefined;
  return { prefix: value.slice(0, slash), option: value.slice(slash + 1) };
}

const KEYWORDS = ['optional', 'override'];

function readKeywords(
  configPath: string,
  text: string,
  origin: Origin | undefined,
): { readonly group: string; readonly optional: boolean; readonly override: boolean } {
  const words = text.split(/\s+/).filter((word) => word !== '');
  const group = words.pop();
  if (group === undefined) throw failure(`In ${configPath}: Missing group name in defaults list`, origin);
  for (const word of words) {
    if (!KEYWORDS.includes(word)) {
      const message = `In ${configPath}: Unsupported keyword '${word}' in defaults list`;
      throw failure(message, origin, didYouMean(word, KEYWORDS));
    }
  }
  const optional = words.includes('optional');
  const override = words.includes('override');
  return { group, optional, override };
}

function readValue(node: ConfigNode): string | null | readonly string[] {
  if (node.kind === 'list') return readOptions(node);
  if (node.kind === 'scalar' && (node.value === null || typeof node.value === 'string')) return node.value;
  throw failure(`Unsupported item value in defaults : ${pythonTypeOf(node)}. Supported: string or list`, node.origin);
}

function readOptions(node: ListNode): readonly string[] {
  return node.items.map((item) => {
    if (item.kind === 'scalar' && typeof item.value === 'string') return item.value;
    throw failure(
      `Unsupported item value in defaults : ${pythonTypeOf(item)}, nested list items must be strings`,
      item.origin,
    );
  });
}

/** Python's class name of a plain value inside a defaults list. */
function pythonTypeOf(node: ConfigNode): string {
  if (node.kind !== 'scalar') return node.kind;
  return node.type === 'null' ? 'NoneType' : node.type;
}
