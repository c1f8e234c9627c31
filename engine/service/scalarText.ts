import { pythonFloat } from '../config/grammar/pythonText.ts';
import type { ScalarNode } from '../config/index.ts';
import { pythonBytesRepr } from '../config/python/repr.ts';

/** Texts that YAML would read as something other than a string. */
const NOT_A_STRING =
  /^(|~|null|true|false|yes|no|on|off|[-+]?(\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(e[-+]?\d+)?|0[xob][\da-f_]+|[-+]?\.(inf|nan))$/i;
/** Characters that mean something at the start, or anywhere, in YAML. */
const NEEDS_QUOTES = /^[\s\-?:,[\]{}#&*!|>'"%@`]|: |:$| #|[\n\t]|\s$/;

/** A scalar as YAML would hold it on one line: strings are quoted only where they would be read as something else. */
export function scalarText(node: ScalarNode): string {
  const { type, value } = node;
  if (value === null) return 'null';
  if (typeof value === 'number' && type === 'float') return pythonFloat(value);
  if (value instanceof Uint8Array) return pythonBytesRepr(value);
  if (typeof value !== 'string') return String(value);
  if (node.isInterpolation || node.isMissing) return value;
  return NOT_A_STRING.test(value) || NEEDS_QUOTES.test(value) ? JSON.stringify(value) : value;
}
