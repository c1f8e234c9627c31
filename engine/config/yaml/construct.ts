import { ConfigError } from '../errors.ts';
import { pythonRepr } from '../grammar/pythonText.ts';
import type { Origin } from '../node/origin.ts';
import { checkExpansion } from './expansion.ts';
import { originAt, yamlError } from './mark.ts';
import { flattenMapping } from './mergeKey.ts';
import { yamlBool, yamlBytes, yamlFloat, yamlInteger, yamlTimestampClass } from './scalarValue.ts';
import * as tags from './tags.ts';
import {
  type YamlDictEntry,
  type YamlDictValue,
  type YamlListValue,
  type YamlSetValue,
  type YamlValue,
  yamlKeyIdentity,
} from './value.ts';
import type { YamlMapping, YamlNode, YamlScalar, YamlSequence } from './yamlNode.ts';

/**
 * The values of a document, by the rules of OmegaConf's loader on top of PyYAML's. Collections are filled level by
 * level, as PyYAML does it, so that of several mistakes the same one is reported.
 */
export function constructYaml(root: YamlNode, source: string, maxExpandedNodes: number | null): YamlValue {
  checkExpansion(root, source, maxExpandedNodes);
  const builder = new ValueBuilder(source);
  const value = builder.construct(root);
  builder.fillAll();
  return value;
}

class ValueBuilder {
  readonly #source: string;
  readonly #known = new Map<YamlNode, YamlValue>();
  #toFill: (() => void)[] = [];

  constructor(source: string) {
    this.#source = source;
  }

  fillAll(): void {
    while (this.#toFill.length > 0) {
      const level = this.#toFill;
      this.#toFill = [];
      for (const fill of level) fill();
    }
  }

  construct(node: YamlNode): YamlValue {
    const known = this.#known.get(node);
    if (known !== undefined) return known;
    const value = this.#constructNew(node);
    this.#known.set(node, value);
    return value;
  }

  #origin(node: YamlNode): Origin {
    return originAt(this.#source, node.start);
  }

