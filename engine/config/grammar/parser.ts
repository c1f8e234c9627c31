import { OverrideSyntaxError, ParseFailure } from './failure.ts';
import { callFunction } from './functions.ts';
import { tokenize } from './lexer.ts';
import { TokenKind, type Tokens } from './tokens.ts';
import type {
  ListValue,
  Override,
  OverrideType,
  OverrideValue,
  OverrideValueType,
  ScalarOverrideValue,
  Span,
} from './types.ts';
import {
  dictValue,
  FALSE_VALUE,
  floatValue,
  intValue,
  NULL_VALUE,
  quotedValue,
  stringValue,
  TRUE_VALUE,
} from './values.ts';

/** Deeper lists and mappings are refused: nobody writes them, and they would exhaust the stack. */
const MAXIMUM_DEPTH = 500;

/**
 * Reads one override of Hydra 1.4's command line, `index` being its place in the list. Throws an OverrideSyntaxError
 * (`OverrideParseException`) that knows the character at fault. `all` is the whole list, for Hydra's message alone.
 */
export function parseOverride(text: string, index = 0, all: readonly string[] = [text]): Override {
  try {
    return new OverrideParser(text, index).parse();
  } catch (error) {
    if (error instanceof ParseFailure) throw new OverrideSyntaxError(error, text, index, all);
    throw error;
  }
}

/** Reads a list of overrides; the first that cannot be read is thrown. */
export function parseOverrides(texts: readonly string[]): Override[] {
  return texts.map((text, index) => parseOverride(text, index, texts));
}

function isPrimitive(kind: TokenKind | undefined): boolean {
  switch (kind) {
    case TokenKind.id:
    case TokenKind.null:
    case TokenKind.int:
    case TokenKind.float:
    case TokenKind.bool:
    case TokenKind.interpolation:
    case TokenKind.unquotedCharacter:
    case TokenKind.colon:
    case TokenKind.escape:
    case TokenKind.space:
      return true;
    default:
      return false;
  }
}

function isDictKey(kind: TokenKind | undefined): boolean {
  return isPrimitive(kind) && kind !== TokenKind.colon && kind !== TokenKind.interpolation;
}

class OverrideParser {
  readonly #text: string;
  readonly #index: number;
  readonly #tokens: Tokens;
  #at = 0;
  #depth = 0;

  constructor(text: string, index: number) {
    this.#text = text;
    this.#index = index;
    this.#tokens = tokenize(text);
  }

