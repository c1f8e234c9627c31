import { z } from 'zod';
import { ConfigError, type TaggedValue } from '../../engine/config/index.ts';
import type { CaseOutcome } from './framework.ts';

/** A case's recorded failure. */
export const ExpectedError = z.object({ error: z.string(), message: z.string().default('') });
export type ExpectedError = z.infer<typeof ExpectedError>;

/** A recorded value in the vectors' encoding; compared as it stands, so its inside is not checked. */
export const Encoded = z.custom<TaggedValue>(
  (value) => typeof value === 'object' && value !== null && typeof Reflect.get(value, 't') === 'string',
);

/** The wording of a parser generator is not compared, only that the text was refused as this kind of text. */
const SYNTAX_ERRORS = new Set(['ScannerError', 'ParserError', 'ComposerError', 'ReaderError', 'GrammarParseError']);
const GRAMMAR_WRAPPER = 'GrammarParseError raised while resolving interpolation:';

/** Runs a step and compares how it ended with what was recorded. */
export function compareOutcome(
  expected: { readonly value: unknown } | ExpectedError,
  step: () => unknown,
): CaseOutcome {
  let got: unknown;
  try {
    got = step();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return 'error' in expected ? compareError(expected, error) : `expected ${show(expected.value)}\ngot ${tell(error)}`;
  }
  if ('error' in expected) return `expected ${expected.error}: ${expected.message}\ngot ${show(got)}`;
  return sameValue(expected.value, got) ? undefined : `expected ${show(expected.value)}\ngot      ${show(got)}`;
}

/** Compares an error's class and the first line of its message. */
export function compareError(expected: ExpectedError, error: ConfigError): CaseOutcome {
  if (expected.error === 'RecursionError') return undefined;
  const difference = `expected ${expected.error}: ${expected.message}\ngot      ${tell(error)}`;
  if (error.exception !== expected.error) return difference;
  if (SYNTAX_ERRORS.has(expected.error)) return undefined;
  const got = firstLine(error.message);
  if (expected.message.startsWith(GRAMMAR_WRAPPER)) return got.startsWith(GRAMMAR_WRAPPER) ? undefined : difference;
  return got === expected.message || deepStack(expected.message) ? undefined : difference;
}

/** Where the reference overflowed its stack, any error will do. */
function deepStack(message: string): boolean {
  return message.startsWith('RecursionError raised');
}

function firstLine(text: string): string {
  return text.split('\n').find((line) => line.trim() !== '') ?? '';
}

function tell(error: ConfigError): string {
  return `${error.exception}: ${firstLine(error.message)}`;
}

function show(value: unknown): string {
  return value === undefined ? 'nothing' : JSON.stringify(value);
}

/** Equality of JSON values in which -0 differs from 0. */
export function sameValue(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, index) => sameValue(item, b[index]));
  }
  if (typeof a === 'object' && typeof b === 'object' && a !== null && b !== null) {
    const keys = Object.keys(a);
    return (
      keys.length === Object.keys(b).length && keys.every((key) => sameValue(Reflect.get(a, key), Reflect.get(b, key)))
    );
  }
  return Object.is(a, b);
}
