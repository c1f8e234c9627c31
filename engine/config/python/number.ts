import { ConfigError } from '../errors.ts';
import { pythonRepr } from '../grammar/pythonText.ts';
import { asciiDigits, PYTHON_SPACE } from './asciiDigits.ts';

const DECIMAL = '\\p{Nd}+(?:_\\p{Nd}+)*';
const INTEGER_TEXT = new RegExp(`^${PYTHON_SPACE}[+-]?${DECIMAL}${PYTHON_SPACE}$`, 'u');
const FLOAT_TEXT = new RegExp(
  `^${PYTHON_SPACE}[+-]?(?:(?:${DECIMAL}(?:\\.(?:${DECIMAL})?)?|\\.${DECIMAL})(?:[eE][+-]?${DECIMAL})?|[iI][nN][fF](?:[iI][nN][iI][tT][yY])?|[nN][aA][nN])${PYTHON_SPACE}$`,
  'u',
);

/** True when Python's `int(text)` succeeds; digits of every script count. */
export function isPythonInteger(text: string): boolean {
  return INTEGER_TEXT.test(text);
}

/** True when Python's `float(text)` succeeds. */
export function isPythonFloat(text: string): boolean {
  return FLOAT_TEXT.test(text);
}

const DIGITS: Readonly<Record<2 | 8 | 10 | 16, RegExp>> = {
  2: /^[+-]?(?:0[bB]_?)?[01]+(?:_[01]+)*$/,
  8: /^[+-]?(?:0[oO]_?)?[0-7]+(?:_[0-7]+)*$/,
  10: /^[+-]?[0-9]+(?:_[0-9]+)*$/,
  16: /^[+-]?(?:0[xX]_?)?[0-9a-fA-F]+(?:_[0-9a-fA-F]+)*$/,
};

const PREFIXES = { 2: '0b', 8: '0o', 10: '', 16: '0x' } as const;

/** Python's `int(text, base)`. Throws its ValueError. */
export function parsePythonInteger(text: string, base: 2 | 8 | 10 | 16): bigint {
  const stripped = asciiDigits(text);
  if (!DIGITS[base].test(stripped)) {
    throw new ConfigError('ValueError', `invalid literal for int() with base ${base}: ${pythonRepr(text)}`);
  }
  const plain = stripped.replace(/[_+]/g, '').toLowerCase();
  const negative = plain.startsWith('-');
  const digits = negative ? plain.slice(1) : plain;
  const prefix = PREFIXES[base];
  const value = BigInt(prefix !== '' && digits.startsWith(prefix) ? digits : prefix + digits);
  return negative ? -value : value;
}
