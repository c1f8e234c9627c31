import { ConfigError } from '../errors.ts';
import { pythonRepr } from '../grammar/pythonText.ts';
import type { InterpolationToken, InterpolationTokenType } from './token.ts';

/** 'text' is a config value, 'value' what stands between a resolver's colon and its end, 'inside' what follows `${`. */
export type LexerMode = 'text' | 'value' | 'inside' | 'single' | 'double';

type Rule = readonly [type: InterpolationTokenType, pattern: RegExp];

const UNSIGNED = '(?:0|[1-9](?:_?[0-9])*)';
const DIGITS = '[0-9](?:_?[0-9])*';
const POINT_FLOAT = `(?:${UNSIGNED}?\\.${DIGITS}|${UNSIGNED}\\.)`;
const FLOAT = new RegExp(
  `[+-]?(?:(?:${POINT_FLOAT}|${UNSIGNED})[eE][+-]?${DIGITS}|${POINT_FLOAT}|[iI][nN][fF]|[nN][aA][nN])`,
  'y',
);
const ID = /[a-zA-Z_][a-zA-Z0-9_-]*/y;
const INTERPOLATION_OPEN = /\$\{[ \t]*/y;

/** The longest match wins, of equally long ones the first. */
const VALUE_RULES: readonly Rule[] = [
  ['interpolation-open', INTERPOLATION_OPEN],
  ['brace-open', /\{[ \t]*/y],
  ['brace-close', /[ \t]*\}/y],
  ['quote-open', /['"]/y],
  ['comma', /[ \t]*,[ \t]*/y],
  ['bracket-open', /\[[ \t]*/y],
  ['bracket-close', /[ \t]*\]/y],
  ['colon', /[ \t]*:[ \t]*/y],
  ['float', FLOAT],
  ['int', new RegExp(`[+-]?${UNSIGNED}`, 'y')],
  ['bool', /[tT][rR][uU][eE]|[fF][aA][lL][sS][eE]/y],
  ['null', /[nN][uU][lL][lL]/y],
  ['character', /[/\-\\+.$%*@?|]/y],
  ['id', ID],
  ['escape', /(?:\\[\\()[\]{}:=, \t])+/y],
  ['space', /[ \t]+/y],
];

const INSIDE_RULES: readonly Rule[] = [
  ['interpolation-open', INTERPOLATION_OPEN],
  ['colon', /[ \t]*:[ \t]*/y],
  ['interpolation-close', /[ \t]*\}/y],
  ['dot', /\./y],
  ['bracket-open', /\[/y],
  ['bracket-close', /\]/y],
  ['id', ID],
  ['key', /[^\\{}()[\]:. \t'"]+/y],
];

/** Splits a config value into tokens as OmegaConf's lexer does. Throws a GrammarParseError. */
export function tokenizeInterpolation(text: string, mode: LexerMode): readonly InterpolationToken[] {
  const tokens: InterpolationToken[] = [];
  const modes: LexerMode[] = [mode];
  let at = 0;
  while (at < text.length) {
    const current = modes.at(-1) ?? mode;
    const token = nextToken(text, at, current);
    tokens.push(token);
    at += token.text.length;
    switchMode(modes, current, token, text);
  }
  tokens.push({ type: 'end', text: '<EOF>', start: at });
  return tokens;
}

function nextToken(text: string, at: number, mode: LexerMode): InterpolationToken {
  if (mode === 'value') return longestMatch(text, at, VALUE_RULES);
  if (mode === 'inside') return longestMatch(text, at, INSIDE_RULES);
  return textToken(text, at, mode);
}

function switchMode(modes: LexerMode[], current: LexerMode, { type, text }: InterpolationToken, whole: string): void {
  switch (type) {
    case 'interpolation-open':
      modes.push('inside');
      break;
    case 'quote-open':
      modes.push(text === "'" ? 'single' : 'double');
      break;
    case 'brace-open':
      modes.push('value');
      break;
    case 'colon':
      if (current === 'inside') modes[modes.length - 1] = 'value';
      break;
    case 'interpolation-close':
    case 'brace-close':
    case 'quote-close':
      modes.pop();
      if (modes.length === 0)
        throw new ConfigError('GrammarParseError', `Empty Stack: a '}' too many in ${pythonRepr(whole)}`);
      break;
    default:
      break;
  }
}

function longestMatch(text: string, start: number, rules: readonly Rule[]): InterpolationToken {
  let type: InterpolationTokenType | undefined;
  let length = 0;
  for (const [candidate, pattern] of rules) {
    pattern.lastIndex = start;
    if (!pattern.test(text)) continue;
    if (pattern.lastIndex - start > length) {
      type = candidate;
      length = pattern.lastIndex - start;
    }
  }
  if (type !== undefined) return { type, text: text.slice(start, start + length), start };
  const unknown = /[ \t]*(?:.|$)/suy;
  unknown.lastIndex = start;
  const offending = unknown.exec(text)?.[0] ?? '';
  throw new ConfigError(
    'GrammarParseError',
    `token recognition error at: '${offending}' (at position ${start + 1} of ${pythonRepr(text)})`,
    { details: { position: start } },
  );
}

/** Plain text up to `$` or, in quotes, up to the closing quote; backslashes before either are tokens of their own. */
function textToken(text: string, start: number, mode: 'text' | 'single' | 'double'): InterpolationToken {
  const quote = mode === 'text' ? undefined : mode === 'single' ? "'" : '"';
  const first = text[start];
  if (first === quote) return { type: 'quote-close', text: first ?? '', start };
  if (first === '$') {
    INTERPOLATION_OPEN.lastIndex = start;
    const open = INTERPOLATION_OPEN.exec(text);
    return open === null ? { type: 'text', text: '$', start } : { type: 'interpolation-open', text: open[0], start };
  }
  let stop = start;
  while (stop < text.length && text[stop] !== '$' && text[stop] !== quote) stop += 1;
  let end = stop;
  while (end > start && text[end - 1] === '\\') end -= 1;
  if (end > start) return { type: 'text', text: text.slice(start, end), start };
  return backslashToken(text, start, stop, quote);
}

/** A run of backslashes up to `stop`: how many of them escape depends on what follows. */
function backslashToken(text: string, start: number, stop: number, quote: string | undefined): InterpolationToken {
  const count = stop - start;
  if (count % 2 === 0) return { type: 'backslash-pairs', text: text.slice(start, stop), start };
  if (text.startsWith('${', stop)) {
    return { type: 'escaped-interpolation', text: text.slice(start, stop + 2), start };
  }
  if (quote !== undefined && text[stop] === quote) {
    return { type: 'escape', text: text.slice(start, stop + 1), start };
  }
  return { type: 'text', text: text.slice(start, stop), start };
}
