import { ConfigError } from '../errors.ts';
import type { Value } from './value.ts';

/** What Python's own functions say about a wrong number of arguments. */
export interface Signature {
  readonly name: string;
  /** Parameters that a caller may give, required ones first. */
  readonly parameters: readonly string[];
  readonly required: number;
  /** The parameter that OmegaConf fills by name right behind those, so that one argument more meets it. */
  readonly next?: string;
  /** Parameters that can only be given by name; OmegaConf gives them. */
  readonly keywordOnly?: number;
}

/** Throws Python's TypeError when the arguments do not fit. */
export function checkArguments(args: readonly Value[], signature: Signature): void {
  const { name, parameters, required, next, keywordOnly = 0 } = signature;
  const most = parameters.length;
  if (args.length < required) {
    const missing = parameters.slice(args.length, required).map((parameter) => `'${parameter}'`);
    const plural = missing.length === 1 ? '' : 's';
    throw typeError(`${name}() missing ${missing.length} required positional argument${plural}: ${joinAnd(missing)}`);
  }
  if (args.length <= most) return;
  if (next !== undefined) throw typeError(`${name}() got multiple values for argument '${next}'`);
  const takes = required === most ? `${most}` : `from ${required} to ${most}`;
  const noun = `positional argument${required === most && most === 1 ? '' : 's'}`;
  const were = args.length === 1 ? 'was' : 'were';
  if (keywordOnly === 0) throw typeError(`${name}() takes ${takes} ${noun} but ${args.length} ${were} given`);
  const keywords = `keyword-only argument${keywordOnly === 1 ? '' : 's'}`;
  throw typeError(
    `${name}() takes ${takes} ${noun} but ${args.length} positional argument${args.length === 1 ? '' : 's'} ` +
      `(and ${keywordOnly} ${keywords}) were given`,
  );
}

export function typeError(message: string): ConfigError {
  return new ConfigError('TypeError', message);
}

function joinAnd(words: readonly string[]): string {
  if (words.length < 3) return words.join(' and ');
  return `${words.slice(0, -1).join(', ')}, and ${words.at(-1)}`;
}
