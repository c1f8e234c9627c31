import { ConfigError } from '../errors.ts';
import { parsePythonFloat, pythonRepr } from '../grammar/pythonText.ts';
import { normalInteger } from '../node/build.ts';
import { parsePythonInteger } from '../python/number.ts';
import { yamlError } from './mark.ts';
import type { YamlScalar } from './yamlNode.ts';

const BOOL_WORDS: ReadonlyMap<string, boolean> = new Map([
  ['yes', true],
  ['no', false],
  ['true', true],
  ['false', false],
  ['on', true],
  ['off', false],
]);

export function yamlBool(node: YamlScalar): boolean {
  const value = BOOL_WORDS.get(node.value.toLowerCase());
  if (value === undefined) throw new ConfigError('KeyError', pythonRepr(node.value.toLowerCase()));
  return value;
}

/** YAML 1.1's integers: a leading 0 means octal, `0b` binary, `1:30` counts in sixties. */
export function yamlInteger(node: YamlScalar): number | bigint {
  let text = node.value.replaceAll('_', '');
  if (text === '') throw new ConfigError('IndexError', 'string index out of range');
  const negative = text.startsWith('-');
  if (negative || text.startsWith('+')) text = text.slice(1);
  const value = unsignedInteger(text);
  return normalInteger(negative ? -value : value);
}

function unsignedInteger(text: string): bigint {
  if (text === '0') return 0n;
  if (text.startsWith('0b')) return parsePythonInteger(text.slice(2), 2);
  if (text.startsWith('0x')) return parsePythonInteger(text.slice(2), 16);
  if (text === '') throw new ConfigError('IndexError', 'string index out of range');
  if (text.startsWith('0')) return parsePythonInteger(text, 8);
  if (!text.includes(':')) return parsePythonInteger(text, 10);
  let value = 0n;
  for (const part of text.split(':')) value = value * 60n + parsePythonInteger(part, 10);
  return value;
}

export function yamlFloat(node: YamlScalar): number {
  let text = node.value.replaceAll('_', '').toLowerCase();
  if (text === '') throw new ConfigError('IndexError', 'string index out of range');
  const sign = text.startsWith('-') ? -1 : 1;
  if (text.startsWith('-') || text.startsWith('+')) text = text.slice(1);
  if (text === '.inf') return sign * Number.POSITIVE_INFINITY;
  if (text === '.nan') return Number.NaN;
  if (!text.includes(':')) return sign * parsePythonFloat(text);
  let value = 0;
  let base = 1;
  for (const part of text.split(':').reverse()) {
    value += parsePythonFloat(part) * base;
    base *= 60;
  }
  return sign * value;
}

/** What Python says of characters that ASCII lacks; it counts code points. */
function encodingFailure(text: string, { 0: found, index }: RegExpExecArray): string {
  const start = [...text.slice(0, index)].length;
  const characters = [...found];
  const [first = ''] = characters;
  if (characters.length > 1) {
    return `'ascii' codec can't encode characters in position ${start}-${start + characters.length - 1}: ordinal not in range(128)`;
  }
  return `'ascii' codec can't encode character '${escaped(first)}' in position ${start}: ordinal not in range(128)`;
}

function escaped(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x100) return `\\x${code.toString(16).padStart(2, '0')}`;
  return code < 0x10000 ? `\\u${code.toString(16).padStart(4, '0')}` : `\\U${code.toString(16).padStart(8, '0')}`;
}

/** Decodes base64 as Python's non-strict decoder does: what is no base64 character is skipped. */
export function yamlBytes(node: YamlScalar, source: string): Uint8Array {
  const fail = (problem: string) => yamlError('ConstructorError', source, problem, node.start);
  const foreign = /[^\0-\x7f]+/u.exec(node.value);
  if (foreign !== null) throw fail(`failed to convert base64 data into ascii: ${encodingFailure(node.value, foreign)}`);
  const bytes: number[] = [];
  let bits = 0;
  let bitCount = 0;
  let characters = 0;
  let padding = 0;
  for (const character of node.value) {
    if (character === '=') {
      padding += 1;
      if (characters % 4 >= 2 && (characters % 4) + padding >= 4) return new Uint8Array(bytes);
      continue;
    }
    const digit = BASE64.indexOf(character);
    if (digit < 0) continue;
    padding = 0;
    characters += 1;
    bits = (bits << 6) | digit;
    bitCount += 6;
    if (bitCount >= 8) {
      bitCount -= 8;
      bytes.push((bits >> bitCount) & 0xff);
    }
  }
  if (characters % 4 === 1) {
    throw fail(
      'failed to decode base64 data: Invalid base64-encoded string: ' +
        `number of data characters (${characters}) cannot be 1 more than a multiple of 4`,
    );
  }
  if (characters % 4 !== 0) throw fail('failed to decode base64 data: Incorrect padding');
  return new Uint8Array(bytes);
}

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

const TIMESTAMP =
  /^(\d{4})-(\d\d?)-(\d\d?)(?:(?:[Tt]|[ \t]+)(\d\d?):(\d\d):(\d\d)(?:\.(\d*))?(?:[ \t]*(Z|([-+])(\d\d?)(?::(\d\d))?))?)?$/;

/** The class of a value with an explicit timestamp tag; configs have no such values, so no more is kept. */
export function yamlTimestampClass(node: YamlScalar): 'date' | 'datetime' {
  const match = TIMESTAMP.exec(node.value);
  if (match === null) {
    throw new ConfigError('AttributeError', "'NoneType' object has no attribute 'groupdict'");
  }
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((part) => Number(part ?? 0));
  if (year === undefined || month === undefined || day === undefined)
    throw new Error('Internal error: timestamp parts');
  if (year < 1) throw new ConfigError('ValueError', 'year 0 is out of range');
  if (month < 1 || month > 12) throw new ConfigError('ValueError', 'month must be in 1..12');
  if (day < 1 || day > new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate()) {
    throw new ConfigError('ValueError', 'day is out of range for month');
  }
  if (hour !== undefined && hour > 23) throw new ConfigError('ValueError', 'hour must be in 0..23');
  if (minute !== undefined && minute > 59) throw new ConfigError('ValueError', 'minute must be in 0..59');
  if (second !== undefined && second > 59) throw new ConfigError('ValueError', 'second must be in 0..59');
  return match[4] === undefined ? 'date' : 'datetime';
}
