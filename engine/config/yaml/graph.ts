import { ConfigError } from '../errors.ts';
import type { YamlEvent } from './event.ts';
import { expansionLimitError } from './expansion.ts';
import { type Mark, originAt, type Span, yamlError } from './mark.ts';
import { Parser } from './parser.ts';
import { implicitTag, MAP_TAG, SEQ_TAG, STR_TAG } from './tags.ts';
import type { YamlMapping, YamlNode, YamlScalar, YamlSequence } from './yamlNode.ts';

/** Deeper nesting is refused: what walks the tree later recurses. */
const DEEPEST_NESTING = 500;

interface OpenCollection {
  readonly node: YamlSequence | YamlMapping;
  pendingKey: YamlNode | undefined;
}

/**
 * The single document of a YAML text, or `undefined` when it has none. A text with more than `maxNodes` nodes is given up
 * early. Throws a ConfigError named after PyYAML's error class, with the place in its origin.
 */
export function composeYaml(text: string, source: string, maxNodes: number | null = null): YamlNode | undefined {
  const parser = new Parser(text, source);
  parser.next();
  if (parser.next()?.type === 'stream-end') return undefined;
  const root = composeDocument(parser, source, maxNodes ?? Number.POSITIVE_INFINITY);
  const following = parser.next();
  if (following !== undefined && following.type !== 'stream-end') {
    throw yamlError('ComposerError', source, 'but found another document', following.start, {
      text: 'expected a single document in the stream',
      mark: root.start,
    });
  }
  return root;
}

function composeDocument(parser: Parser, source: string, maxNodes: number): YamlNode {
  const anchors = new Map<string, YamlNode>();
  const open: OpenCollection[] = [];
  let root: YamlNode | undefined;
  let count = 0;
  const attach = (node: YamlNode, alias?: Span) => {
    const parent = open.at(-1);
    if (parent === undefined) root = node;
    else attachTo(parent, node, alias);
  };
  for (;;) {
    const event = parser.next();
    if (event === undefined) throw new Error('Internal error: a YAML document without an end');
    switch (event.type) {
      case 'document-end':
        if (root === undefined) throw new Error('Internal error: a YAML document without a node');
        return root;
      case 'sequence-end':
      case 'mapping-end': {
        const closed = open.pop();
        if (closed !== undefined) closed.node.end = event.end;
        break;
      }
      case 'alias': {
        const target = anchors.get(event.anchor);
        if (target === undefined) throw yamlError('ComposerError', source, 'found undefined alias', event.start);
        attach(target, { start: event.start, end: event.end });
        break;
      }
      case 'scalar':
      case 'sequence-start':
      case 'mapping-start': {
        const node = graphNode(event);
        count += 1;
        if (count > maxNodes) throw expansionLimitError(source, maxNodes, node.start);
        if (event.anchor !== undefined) registerAnchor(anchors, event.anchor, node, source);
        attach(node);
        if (node.kind !== 'scalar') {
          if (open.length >= DEEPEST_NESTING) throw tooDeep(source, node.start);
          open.push({ node, pendingKey: undefined });
        }
        break;
      }
      default:
        throw new Error(`Internal error: unexpected YAML event ${event.type}`);
    }
  }
}

function attachTo(parent: OpenCollection, node: YamlNode, alias: Span | undefined): void {
  const { node: collection } = parent;
  if (collection.kind === 'mapping' && parent.pendingKey === undefined) {
    parent.pendingKey = node;
    return;
  }
  if (alias !== undefined) {
    collection.aliases ??= new Map();
    collection.aliases.set(collection.kind === 'mapping' ? collection.pairs.length : collection.items.length, alias);
  }
  if (collection.kind === 'sequence') {
    collection.items.push(node);
  } else if (parent.pendingKey !== undefined) {
    collection.pairs.push([parent.pendingKey, node]);
    parent.pendingKey = undefined;
  }
}

function graphNode(
  event: YamlEvent & { readonly type: 'scalar' | 'sequence-start' | 'mapping-start' },
): YamlScalar | YamlSequence | YamlMapping {
  const { anchor, start, contentStart, tagSpan, end } = event;
  const place = { anchor, start, contentStart, tagSpan, end };
  switch (event.type) {
    case 'scalar': {
      const tag = event.tag ?? (event.plainImplicit ? implicitTag(event.value) : STR_TAG);
      return { kind: 'scalar', tag, value: event.value, style: event.style, ...place };
    }
    case 'sequence-start':
      return { kind: 'sequence', tag: event.tag ?? SEQ_TAG, flow: event.flow, items: [], ...place };
    default:
      return { kind: 'mapping', tag: event.tag ?? MAP_TAG, flow: event.flow, pairs: [], ...place };
  }
}

function registerAnchor(anchors: Map<string, YamlNode>, name: string, node: YamlNode, source: string): void {
  const first = anchors.get(name);
  if (first !== undefined) {
    throw yamlError('ComposerError', source, 'second occurrence', node.start, {
      text: 'found duplicate anchor; first occurrence',
      mark: first.start,
    });
  }
  anchors.set(name, node);
}

function tooDeep(source: string, mark: Mark): ConfigError {
  return new ConfigError(
    'RecursionError',
    `${source}:${mark.line + 1}:${mark.column + 1}: the YAML is nested deeper than ${DEEPEST_NESTING} levels`,
    { origin: originAt(source, mark) },
  );
}
