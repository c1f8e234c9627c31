import { splitKeyPath } from '../../container/keyPath.ts';
import { ConfigError } from '../../errors.ts';
import { dictNode } from '../../node/build.ts';
import { BytesKey, FloatKey } from '../../node/key.ts';
import type { ConfigNode } from '../../node/node.ts';
import { type TaggedValue, toTagged } from '../../node/tagged.ts';
import { composeYaml } from '../graph.ts';
import { loadYaml } from '../load.ts';
import { originAt } from '../mark.ts';
import type { YamlScalar } from '../yamlNode.ts';
import { type AbsentValue, contentEnd, type FoundValue, type Located, locate } from './locate.ts';
import { blockText, literalBlock, plainText, scalarTexts } from './valueText.ts';

export interface WriteBackOptions {
  /** What errors call the text. */
  readonly source?: string;
}

export interface WriteBackResult {
  readonly text: string;
  /** Other keys that changed with it, because an alias refers to what was written. */
  readonly alsoChanged: readonly string[];
}

/** A part of the text that gives way to another. */
interface Replacement {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/**
 * The YAML text with the value under a dotted path changed and everything else as it was: comments, order, quotes,
 * anchors and line breaks. A key that is missing is added to the innermost mapping on its way, an index one past the end
 * to its list. Throws a ConfigError: what reading the text throws, ConfigTypeError when the way ends at a scalar,
 * ConfigValueError when it leads over an alias or the change cannot be written without changing more.
 */
export function writeBack(
  text: string,
  path: string | readonly string[],
  value: ConfigNode,
  options: WriteBackOptions = {},
): WriteBackResult {
  const source = options.source ?? '<unicode string>';
  const parts = typeof path === 'string' ? splitKeyPath(path) : path;
  const before = loadYaml(text, { source });
  const root = composeYaml(text, source);
  if (parts.length === 0) throw refusal(source, 'the path is empty', []);
  const candidates =
    root === undefined || (root.kind === 'scalar' && root.value === '')
      ? [appended(text, nested(parts, value))]
      : replacementsFor(text, locate(root, parts, source), value, source, parts);
  for (const replacement of candidates) {
    const edited = text.slice(0, replacement.start) + replacement.text + text.slice(replacement.end);
    const alsoChanged = verify(before, edited, parts, value, source);
    if (alsoChanged === undefined) continue;
    const isShared = /[&*]/.test(text);
    if (alsoChanged.length === 0 || isShared) return { text: edited, alsoChanged };
  }
  throw refusal(source, 'the value cannot be written there without changing more than it', parts);
}

function refusal(source: string, why: string, parts: readonly string[], details = {}): ConfigError {
  return new ConfigError('ConfigValueError', `Cannot write '${parts.join('.')}' back to ${source}: ${why}`, {
    details: { path: parts, ...details },
  });
}

/** The keys that changed besides the one that was to change; undefined when that one does not have the value. */
function verify(
  before: ConfigNode,
  edited: string,
  parts: readonly string[],
  value: ConfigNode,
  source: string,
): string[] | undefined {
  let after: ConfigNode;
  try {
    after = loadYaml(edited, { source });
  } catch (error) {
    if (error instanceof ConfigError) return undefined;
    throw error;
  }
  const wanted = JSON.stringify(exact(toTagged(value)));
  const changed = differences(before, after, []);
  const target = childAt(after, parts);
  if (target === undefined || JSON.stringify(exact(toTagged(target))) !== wanted) return undefined;
  const prefix = JSON.stringify(parts).slice(0, -1);
  // Above the target only what was missing on its way may be new.
  return changed
    .filter((path) => !JSON.stringify(path).startsWith(prefix) && !prefix.startsWith(JSON.stringify(path).slice(0, -1)))
    .map((path) => path.join('.'));
}

/** JSON has no -0. */
function exact(tagged: TaggedValue): unknown {
  if (tagged.t === 'float') return { t: 'float', v: Object.is(tagged.v, -0) ? '-0' : tagged.v };
  if (tagged.t === 'list') return { t: 'list', v: tagged.v.map(exact) };
  return tagged.t === 'dict' ? { t: 'dict', v: tagged.v.map(([key, child]) => [exact(key), exact(child)]) } : tagged;
}

function partOf(node: ConfigNode): string {
  const { key } = node;
  if (key instanceof FloatKey) return String(key.value);
  return key instanceof BytesKey ? Buffer.from(key.bytes).toString() : String(key);
}

function childrenByPart(node: ConfigNode): Map<string, ConfigNode> {
  if (node.kind === 'scalar') return new Map();
  const children = node.kind === 'list' ? node.items : [...node.values()];
  return new Map(children.map((child) => [partOf(child), child]));
}

function childAt(root: ConfigNode, parts: readonly string[]): ConfigNode | undefined {
  let node: ConfigNode | undefined = root;
  for (const part of parts) {
    if (node === undefined) return undefined;
    const index: string = node.kind === 'list' && part.startsWith('-') ? String(node.size + Number(part)) : part;
    const found: ConfigNode | undefined = childrenByPart(node).get(index);
    node = found;
  }
  return node;
}

/** The paths at which two configs differ, as deep as possible. */
function differences(
  a: ConfigNode | undefined,
  b: ConfigNode | undefined,
  path: readonly string[],
): (readonly string[])[] {
  if (a === undefined || b === undefined || a.kind !== b.kind) return a === b ? [] : [path];
  if (a.kind === 'scalar' || b.kind === 'scalar') {
    return JSON.stringify(exact(toTagged(a))) === JSON.stringify(exact(toTagged(b))) ? [] : [path];
  }
  const [left, right] = [childrenByPart(a), childrenByPart(b)];
  return [...new Set([...left.keys(), ...right.keys()])].flatMap((part) =>
    differences(left.get(part), right.get(part), [...path, part]),
  );
}

function replacementsFor(
  text: string,
  located: Located,
  value: ConfigNode,
  source: string,
  parts: readonly string[],
): Replacement[] {
  switch (located.kind) {
    case 'value':
      return replaceValue(text, located, value);
    case 'absent':
      return addKey(text, located, value, source, parts);
    case 'alias': {
      const { line } = originAt(source, located.alias.start);
      const why = `'${located.path}' is the alias *${located.anchor} on line ${line}; change what it refers to`;
      throw refusal(source, why, parts, { line });
    }
    default: {
      const message = `Cannot write '${parts.join('.')}' back to ${source}: '${located.path}' is a plain value`;
      throw new ConfigError('ConfigTypeError', message, { details: { path: parts } });
    }
  }
}

function replaceValue(text: string, found: FoundValue, value: ConfigNode): Replacement[] {
  const { node, alias, inFlow } = found;
  const lineBreak = lineBreakOf(text);
  if (alias !== undefined) {
    return [
      { start: alias.start.index, end: alias.end.index, text: plainText(value, inFlow || value.kind !== 'scalar') },
    ];
  }
  const start = node.contentStart.index;
  const end = contentEnd(node, text);
  if (node.kind === 'scalar') return replaceScalar(text, found, node, value, lineBreak);
  if (
    !node.flow &&
    value.kind !== 'scalar' &&
    value.size > 0 &&
    (value.kind === 'list') === (node.kind === 'sequence')
  ) {
    return [{ start, end, text: blockText(value, node.contentStart.column, lineBreak) }];
  }
  const inline = plainText(value, inFlow || value.kind !== 'scalar');
  if (node.flow) return [{ start, end, text: inline }];
  // What stood on lines of its own moves up behind the colon; a comment there keeps its line.
  const lineEnd = endOfLine(text, end);
  const gap = text.slice(0, start).replace(/\s+$/, '').length;
  if (!text.slice(gap, start).includes('\n')) return [{ start, end: lineEnd, text: inline }];
  return [
    { start: gap, end: lineEnd, text: ` ${inline}` },
    { start, end: lineEnd, text: inline },
  ];
}

function replaceScalar(
  text: string,
  found: FoundValue,
  node: YamlScalar,
  value: ConfigNode,
  lineBreak: string,
): Replacement[] {
  const start = node.contentStart.index;
  const end = contentEnd(node, text);
  const texts: string[] = [];
  if (node.style === 'literal' && value.kind === 'scalar' && typeof value.value === 'string') {
    const indent = /\n([ ]+)\S/.exec(text.slice(start, end))?.[1]?.length ?? found.indent + 2;
    const literal = literalBlock(value.value, indent, lineBreak);
    if (literal !== undefined) texts.push(literal);
  }
  texts.push(...scalarTexts(value, node.style, found.inFlow));
  // An empty value begins right behind its colon or dash, and in `{a}` there is no colon yet.
  const isEmpty = start === end;
  const lead = isEmpty && !/[\s{[,]/.test(text[start - 1] ?? ' ') ? ' ' : '';
  const replacements = texts.map((written) => ({ start, end, text: lead + written }));
  if (isEmpty) replacements.push(...texts.map((written) => ({ start, end, text: `: ${written}` })));
  if (node.tagSpan !== undefined) {
    // The tag may not fit the new value.
    const tagStart = node.tagSpan.start.index;
    const between = text.slice(node.tagSpan.end.index, start).trimStart();
    replacements.push(...texts.map((written) => ({ start: tagStart, end, text: between + written })));
  }
  return replacements;
}

function addKey(
  text: string,
  { container, inFlow, rest }: AbsentValue,
  value: ConfigNode,
  source: string,
  parts: readonly string[],
): Replacement[] {
  const lineBreak = lineBreakOf(text);
  const [first = '', ...deeper] = rest;
  const inner = nested(deeper, value);
  if (container.kind === 'sequence' && first !== String(container.items.length)) {
    throw refusal(source, `its list has ${container.items.length} items`, parts);
  }
  if (inFlow) {
    const written =
      container.kind === 'mapping' ? plainText(dictNode([[first, inner]]), true).slice(1, -1) : plainText(inner, true);
    const size = container.kind === 'mapping' ? container.pairs.length : container.items.length;
    const close = container.end.index - 1;
    const at = text.slice(0, close).trimEnd().length;
    const comma = size === 0 || text[at - 1] === ',' ? '' : ',';
    const space = size === 0 ? '' : ' ';
    return [{ start: at, end: at, text: `${comma}${space}${written}` }];
  }
  const indent = container.contentStart.column;
  const entry = container.kind === 'mapping' ? dictNode([[first, inner]]) : undefined;
  const block =
    entry === undefined ? `- ${blockText(inner, indent + 2, lineBreak)}` : blockText(entry, indent, lineBreak);
  const at = endOfLine(text, contentEnd(container, text));
  return [{ start: at, end: at, text: `${lineBreak}${' '.repeat(indent)}${block}` }];
}

function appended(text: string, config: ConfigNode): Replacement {
  const lineBreak = lineBreakOf(text);
  const lead = text === '' || text.endsWith('\n') ? '' : lineBreak;
  return { start: text.length, end: text.length, text: `${lead}${blockText(config, 0, lineBreak)}${lineBreak}` };
}

/** The value under mappings for the parts of a path. */
function nested(parts: readonly string[], value: ConfigNode): ConfigNode {
  return parts.reduceRight<ConfigNode>((inner, part) => dictNode([[part, inner]]), value.clone());
}

function lineBreakOf(text: string): string {
  return /\r?\n/.exec(text)?.[0] ?? '\n';
}

/** The end of the line, a comment on it included. */
function endOfLine(text: string, from: number): number {
  const rest = /[\r\n]/.exec(text.slice(from));
  return rest === null ? text.length : from + rest.index;
}
