import { pythonFloat } from '../../grammar/pythonText.ts';
import { BytesKey, type ConfigKey, FloatKey } from '../../node/key.ts';
import type { ConfigNode, DictNode, ListNode, ScalarNode } from '../../node/node.ts';
import { isPythonFloat, isPythonInteger } from '../../python/number.ts';
import { dumperTag, STR_TAG } from '../tags.ts';

/** A scalar as the emitter writes it. */
export interface EmittedScalar {
  readonly kind: 'scalar';
  readonly text: string;
  readonly tag: '!!binary' | undefined;
  /** The style that is asked for; the text may not allow it. */
  readonly style: 'plain' | 'single' | 'literal';
  /** Unquoted it would be read as this very value. */
  readonly plainImplicit: boolean;
}

export interface EmittedSequence {
  readonly kind: 'sequence';
  readonly flow: boolean;
  readonly items: readonly EmittedNode[];
}

export interface EmittedMapping {
  readonly kind: 'mapping';
  readonly flow: boolean;
  readonly pairs: readonly (readonly [EmittedScalar, EmittedNode])[];
}

export type EmittedNode = EmittedScalar | EmittedSequence | EmittedMapping;

/** 'auto' writes collections of plain scalars in flow style and all others in block style. */
export type FlowStyle = 'block' | 'flow' | 'auto';

export interface RepresentOptions {
  readonly sortKeys: boolean;
  readonly flowStyle: FlowStyle;
}

const YAML_BOOLS = new Set(
  ['y', 'yes', 'n', 'no', 'true', 'false', 'on', 'off'].flatMap((word) => [
    word,
    word.slice(0, 1).toUpperCase() + word.slice(1),
    word.toUpperCase(),
  ]),
);

/** A config as OmegaConf's dumper presents it to the emitter. */
export function represent(node: ConfigNode, options: RepresentOptions): EmittedNode {
  if (node.kind === 'scalar') return representScalar(node);
  return node.kind === 'list' ? representList(node, options) : representDict(node, options);
}

function representList(node: ListNode, options: RepresentOptions): EmittedSequence {
  const items = node.items.map((item) => represent(item, options));
  return { kind: 'sequence', items, flow: isFlow(options, items) };
}

function representDict(node: DictNode, options: RepresentOptions): EmittedMapping {
  const entries = [...node.entries()];
  if (options.sortKeys) sortEntries(entries);
  const pairs = entries.map(([key, child]) => [representKey(key), represent(child, options)] as const);
  return { kind: 'mapping', pairs, flow: isFlow(options, pairs.flat()) };
}

function isFlow({ flowStyle }: RepresentOptions, parts: readonly EmittedNode[]): boolean {
  if (flowStyle !== 'auto') return flowStyle === 'flow';
  return parts.every((part) => part.kind === 'scalar' && part.style === 'plain');
}

function representScalar({ type, value }: ScalarNode): EmittedScalar {
  if (value === null) return plain('null');
  if (typeof value === 'string') return representString(value);
  if (typeof value === 'boolean') return plain(value ? 'true' : 'false');
  if (value instanceof Uint8Array) return representBytes(value);
  return plain(type === 'float' && typeof value === 'number' ? yamlFloatText(value) : value.toString());
}

function representKey(key: ConfigKey): EmittedScalar {
  if (key === null) return plain('null');
  if (typeof key === 'string') return representString(key);
  if (typeof key === 'boolean') return plain(key ? 'true' : 'false');
  if (key instanceof BytesKey) return representBytes(key.bytes);
  return plain(key instanceof FloatKey ? yamlFloatText(key.value) : key.toString());
}

function plain(text: string): EmittedScalar {
  return { kind: 'scalar', text, tag: undefined, style: 'plain', plainImplicit: true };
}

/** What other readers of YAML could take for a bool or a number is quoted, also where PyYAML would not. */
function representString(text: string): EmittedScalar {
  const quoted = YAML_BOOLS.has(text) || isPythonInteger(text) || isPythonFloat(text);
  const plainImplicit = dumperTag(text) === STR_TAG;
  return { kind: 'scalar', text, tag: undefined, style: quoted ? 'single' : 'plain', plainImplicit };
}

function representBytes(bytes: Uint8Array): EmittedScalar {
  const base64 = Buffer.from(bytes).toString('base64');
  const text = base64.replace(/.{1,76}/g, (line) => `${line}\n`);
  return { kind: 'scalar', text, tag: '!!binary', style: 'literal', plainImplicit: false };
}

/** `1.0e-05`: an exponent always gets a point before it, or YAML 1.1 would read a string. */
function yamlFloatText(value: number): string {
  if (Number.isNaN(value)) return '.nan';
  if (!Number.isFinite(value)) return value > 0 ? '.inf' : '-.inf';
  const text = pythonFloat(value);
  return !text.includes('.') && text.includes('e') ? text.replace('e', '.0e') : text;
}

/** Sorts by key as Python does; keys of kinds that Python cannot compare stay in their order. */
function sortEntries(entries: [ConfigKey, ConfigNode][]): void {
  const kinds = new Set(entries.map(([key]) => comparisonKind(key)));
  if (kinds.size === 1 && !kinds.has('null')) entries.sort(([a], [b]) => compareKeys(a, b));
}

function comparisonKind(key: ConfigKey): 'str' | 'number' | 'bytes' | 'null' {
  if (key === null) return 'null';
  if (typeof key === 'string') return 'str';
  return key instanceof BytesKey ? 'bytes' : 'number';
}

function compareKeys(a: ConfigKey, b: ConfigKey): number {
  if (typeof a === 'string' && typeof b === 'string') return compareCodePoints(a, b);
  if (a instanceof BytesKey && b instanceof BytesKey) return Buffer.compare(a.bytes, b.bytes);
  const [left, right] = [numberOf(a), numberOf(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}

function numberOf(key: ConfigKey): number | bigint {
  if (key instanceof FloatKey) return key.value;
  return typeof key === 'bigint' ? key : Number(key);
}

/** Surrogates sort below U+E000 in UTF-16, but the characters that they stand for sort above. */
function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) {
    if (a.charCodeAt(at) === b.charCodeAt(at)) continue;
    return (a.codePointAt(at) ?? 0) - (b.codePointAt(at) ?? 0);
  }
  return a.length - b.length;
}
