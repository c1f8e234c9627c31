import { ConfigError } from '../errors.ts';
import { parsePythonFloat, pythonRepr } from '../grammar/pythonText.ts';
import { boolNode, floatNode, intNode, nullNode, strNode } from '../node/build.ts';
import type { ScalarNode } from '../node/node.ts';
import type { Origin } from '../node/origin.ts';
import { parsePythonInteger } from '../python/number.ts';
import type { DictExpression, Expression, Interpolation, ListExpression, Sequence, TextExpression } from './ast.ts';
import { type LexerMode, tokenizeInterpolation } from './lexer.ts';
import type { InterpolationToken, InterpolationTokenType } from './token.ts';

/** What one unquoted value may consist of; only a dict key may have neither colons nor interpolations. */
const PRIMITIVE_TYPES: readonly InterpolationTokenType[] = [
  'id',
  'null',
  'int',
  'float',
  'bool',
  'character',
  'colon',
  'escape',
  'space',
  'interpolation-open',
];
const KEY_TYPES: readonly InterpolationTokenType[] = PRIMITIVE_TYPES.filter(
  (type) => type !== 'colon' && type !== 'interpolation-open',
);
const TEXT_TYPES: readonly InterpolationTokenType[] = [
  'text',
  'escape',
  'escaped-interpolation',
  'backslash-pairs',
  'interpolation-open',
];

/** Deeper nesting is refused, because walking it recurses. */
const DEEPEST_NESTING = 200;

/** Configs repeat the same few texts; a full cache is simply emptied. */
const LARGEST_CACHE = 4_000;
const cache = new Map<string, Expression>();

/** Parses a config value that contains `${`. Throws a GrammarParseError, with the origin when one is given. */
export function parseInterpolation(text: string, origin?: Origin): Expression {
  const known = cache.get(text);
  if (known !== undefined) return known;
  const expression = parseWith(text, 'text', origin, (parser) => parser.parseText('end'));
  if (cache.size >= LARGEST_CACHE) cache.clear();
  cache.set(text, expression);
  return expression;
}

/** Parses one element, as an argument of a resolver is written. Throws a GrammarParseError. */
export function parseElement(text: string): Expression {
  return parseWith(text, 'value', undefined, (parser) => parser.parseElement());
}

function parseWith(
  text: string,
  mode: LexerMode,
  origin: Origin | undefined,
  parse: (parser: InterpolationParser) => Expression,
): Expression {
  try {
    const parser = new InterpolationParser(text, tokenizeInterpolation(text, mode));
    const expression = parse(parser);
    parser.expectEnd();
    return expression;
  } catch (error) {
    if (origin === undefined || !(error instanceof ConfigError)) throw error;
    throw new ConfigError(error.exception, error.message, { origin, cause: error, details: error.details });
  }
}

class InterpolationParser {
  readonly #text: string;
  readonly #tokens: readonly InterpolationToken[];
  #at = 0;
  #depth = 0;

  constructor(text: string, tokens: readonly InterpolationToken[]) {
    this.#text = text;
    this.#tokens = tokens;
  }