  parse(): Override {
    let type: OverrideType = 'CHANGE';
    if (this.#take(TokenKind.tilde)) type = 'DEL';
    else if (this.#take(TokenKind.plus)) type = this.#take(TokenKind.plus) ? 'FORCE_ADD' : 'ADD';

    const keyStart = this.#start();
    const keyOrGroup = this.#packageOrGroup();
    const packageName = this.#take(TokenKind.at) ? this.#package() : undefined;
    const keySpan = this.#span(keyStart);

    let value: OverrideValue | undefined;
    let valueSpan: Span | undefined;
    if (this.#take(TokenKind.equal)) {
      const valueStart = this.#start();
      value = this.#kind() === TokenKind.end ? stringValue('') : this.#value();
      valueSpan = this.#span(valueStart);
      if (this.#kind() !== TokenKind.end) throw this.#unexpected('after the value');
    } else if (type !== 'DEL' || this.#kind() !== TokenKind.end) {
      throw this.#unexpected('in the key', "'=' and a value are missing");
    }

    if (value?.type === 'extend_list') {
      if (type !== 'CHANGE') {
        throw new ParseFailure('Trying to use override symbols when extending a list', { start: 0, end: keyStart });
      }
      type = 'EXTEND_LIST';
      value = Object.freeze({ type: 'list', items: value.items });
    }
    return Object.freeze({
      type,
      keyOrGroup,
      package: packageName,
      value,
      valueType: value === undefined ? undefined : valueTypeOf(value),
      text: this.#text,
      index: this.#index,
      keySpan,
      valueSpan,
    });
  }

  #kind(offset = 0): TokenKind | undefined {
    return this.#tokens.kinds[this.#at + offset];
  }

  #start(offset = 0): number {
    return this.#tokens.starts[this.#at + offset] ?? this.#text.length;
  }

  /** From `start` to the end of the last token taken. */
  #span(start: number): Span {
    return { start, end: Math.max(start, this.#tokens.ends[this.#at - 1] ?? start) };
  }

  #tokenText(place = this.#at): string {
    return this.#text.slice(this.#tokens.starts[place], this.#tokens.ends[place]);
  }

  #take(kind: TokenKind): boolean {
    if (this.#kind() !== kind) return false;
    this.#at++;
    return true;
  }

  #packageOrGroup(): string {
    if (this.#kind() !== TokenKind.id || this.#kind(1) !== TokenKind.slash) return this.#package();
    const start = this.#start();
    this.#at++;
    while (this.#take(TokenKind.slash)) {
      if (!this.#take(TokenKind.id)) throw this.#unexpected('in the key', "a name is expected after '/'");
    }
    return this.#text.slice(start, this.#span(start).end);
  }

  /** May be empty: the grammar allows `=x` and `group@=x`. */
  #package(): string {
    const kind = this.#kind();
    if (kind !== TokenKind.id && kind !== TokenKind.keySpecial && kind !== TokenKind.dotPath) return '';
    const name = this.#tokenText();
    this.#at++;
    return name;
  }

  #value(): OverrideValue {
    const first = this.#element();
    if (this.#kind() !== TokenKind.comma) return first;
    const items = [first];
    while (this.#take(TokenKind.comma)) items.push(this.#element());
    return Object.freeze({
      type: 'choice_sweep',
      items: Object.freeze(items),
      simple: true,
      shuffle: false,
      tags: Object.freeze([]),
    });
  }

  #element(): OverrideValue {
    const kind = this.#kind();
    if (kind === TokenKind.quoted) {
      const value = unquote(this.#tokenText());
      this.#at++;
      return value;
    }
    if (kind === TokenKind.id && this.#kind(1) === TokenKind.parenOpen) return this.#nested(() => this.#function());
    if (isPrimitive(kind)) return this.#primitive(isPrimitive);
    if (kind === TokenKind.bracketOpen) return this.#nested(() => this.#list());
    if (kind === TokenKind.braceOpen) return this.#nested(() => this.#dict());
    throw this.#unexpected('in the value', 'a value is expected');
  }

  #nested<T>(parse: () => T): T {
    if (++this.#depth > MAXIMUM_DEPTH) {
      throw new ParseFailure(`Nested more than ${MAXIMUM_DEPTH} levels deep`, this.#currentSpan());
    }
    const value = parse();
    this.#depth--;
    return value;
  }

  #list(): ListValue {
    const open = this.#at++;
    const items: OverrideValue[] = [];
    if (!this.#take(TokenKind.bracketClose)) {
      items.push(this.#element());
      while (this.#take(TokenKind.comma)) items.push(this.#element());
      if (!this.#take(TokenKind.bracketClose)) throw this.#unclosed(open, "',' or ']'");
    }
    return Object.freeze({ type: 'list', items: Object.freeze(items) });
  }

  #dict(): OverrideValue {
    const open = this.#at++;
    const entries: [ScalarOverrideValue, OverrideValue][] = [];
    if (!this.#take(TokenKind.braceClose)) {
      do {
        if (!isDictKey(this.#kind())) throw this.#unexpected('in the mapping', 'an unquoted key is expected');
        const key = this.#primitive(isDictKey);
        if (!this.#take(TokenKind.colon)) throw this.#unexpected('in the mapping', "':' is expected after the key");
        entries.push([key, this.#element()]);
      } while (this.#take(TokenKind.comma));
      if (!this.#take(TokenKind.braceClose)) throw this.#unclosed(open, "',' or '}'");
    }
    return dictValue(entries);
  }

  #function(): OverrideValue {
    const start = this.#start();
    const name = this.#tokenText();
    const open = this.#at + 1;
    this.#at += 2;
    const positional: OverrideValue[] = [];
    const named = new Map<string, OverrideValue>();
    if (!this.#take(TokenKind.parenClose)) {
      do {
        if (this.#kind() === TokenKind.id && this.#kind(1) === TokenKind.equal) {
          const argument = this.#tokenText();
          this.#at += 2;
          named.set(argument, this.#element());
        } else {
          const span = this.#currentSpan();
          if (named.size > 0) throw new ParseFailure('positional argument follows keyword argument', span);
          positional.push(this.#element());
        }
      } while (this.#take(TokenKind.comma));
      if (!this.#take(TokenKind.parenClose)) throw this.#unclosed(open, "',' or ')'");
    }
    const span = this.#span(start);
    return callFunction({ name, positional, named, text: this.#text.slice(span.start, span.end), span });
  }

  /** One token with its own type, or several that together are one text; blanks around it do not count. */
  #primitive(belongs: (kind: TokenKind | undefined) => boolean): ScalarOverrideValue {
    let first = this.#at;
    while (belongs(this.#kind())) this.#at++;
    let last = this.#at - 1;
    const { kinds } = this.#tokens;
    if (kinds[first] === TokenKind.space) {
      if (first === last) {
        this.#at = first;
        throw new ParseFailure('Trying to parse a primitive that is all whitespaces', this.#currentSpan());
      }
      first++;
    }
    if (kinds[last] === TokenKind.space) last--;
    if (first === last) return this.#scalar(first);
    let text = '';
    for (let place = first; place <= last; place++) {
      text += kinds[place] === TokenKind.escape ? unescapePairs(this.#tokenText(place)) : this.#tokenText(place);
    }
    return stringValue(text);
  }

  #scalar(place: number): ScalarOverrideValue {
    const text = this.#tokenText(place);
    switch (this.#tokens.kinds[place]) {
      case TokenKind.int:
        return parseInteger(text);
      case TokenKind.float:
        return floatValue(parseFloatToken(text));
      case TokenKind.null:
        return NULL_VALUE;
      case TokenKind.bool:
        return text.length === 4 ? TRUE_VALUE : FALSE_VALUE;
      case TokenKind.escape:
        return stringValue(unescapePairs(text));
      default:
        return stringValue(text);
    }
  }

  #currentSpan(): Span {
    const start = this.#start();
    return { start, end: Math.max(start + 1, this.#tokens.ends[this.#at] ?? start + 1) };
  }

  #unclosed(open: number, expected: string): ParseFailure {
    if (this.#kind() === TokenKind.end) {
      const start = this.#tokens.starts[open] ?? 0;
      const bracket = this.#tokenText(open).trim();
      return new ParseFailure(`'${bracket}' is never closed: ${expected} is expected at the end`, {
        start,
        end: start + 1,
      });
    }
    return this.#unexpected('in the value', `${expected} is expected`);
  }

  #unexpected(where: string, hint?: string): ParseFailure {
    const suffix = hint === undefined ? '' : `: ${hint}`;
    const span = this.#currentSpan();
    const kind = this.#kind();
    if (kind === TokenKind.end) return new ParseFailure(`The override ends too early${suffix}`, span);
    if (kind !== TokenKind.bad) return new ParseFailure(`Unexpected '${this.#tokenText()}' ${where}${suffix}`, span);
    const character = String.fromCodePoint(this.#text.codePointAt(span.start) ?? 0);
    if (!this.#tokens.kinds.includes(TokenKind.equal)) {
      return new ParseFailure(`The character '${character}' cannot stand in a key`, span);
    }
    if (character === '"' || character === "'") return new ParseFailure(`The quote ${character} is never closed`, span);
    return new ParseFailure(`The character '${character}' must be quoted: key='…'`, span);
  }
}

function valueTypeOf(value: OverrideValue): OverrideValueType {
  switch (value.type) {
    case 'choice_sweep':
      return value.simple ? 'SIMPLE_CHOICE_SWEEP' : 'CHOICE_SWEEP';
    case 'range_sweep':
      return 'RANGE_SWEEP';
    case 'interval_sweep':
      return 'INTERVAL_SWEEP';
    case 'glob':
      return 'GLOB_CHOICE_SWEEP';
    default:
      return 'ELEMENT';
  }
}

function parseInteger(text: string): ScalarOverrideValue {
  if (text.length < 16) {
    const value = Number(text.includes('_') ? text.replaceAll('_', '') : text);
    return intValue(value === 0 ? 0 : value);
  }
  return intValue(BigInt(text.replace(/[_+]/g, '')));
}

function parseFloatToken(text: string): number {
  const plain = text.replaceAll('_', '').toLowerCase();
  if (plain.endsWith('nan')) return Number.NaN;
  if (plain.endsWith('inf')) return plain.startsWith('-') ? -Infinity : Infinity;
  return Number(plain);
}

/** Every second character: the token is a run of pairs of a backslash and what it escapes. */
function unescapePairs(text: string): string {
  let result = '';
  for (let place = 1; place < text.length; place += 2) result += text[place];
  return result;
}

/** Only backslashes before a quote (the closing one included) unescape; all others stay. */
function unquote(token: string): ScalarOverrideValue {
  const quote = token[0] === '"' ? '"' : "'";
  const inner = token.slice(1, -1);
  if (!inner.includes('\\')) return quotedValue(inner, quote);
  // The closing quote takes part: an even run of backslashes before it stands for half as many.
  const pattern = quote === '"' ? /\\+"/g : /\\+'/g;
  const text = token.slice(1).replace(pattern, (run) => run.slice(Math.ceil((run.length - 1) / 2)));
  return quotedValue(text.slice(0, -1), quote);
}
