import { ConfigError } from '../errors.ts';
import { asciiDigits } from '../python/asciiDigits.ts';

/** Python's `str(float)`: the shortest digits that read back, with an exponent below 1e-4 and from 1e16. */
export function pythonFloat(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0';
  const magnitude = Math.abs(value);
  if (magnitude >= 1e16 || magnitude < 1e-4) {
    const [mantissa = '', exponent = ''] = value.toExponential().split('e');
    const digits = exponent.slice(1).padStart(2, '0');
    return `${mantissa}e${exponent.startsWith('-') ? '-' : '+'}${digits}`;
  }
  const text = String(value);
  return text.includes('.') ? text : `${text}.0`;
}

/** Python's `repr` of a string. */
export function pythonRepr(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  let result = quote;
  for (const character of text) {
    if (character === '\\' || character === quote) result += `\\${character}`;
    else if (character === '\n') result += '\\n';
    else if (character === '\r') result += '\\r';
    else if (character === '\t') result += '\\t';
    else if (character !== ' ' && /[\p{C}\p{Z}]/u.test(character)) result += escapeCodePoint(character);
    else result += character;
  }
  return result + quote;
}

function escapeCodePoint(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  const hex = code.toString(16);
  if (code <= 0xff) return `\\x${hex.padStart(2, '0')}`;
  return code <= 0xffff ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`;
}

/** Python's `repr` of a list of strings. */
export function pythonListRepr(texts: readonly string[]): string {
  return `[${texts.map(pythonRepr).join(', ')}]`;
}

const INT_TEXT = /^[+-]?\d+(?:_\d+)*$/;
const FLOAT_TEXT =
  /^[+-]?(?:(?:\d+(?:_\d+)*\.?(?:\d+(?:_\d+)*)?|\.\d+(?:_\d+)*)(?:e[+-]?\d+(?:_\d+)*)?|inf|infinity|nan)$/i;

/** Python's `int(text)`. Throws its ValueError. */
export function parsePythonInt(text: string): bigint {
  const stripped = asciiDigits(text);
  if (!INT_TEXT.test(stripped)) {
    throw new ConfigError('ValueError', `invalid literal for int() with base 10: ${pythonRepr(text)}`);
  }
  return BigInt(stripped.replace(/[_+]/g, ''));
}

/** Python's `float(text)`. Throws its ValueError. */
export function parsePythonFloat(text: string): number {
  const stripped = asciiDigits(text);
  if (!FLOAT_TEXT.test(stripped)) {
    throw new ConfigError('ValueError', `could not convert string to float: ${pythonRepr(text)}`);
  }
  const plain = stripped.replaceAll('_', '').toLowerCase();
  const unsigned = plain.replace(/^[+-]/, '');
  if (unsigned === 'nan') return Number.NaN;
  if (unsigned.startsWith('inf')) return plain.startsWith('-') ? -Infinity : Infinity;
  return Number(plain);
}

/** A string as `json.dumps` writes it: ASCII only. */
export function jsonString(text: string): string {
  return JSON.stringify(text).replace(
    /[\u007f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