  #fail(node: YamlNode, problem: string, context?: string): never {
    throw yamlError(
      'ConstructorError',
      this.#source,
      problem,
      node.start,
      context === undefined ? undefined : { text: context, mark: node.start },
    );
  }

  #constructNew(node: YamlNode): YamlValue {
    switch (node.tag) {
      case tags.SEQ_TAG:
        return this.#list(node);
      case tags.MAP_TAG:
        return this.#dict(node);
      case `${tags.TAG_PREFIX}set`:
        return this.#set(node);
      case `${tags.TAG_PREFIX}omap`:
        return this.#pairs(node, 'while constructing an ordered map');
      case `${tags.TAG_PREFIX}pairs`:
        return this.#pairs(node, 'while constructing pairs');
      default:
        return this.#locatedScalar(node);
    }
  }

  /** Python's own errors about a number, a date or bytes know no place; ours do. */
  #locatedScalar(node: YamlNode): YamlValue {
    try {
      return this.#scalar(node);
    } catch (error) {
      if (!(error instanceof ConfigError) || error.origin !== undefined) throw error;
      throw new ConfigError(error.exception, error.message, { origin: this.#origin(node), cause: error });
    }
  }

  #scalar(node: YamlNode): YamlValue {
    const origin = this.#origin(node);
    switch (node.tag) {
      case tags.STR_TAG:
        return { kind: 'scalar', type: 'str', value: this.#scalarNode(node).value, origin };
      case tags.NULL_TAG:
        this.#scalarNode(node);
        return { kind: 'scalar', type: 'null', value: null, origin };
      case tags.BOOL_TAG:
        return { kind: 'scalar', type: 'bool', value: yamlBool(this.#scalarNode(node)), origin };
      case tags.INT_TAG:
        return { kind: 'scalar', type: 'int', value: yamlInteger(this.#scalarNode(node)), origin };
      case tags.FLOAT_TAG:
        return { kind: 'scalar', type: 'float', value: yamlFloat(this.#scalarNode(node)), origin };
      case tags.BINARY_TAG:
        return { kind: 'scalar', type: 'bytes', value: yamlBytes(this.#scalarNode(node), this.#source), origin };
      case tags.TIMESTAMP_TAG: {
        const scalar = this.#scalarNode(node);
        return { kind: 'other', className: yamlTimestampClass(scalar), text: scalar.value, origin };
      }
      default:
        return this.#fail(node, `could not determine a constructor for the tag ${pythonRepr(node.tag)}`);
    }
  }

  /** The scalar itself, or in a mapping the value of the key `=`. */
  #scalarNode(node: YamlNode): YamlScalar {
    if (node.kind === 'scalar') return node;
    if (node.kind === 'mapping') {
      const pair = node.pairs.find(([key]) => key.tag === tags.VALUE_TAG);
      if (pair !== undefined) return this.#scalarNode(pair[1]);
    }
    this.#fail(node, `expected a scalar node, but found ${node.kind}`);
  }

  #list(node: YamlNode): YamlValue {
    const value: YamlListValue = { kind: 'list', items: [], origin: this.#origin(node) };
    this.#toFill.push(() => {
      if (node.kind !== 'sequence') this.#fail(node, `expected a sequence node, but found ${node.kind}`);
      for (const item of node.items) value.items.push(this.construct(item));
    });
    return value;
  }

  #dict(node: YamlNode): YamlValue {
    const value: YamlDictValue = { kind: 'dict', entries: new Map(), origin: this.#origin(node) };
    this.#toFill.push(() => this.#fillEntries(node, value));
    return value;
  }

  #set(node: YamlNode): YamlValue {
    const value: YamlSetValue = { kind: 'set', entries: new Map(), origin: this.#origin(node) };
    this.#toFill.push(() => this.#fillEntries(node, value));
    return value;
  }

  #fillEntries(node: YamlNode, target: YamlDictValue | YamlSetValue): void {
    if (node.kind !== 'mapping') this.#fail(node, `expected a mapping node, but found ${node.kind}`);
    flattenMapping(node, this.#source);
    for (const [keyNode, valueNode] of node.pairs) {
      const key = this.#key(node, keyNode);
      const identity = yamlKeyIdentity(key);
      const keyOrigin = this.#origin(keyNode);
      const value = this.construct(valueNode);
      const entry = target.entries.get(identity);
      if (entry === undefined) {
        target.entries.set(identity, { key, value, keyOrigin });
      } else {
        // As in Python the first key stays where it is and the last value wins.
        entry.value = value;
        entry.keyOrigin = keyOrigin;
      }
    }
  }

  #key(mapping: YamlMapping, node: YamlNode): YamlDictEntry['key'] {
    const key = this.construct(node);
    if (key.kind === 'scalar' || key.kind === 'other') return key;
    throw yamlError('ConstructorError', this.#source, 'found unhashable key', node.start, {
      text: 'while constructing a mapping',
      mark: mapping.start,
    });
  }

  /** `!!omap` and `!!pairs`: a sequence of mappings with one entry each becomes a list of pairs. */
  #pairs(node: YamlNode, context: string): YamlValue {
    const value: YamlListValue = { kind: 'list', items: [], origin: this.#origin(node) };
    this.#toFill.push(() => {
      if (node.kind !== 'sequence') this.#fail(node, `expected a sequence, but found ${node.kind}`, context);
      for (const item of node.items) value.items.push(this.#pair(node, item, context));
    });
    return value;
  }

  #pair(list: YamlSequence, item: YamlNode, context: string): YamlListValue {
    const fail = (problem: string): never => {
      throw yamlError('ConstructorError', this.#source, problem, item.start, { text: context, mark: list.start });
    };
    if (item.kind !== 'mapping') return fail(`expected a mapping of length 1, but found ${item.kind}`);
    const [pair] = item.pairs;
    if (pair === undefined || item.pairs.length !== 1) {
      return fail(`expected a single mapping item, but found ${item.pairs.length} items`);
    }
    return { kind: 'list', items: [this.construct(pair[0]), this.construct(pair[1])], origin: this.#origin(item) };
  }
}
