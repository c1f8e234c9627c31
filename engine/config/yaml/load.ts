import { ConfigError } from '../errors.ts';
import { parseInterpolation } from '../interpolation/parser.ts';
import { bytesNode, dictNode, listNode } from '../node/build.ts';
import { BytesKey, type ConfigKey, FloatKey } from '../node/key.ts';
import { type ConfigNode, type ContainerNode, DictNode, ScalarNode } from '../node/node.ts';
import { constructYaml } from './construct.ts';
import { maxExpandedNodesFrom } from './expansion.ts';
import { composeYaml } from './graph.ts';
import { originAt, yamlError } from './mark.ts';
import type { YamlDictEntry, YamlScalarValue, YamlValue } from './value.ts';
import type { YamlNode } from './yamlNode.ts';

export interface LoadYamlOptions {
  /** What errors and origins call the text: a path for people, relative to the config directory. */
  readonly source?: string;
  /**
   * How many nodes there may be once aliases are written out; null lifts the limit for trusted input. If absent, what
   * OMEGACONF_MAX_YAML_EXPANDED_NODES says, else 10000.
   */
  readonly maxExpandedNodes?: number | null;
}

/** Characters that libyaml's reader refuses wherever they stand. */
const FORBIDDEN = /[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u;

/**
 * The value that a YAML text stands for, before it becomes a config; an empty text is null. Throws a ConfigError named
 * after PyYAML's class (ScannerError, ParserError, ComposerError, ConstructorError, ReaderError) with the place.
 */
export function loadYamlValue(text: string, options: LoadYamlOptions = {}): YamlValue {
  const source = options.source ?? '<unicode string>';
  refuseForbiddenCharacters(text, source);
  const { maxExpandedNodes = maxExpandedNodesFrom(process.env) } = options;
  const root = composeWithHint(text, source, maxExpandedNodes);
  if (root === undefined) {
    const origin = originAt(source, { index: 0, line: 0, column: 0 });
    return { kind: 'scalar', type: 'null', value: null, origin };
  }
  return constructYaml(root, source, maxExpandedNodes);
}

function composeWithHint(text: string, source: string, maxNodes: number | null): YamlNode | undefined {
  try {
    return composeYaml(text, source, maxNodes);
  } catch (error) {
    if (!(error instanceof ConfigError) || error.exception !== 'ParserError') throw error;
    const { origin } = error;
    const line = origin?.kind === 'file' ? text.split(/\r\n?|\n/)[origin.line - 1] : undefined;
    // The commonest mistake in configs, and one that the parser's own words do not explain.
    if (line === undefined || !/[[{].*(?:\$\{|\?\?\?)/.test(line)) throw error;
    const hint = "inside [ ] and { } write '${…}' and '???' in quotes";
    throw new ConfigError('ParserError', `${error.message}\nhint: ${hint}`, {
      origin,
      cause: error,
      details: { hint },
    });
  }
}

function refuseForbiddenCharacters(text: string, source: string): void {
  const found = FORBIDDEN.exec(text);
  if (found === null) return;
  const before = text.slice(0, found.index).split(/\r\n|[\n\r\x85\u2028\u2029]/);
  const mark = { index: found.index, line: before.length - 1, column: before.at(-1)?.length ?? 0 };
  const code = (found[0].codePointAt(0) ?? 0).toString(16).padStart(4, '0');
  throw yamlError('ReaderError', source, `control characters are not allowed (#x${code}): is this a text file?`, mark);
}

/**
 * A YAML text as a config: a mapping or a list with an origin on every node. An empty text is an empty mapping, a lone
 * string is a YAML text itself or a key without a value. Throws a ConfigError: the YAML classes, OSError for another
 * lone scalar, KeyValidationError and UnsupportedValueType for what configs cannot hold, GrammarParseError for a broken
 * interpolation.
 */
export function loadYaml(text: string, options: LoadYamlOptions = {}): ContainerNode {
  return configFromValue(loadYamlValue(text, options), options);
}

function configFromValue(value: YamlValue, options: LoadYamlOptions): ContainerNode {
  if (value.kind === 'scalar') {
    if (value.type === 'null') return dictNode([], value.origin);
    if (value.type === 'str') return configFromString(String(value.value), options);
  }
  const node = value.kind === 'list' || value.kind === 'dict' ? toConfigNode(value) : undefined;
  if (node === undefined || node.kind === 'scalar') {
    throw new ConfigError('OSError', `Invalid loaded object type: ${pythonTypeName(value)}`, { origin: value.origin });
  }
  return node;
}

/** OmegaConf.create of a string: the string is read as YAML once more. */
export function configFromString(text: string, options: LoadYamlOptions = {}): ContainerNode {
  const value = loadYamlValue(text, options);
  if (value.kind === 'scalar') {
    if (value.type === 'null') return dictNode([], value.origin);
    if (value.type === 'str') {
      return dictNode([[String(value.value), new ScalarNode('null', null, value.origin)]], value.origin);
    }
  }
  const node = value.kind === 'list' || value.kind === 'dict' ? toConfigNode(value) : undefined;
  if (node === undefined || node.kind === 'scalar') {
    throw new ConfigError('AssertionError', '', { origin: value.origin });
  }
  return node;
}

/** The config node for a YAML value; a value that an alias repeats becomes a node of its own each time. */
export function toConfigNode(value: YamlValue): ConfigNode {
  switch (value.kind) {
    case 'scalar':
      return scalarNode(value);
    case 'list':
      return listNode(value.items.map(toConfigNode), value.origin);
    case 'dict': {
      const dict = new DictNode([], value.origin);
      for (const entry of value.entries.values()) {
        const key = configKey(entry);
        const child = toConfigNode(entry.value);
        dict.set(key, child);
        child.keyOrigin = entry.keyOrigin;
      }
      return dict;
    }
    default:
      throw new ConfigError(
        'UnsupportedValueType',
        `Value '${pythonTypeName(value)}' is not a supported primitive type`,
        {
          origin: value.origin,
        },
      );
  }
}

function scalarNode({ type, value, origin }: YamlScalarValue): ScalarNode {
  if (value instanceof Uint8Array) return bytesNode(value, origin);
  // A broken interpolation is refused when the config is read, not when the value is asked for.
  if (typeof value === 'string' && value.includes('${')) parseInterpolation(value, origin);
  return new ScalarNode(type, value, origin);
}

function configKey({ key, keyOrigin }: YamlDictEntry): ConfigKey {
  if (key.kind === 'other' || key.value === null) {
    throw new ConfigError('KeyValidationError', `Incompatible key type '${pythonTypeName(key)}'`, {
      origin: keyOrigin,
    });
  }
  if (key.value instanceof Uint8Array) return new BytesKey(key.value);
  return key.type === 'float' && typeof key.value === 'number' ? new FloatKey(key.value) : key.value;
}

/** The name of the Python class that PyYAML would have made. */
export function pythonTypeName(value: YamlValue): string {
  if (value.kind === 'other') return value.className;
  if (value.kind !== 'scalar') return value.kind;
  return value.type === 'null' ? 'NoneType' : value.type;
}