  get #token(): InterpolationToken {
    const token = this.#tokens[Math.min(this.#at, this.#tokens.length - 1)];
    if (token === undefined) throw new Error('Internal error: no tokens');
    return token;
  }

  #is(type: InterpolationTokenType): boolean {
    return this.#token.type === type;
  }

  #take(): InterpolationToken {
    const token = this.#token;
    this.#at += 1;
    return token;
  }

  #fail(expected: string): never {
    const { type, text, start } = this.#token;
    const found = type === 'end' ? 'the end of the text' : `'${text}'`;
    throw new ConfigError(
      'GrammarParseError',
      `mismatched input ${found} expecting ${expected} (at position ${start + 1} of ${pythonRepr(this.#text)})`,
      { details: { position: start } },
    );
  }

  #expect(type: InterpolationTokenType, what: string): InterpolationToken {
    if (!this.#is(type)) this.#fail(what);
    return this.#take();
  }

  #nested<T>(parse: () => T): T {
    this.#depth += 1;
    if (this.#depth > DEEPEST_NESTING) {
      throw new ConfigError('GrammarParseError', `An interpolation is nested deeper than ${DEEPEST_NESTING} levels`);
    }
    const result = parse();
    this.#depth -= 1;
    return result;
  }

  #sourceSince(start: number): string {
    return this.#text.slice(start, this.#token.start);
  }

  expectEnd(): void {
    if (!this.#is('end')) this.#fail('<EOF>');
  }

  /** Text up to a closing quote or the end; text that is one interpolation alone keeps that interpolation's type. */
  parseText(stop: 'end' | 'quote-close'): Expression {
    const pieces: (InterpolationToken | Interpolation)[] = [];
    while (TEXT_TYPES.includes(this.#token.type)) {
      pieces.push(this.#is('interpolation-open') ? this.#parseInterpolation() : this.#take());
    }
    if (pieces.length === 0 || !this.#is(stop)) this.#fail(stop === 'end' ? 'text' : 'a closing quote');
    const [first] = pieces;
    if (pieces.length === 1 && first !== undefined && isInterpolation(first)) return first;
    return joinText(pieces, stop === 'quote-close');
  }

  parseElement(): Expression {
    return this.#nested(() => {
      if (this.#is('bracket-open')) return this.#parseList();
      if (this.#is('brace-open')) return this.#parseDict();
      if (this.#is('quote-open')) return this.#parseQuoted();
      return this.#parsePrimitive();
    });
  }

  #parseList(): ListExpression {
    this.#take();
    const items = this.#is('bracket-close') ? undefined : this.#parseSequence('bracket-close');
    this.#expect('bracket-close', "']'");
    return { type: 'list', items };
  }

  #parseDict(): DictExpression {
    this.#take();
    const entries: (readonly [ScalarNode, Expression])[] = [];
    while (!this.#is('brace-close') || entries.length > 0) {
      entries.push(this.#parseEntry());
      if (!this.#is('comma')) break;
      this.#take();
    }
    this.#expect('brace-close', "',' or '}'");
    return { type: 'dict', entries };
  }

  #parseEntry(): readonly [ScalarNode, Expression] {
    const tokens = this.#takeWhile(KEY_TYPES);
    if (tokens.length === 0) this.#fail('an unquoted key');
    const key = primitiveOf(tokens);
    this.#expect('colon', "':'");
    const value = this.parseElement();
    if (key.type !== 'literal') this.#fail('an unquoted key');
    return [key.value, value];
  }

  #parseQuoted(): Expression {
    this.#take();
    const isEmpty = this.#is('quote-close');
    const inner: Expression = isEmpty ? { type: 'literal', value: strNode('') } : this.parseText('quote-close');
    this.#take();
    // A quoted interpolation is always a string, also when it stands alone.
    return isInterpolation(inner) ? { type: 'text', parts: [inner] } : inner;
  }

  #takeWhile(types: readonly InterpolationTokenType[]): InterpolationToken[] {
    const tokens: InterpolationToken[] = [];
    while (types.includes(this.#token.type)) tokens.push(this.#take());
    return tokens;
  }

  #parsePrimitive(): Expression {
    const pieces: (InterpolationToken | Interpolation)[] = [];
    while (PRIMITIVE_TYPES.includes(this.#token.type)) {
      pieces.push(this.#is('interpolation-open') ? this.#parseInterpolation() : this.#take());
    }
    if (pieces.length === 0) this.#fail('a value');
    const [first] = pieces;
    if (pieces.length === 1 && first !== undefined && isInterpolation(first)) return first;
    const tokens = pieces.filter((piece) => !isInterpolation(piece));
    return tokens.length === pieces.length ? primitiveOf(tokens) : joinText(pieces, false);
  }

  #parseSequence(close: InterpolationTokenType): Sequence {
    const { start } = this.#token;
    const items: (Expression | undefined)[] = [];
    let afterComma = true;
    while (!this.#is(close)) {
      if (this.#is('comma')) {
        if (afterComma) items.push(undefined);
        this.#take();
        afterComma = true;
      } else if (afterComma) {
        items.push(this.parseElement());
        afterComma = false;
      } else {
        break;
      }
    }
    if (afterComma) items.push(undefined);
    return { items, text: this.#sourceSince(start) };
  }

  #parseInterpolation(): Interpolation {
    return this.#nested(() => {
      const { start } = this.#take();
      const pieces: (string | Interpolation)[] = [];
      let mayBeResolver = true;
      while (this.#is('dot')) {
        pieces.push(this.#take().text);
        mayBeResolver = false;
      }
      for (;;) {
        const isBracketed = this.#is('bracket-open');
        if (isBracketed) pieces.push(this.#take().text);
        if (isBracketed || this.#is('key')) mayBeResolver = false;
        pieces.push(this.#parseKey());
        if (isBracketed) pieces.push(this.#expect('bracket-close', "']'").text);
        if (this.#is('dot')) pieces.push(this.#take().text);
        else if (!this.#is('bracket-open')) break;
        if (this.#is('bracket-open') && pieces.at(-1) === '.') this.#fail('a key');
      }
      if (mayBeResolver && this.#is('colon')) return this.#parseResolver(pieces, start);
      this.#expect('interpolation-close', "'.', '[' or '}'");
      return { type: 'node', pieces, text: this.#sourceSince(start) };
    });
  }

  #parseKey(): string | Interpolation {
    if (this.#is('interpolation-open')) return this.#parseInterpolation();
    if (this.#is('id') || this.#is('key')) return this.#take().text;
    this.#fail('a key');
  }

  #parseResolver(pieces: readonly (string | Interpolation)[], start: number): Interpolation {
    this.#take();
    const args = this.#is('brace-close') ? undefined : this.#parseSequence('brace-close');
    this.#expect('brace-close', "'}'");
    const name = pieces.filter((piece) => piece !== '.');
    return { type: 'resolver', name, args, text: this.#sourceSince(start) };
  }
}

function isInterpolation(piece: InterpolationToken | Expression): piece is Interpolation {
  return piece.type === 'node' || piece.type === 'resolver';
}

/** One token is a value of its type, several are text. */
function primitiveOf(tokens: readonly InterpolationToken[]): Expression {
  const [token] = tokens;
  if (token === undefined || tokens.length > 1) {
    return { type: 'literal', value: strNode(tokens.map((part) => unescapeToken(part)).join('')) };
  }
  switch (token.type) {
    case 'null':
      return { type: 'literal', value: nullNode() };
    case 'int':
      return { type: 'literal', value: intNode(parsePythonInteger(token.text, 10)) };
    case 'float':
      return { type: 'literal', value: floatNode(parsePythonFloat(token.text)) };
    case 'bool':
      return { type: 'literal', value: boolNode(token.text.toLowerCase() === 'true') };
    case 'space':
      return { type: 'blank' };
    default:
      return { type: 'literal', value: strNode(unescapeToken(token)) };
  }
}

/** Every second character of an escape is the character that it stands for. */
function unescapeToken({ type, text }: InterpolationToken): string {
  return type === 'escape' ? everySecond(text) : text;
}

function everySecond(text: string): string {
  let result = '';
  for (let at = 1; at < text.length; at += 2) result += text[at];
  return result;
}

/** Backslashes are halved only where they could be mistaken for an escape: before an interpolation or a quote. */
function joinText(pieces: readonly (InterpolationToken | Interpolation)[], quoted: boolean): TextExpression {
  const parts: (string | Interpolation)[] = [];
  pieces.forEach((piece, index) => {
    if (isInterpolation(piece)) {
      parts.push(piece);
      return;
    }
    const next = pieces[index + 1];
    const beforeSpecial = next === undefined ? quoted : isInterpolation(next);
    let text = unescapeToken(piece);
    if (piece.type === 'escaped-interpolation') text = piece.text.slice(-(Math.floor(piece.text.length / 2) + 1));
    else if (piece.type === 'backslash-pairs' && beforeSpecial) text = everySecond(piece.text);
    const last = parts.at(-1);
    if (typeof last === 'string') parts[parts.length - 1] = last + text;
    else parts.push(text);
  });
  return { type: 'text', parts };
}
