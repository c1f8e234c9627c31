import { dictNode, listNode } from '../../node/build.ts';
import type { ConfigNode } from '../../node/node.ts';
import { isPrintable } from '../emit/analysis.ts';
import { writeDoubleQuoted } from '../emit/scalarText.ts';
import { toYaml } from '../emit/toYaml.ts';
import { YamlWriter } from '../emit/writer.ts';
import type { ScalarStyle } from '../token.ts';

/** Nothing is folded: the lines around the value are not ours to break. */
const UNFOLDED = { width: Number.POSITIVE_INFINITY } as const;

/** How a scalar may be written on one line, the style that stood there first. */
export function scalarTexts(value: ConfigNode, style: ScalarStyle | undefined, inFlow: boolean): string[] {
  const texts: string[] = [];
  if (value.kind === 'scalar' && typeof value.value === 'string') {
    if (style === 'single' && isOneLine(value.value)) texts.push(`'${value.value.replaceAll("'", "''")}'`);
    if (style === 'double') texts.push(doubleQuoted(value.value));
    if (isOneLine(value.value)) texts.push(plainText(value, inFlow));
    texts.push(doubleQuoted(value.value));
  } else {
    texts.push(plainText(value, inFlow));
  }
  return texts;
}

function isOneLine(text: string): boolean {
  return [...text].every((character) => character !== '\n' && isPrintable(character.codePointAt(0) ?? 0));
}

function doubleQuoted(text: string): string {
  const writer = new YamlWriter(UNFOLDED.width);
  writeDoubleQuoted(writer, text, false);
  return writer.toString();
}

/** The value as the emitter would write it, without folding. */
export function plainText(value: ConfigNode, inFlow: boolean): string {
  if (inFlow || value.kind !== 'scalar') {
    return toYaml(listNode([value.clone()]), { ...UNFOLDED, flowStyle: 'flow' }).slice(1, -2);
  }
  return toYaml(dictNode([['k', value.clone()]]), UNFOLDED).slice('k: '.length, -1);
}

/** A literal block under `|`, every line at `indent`. Undefined where a literal cannot hold the text. */
export function literalBlock(value: string, indent: number, lineBreak: string): string | undefined {
  const body = value.replace(/\n+$/, '');
  if (body === '' || /^[ \n]/.test(body) || !isOneLine(body.replaceAll('\n', ''))) return undefined;
  const trailing = value.length - body.length;
  const chomping = trailing === 0 ? '-' : trailing === 1 ? '' : '+';
  const lines = [...body.split('\n'), ...Array(Math.max(0, trailing - 1)).fill('')];
  const pad = ' '.repeat(indent);
  return `|${chomping}${lineBreak}${lines.map((line) => (line === '' ? '' : pad + line)).join(lineBreak)}`;
}

/** A collection in block style; its first line continues the line it is put into, the others are indented. */
export function blockText(value: ConfigNode, indent: number, lineBreak: string): string {
  const lines = toYaml(value.clone(), UNFOLDED).trimEnd().split('\n');
  const pad = ' '.repeat(indent);
  return lines.map((line, index) => (index === 0 || line === '' ? line : pad + line)).join(lineBreak);
}
