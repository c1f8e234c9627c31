import { isBreak, SPACE } from '../cursor.ts';
import { isPrintable } from './analysis.ts';
import type { YamlWriter } from './writer.ts';

const ESCAPES: ReadonlyMap<number, string> = new Map([
  [0x00, '0'],
  [0x07, 'a'],
  [0x08, 'b'],
  [0x09, 't'],
  [0x0a, 'n'],
  [0x0b, 'v'],
  [0x0c, 'f'],
  [0x0d, 'r'],
  [0x1b, 'e'],
  [0x22, '"'],
  [0x5c, '\\'],
  [0x85, 'N'],
  [0xa0, '_'],
  [0x2028, 'L'],
  [0x2029, 'P'],
]);

/** Writes a text without quotes; `allowBreaks` folds long lines at spaces. */
export function writePlain(writer: YamlWriter, text: string, allowBreaks: boolean, inFlow: boolean): void {
  if (!writer.whitespace && (text !== '' || inFlow)) writer.put(' ');
  writeFolding(writer, text, (at) => allowBreaks && text.charCodeAt(at + 1) !== SPACE);
  writer.whitespace = false;
  writer.indention = false;
}

export function writeSingleQuoted(writer: YamlWriter, text: string, allowBreaks: boolean): void {
  writer.writeIndicator("'", { needWhitespace: true });
  const mayFold = (at: number) =>
    allowBreaks && at !== 0 && at !== text.length - 1 && text.charCodeAt(at + 1) !== SPACE;
  const endsInBreak = writeFolding(writer, text, mayFold, "'");
  if (endsInBreak) writer.writeIndent();
  writer.writeIndicator("'");
  writer.whitespace = false;
  writer.indention = false;
}

/** Writes text whose line breaks are doubled, because a single one reads as a space. True when it ends in a break. */
function writeFolding(writer: YamlWriter, text: string, mayFold: (at: number) => boolean, doubled?: string): boolean {
  let [afterSpace, afterBreak] = [false, false];
  for (let at = 0; at < text.length; at++) {
    const character = text[at] ?? '';
    const code = text.charCodeAt(at);
    if (code === SPACE) {
      if (!afterSpace && writer.column > writer.width && mayFold(at)) writer.writeIndent();
      else writer.put(' ');
      afterSpace = true;
    } else if (isBreak(code)) {
      if (!afterBreak && character === '\n') writer.putBreak();
      writer.putBreak(character);
      writer.indention = true;
      afterBreak = true;
    } else {
      if (afterBreak) writer.writeIndent();
      if (character === doubled) writer.put(character);
      writer.put(character);
      writer.indention = false;
      afterSpace = false;
      afterBreak = false;
    }
  }
  return afterBreak;
}

export function writeDoubleQuoted(writer: YamlWriter, text: string, allowBreaks: boolean): void {
  writer.writeIndicator('"', { needWhitespace: true });
  let afterSpace = false;
  let at = 0;
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    if (!isPrintable(code) || isBreak(code) || character === '"' || character === '\\') {
      writer.put(escapeOf(code));
      afterSpace = false;
    } else if (code === SPACE) {
      const mayFold = allowBreaks && !afterSpace && at !== 0 && at !== text.length - 1;
      if (mayFold && writer.column > writer.width) {
        writer.writeIndent();
        if (text.charCodeAt(at + 1) === SPACE) writer.put('\\');
      } else {
        writer.put(' ');
      }
      afterSpace = true;
    } else {
      writer.put(character);
      afterSpace = false;
    }
    at += character.length;
  }
  writer.writeIndicator('"');
  writer.whitespace = false;
  writer.indention = false;
}

function escapeOf(code: number): string {
  const short = ESCAPES.get(code);
  if (short !== undefined) return `\\${short}`;
  const hex = code.toString(16).toUpperCase();
  if (code <= 0xff) return `\\x${hex.padStart(2, '0')}`;
  return code <= 0xffff ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`;
}

/** Writes lines as they are under a `|`. The text ends in one line break, as base64 does. */
export function writeLiteral(writer: YamlWriter, text: string): void {
  writer.writeIndicator('|', { needWhitespace: true });
  writer.putBreak();
  writer.indention = true;
  writer.whitespace = true;
  for (const line of text.replace(/\n$/, '').split('\n')) {
    writer.writeIndent();
    writer.put(line);
    writer.indention = false;
    writer.putBreak();
    writer.indention = true;
  }
}
