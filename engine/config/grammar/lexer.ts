import { TokenKind, type Tokens } from './tokens.ts';

/**
 * Splits an override into the tokens of Hydra 1.4's OverrideLexer: the longest match wins, then the rule that stands
 * first there. Up to the first `=` the text is read as a key, after it as a value. Where no token starts, a last token
 * of kind `bad` stands.
 */
export function tokenize(text: string): Tokens {
  const tokens: Tokens = { kinds: [], starts: [], ends: [] };
  let position = 0;
  let inValue = false;
  while (position < text.length) {
    const end = inValue ? valueToken(text, position, tokens) : keyToken(text, position, tokens);
    const kind = tokens.kinds[tokens.kinds.length - 1];
    if (kind === TokenKind.bad) return tokens;
    if (!inValue && kind === TokenKind.equal) inValue = true;
    position = end;
  }
  push(tokens, TokenKind.end, position, position);
  return tokens;
}

function push(tokens: Tokens, kind: TokenKind, start: number, end: number): number {
  tokens.kinds.push(kind);
  tokens.starts.push(start);
  tokens.ends.push(end);
  return end;
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

function isLetter(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || code === 95;
}

const DOLLAR = 36;
const DOT = 46;
const UNDERSCORE = 95;
const BACKSLASH = 92;

function skipSpace(text: string, position: number): number {
  let end = position;
  for (let code = text.charCodeAt(end); code === 32 || code === 9; code = text.charCodeAt(end)) end++;
  return end;
}

/** End of `0` or of a digit run without a leading zero, underscores between digits; `position` itself when none. */
function integerEnd(text: string, position: number): number {
  const first = text.charCodeAt(position);
  if (first === 48) return position + 1;
  return isDigit(first) ? digitsEnd(text, position) : position;
}

function digitsEnd(text: string, position: number): number {
  let end = position + 1;
  for (;;) {
    const code = text.charCodeAt(end);
    if (isDigit(code)) end++;
    else if (code === UNDERSCORE && isDigit(text.charCodeAt(end + 1))) end += 2;
    else return end;
  }
}

function identifierEnd(text: string, position: number): number {
  let end = position + 1;
  for (;;) {
    const code = text.charCodeAt(end);
    if (!isLetter(code) && !isDigit(code) && code !== 45) return end;
    end++;
  }
}

function keySpecialEnd(text: string, position: number): number {
  let end = position + 1;
  for (;;) {
    const code = text.charCodeAt(end);
    if (!isLetter(code) && !isDigit(code) && code !== 45 && code !== DOLLAR) return end;
    end++;
  }
}

/** End of one part of a dotted path, or `position` when none starts there. */
function pathPartEnd(text: string, position: number): number {
  const code = text.charCodeAt(position);
  return isLetter(code) || code === DOLLAR ? keySpecialEnd(text, position) : integerEnd(text, position);
}

function keyToken(text: string, start: number, tokens: Tokens): number {
  const code = text.charCodeAt(start);
  switch (code) {
    case 61:
      return push(tokens, TokenKind.equal, start, skipSpace(text, start + 1));
    case 126:
      return push(tokens, TokenKind.tilde, start, start + 1);
    case 43:
      return push(tokens, TokenKind.plus, start, start + 1);
    case 64:
      return push(tokens, TokenKind.at, start, start + 1);
    case 58:
      return push(tokens, TokenKind.colon, start, start + 1);
    case 47:
      return push(tokens, TokenKind.slash, start, start + 1);
    default:
  }
  const partEnd = pathPartEnd(text, start);
  let pathEnd = partEnd;
  while (pathEnd > start && text.charCodeAt(pathEnd) === DOT) {
    const next = pathPartEnd(text, pathEnd + 1);
    if (next === pathEnd + 1) break;
    pathEnd = next;
  }
  if (pathEnd > partEnd) return push(tokens, TokenKind.dotPath, start, pathEnd);
  if (isLetter(code) && identifierEnd(text, start) === partEnd) return push(tokens, TokenKind.id, start, partEnd);
  if (isLetter(code) || code === DOLLAR) return push(tokens, TokenKind.keySpecial, start, partEnd);
  return push(tokens, TokenKind.bad, start, start + 1);
}

function valueToken(text: string, start: number, tokens: Tokens): number {
  const code = text.charCodeAt(start);
  if (isLetter(code)) return wordToken(text, start, tokens);
  if (isDigit(code)) return numberToken(text, start, tokens);
  switch (code) {
    case 32:
    case 9: {
      const end = skipSpace(text, start);
      return afterSpace(text, start, end, tokens);
    }
    case 91:
      return push(tokens, TokenKind.bracketOpen, start, skipSpace(text, start + 1));
    case 123:
      return push(tokens, TokenKind.braceOpen, start, skipSpace(text, start + 1));
    case 34:
    case 39:
      return quotedToken(text, start, code, tokens);
    case 43:
    case 45:
    case DOT:
      return numberToken(text, start, tokens);
    case BACKSLASH:
      return escapeToken(text, start, tokens);
    case DOLLAR:
      return dollarToken(text, start, tokens);
    // / % * @ ? |
    case 47:
    case 37:
    case 42:
    case 64:
    case 63:
    case 124:
      return push(tokens, TokenKind.unquotedCharacter, start, start + 1);
    default:
      return afterSpace(text, start, start, tokens);
  }
}

/** The punctuation that may have blanks before it; blanks alone; or nothing that is known. */
function afterSpace(text: string, start: number, position: number, tokens: Tokens): number {
  switch (text.charCodeAt(position)) {
    case 40:
      return push(tokens, TokenKind.parenOpen, start, skipSpace(text, position + 1));
    case 41:
      return push(tokens, TokenKind.parenClose, start, position + 1);
    case 44:
      return push(tokens, TokenKind.comma, start, skipSpace(text, position + 1));
    case 93:
      return push(tokens, TokenKind.bracketClose, start, position + 1);
    case 125:
      return push(tokens, TokenKind.braceClose, start, position + 1);
    case 58:
      return push(tokens, TokenKind.colon, start, skipSpace(text, position + 1));
    case 61:
      return push(tokens, TokenKind.equal, start, skipSpace(text, position + 1));
    default:
      return position > start
        ? push(tokens, TokenKind.space, start, position)
        : push(tokens, TokenKind.bad, start, start + 1);
  }
}

function wordToken(text: string, start: number, tokens: Tokens): number {
  const end = identifierEnd(text, start);
  return push(tokens, keywordKind(text, start, end), start, end);
}

function keywordKind(text: string, start: number, end: number): TokenKind {
  const length = end - start;
  if (length < 3 || length > 5) return TokenKind.id;
  const word = text.slice(start, end).toLowerCase();
  if (word === 'true' || word === 'false') return TokenKind.bool;
  if (word === 'null') return TokenKind.null;
  return word === 'inf' || word === 'nan' ? TokenKind.float : TokenKind.id;
}

function numberToken(text: string, start: number, tokens: Tokens): number {
  const code = text.charCodeAt(start);
  const unsigned = code === 43 || code === 45 ? start + 1 : start;
  const word = text.slice(unsigned, unsigned + 3).toLowerCase();
  if (word === 'inf' || word === 'nan') return push(tokens, TokenKind.float, start, unsigned + 3);
  const intEnd = integerEnd(text, unsigned);
  const pointEnd = pointFloatEnd(text, unsigned, intEnd);
  const mantissaEnd = Math.max(intEnd, pointEnd);
  const end = mantissaEnd === unsigned ? unsigned : exponentEnd(text, mantissaEnd);
  if (end > intEnd) return push(tokens, TokenKind.float, start, end);
  if (intEnd > unsigned) return push(tokens, TokenKind.int, start, intEnd);
  return push(tokens, TokenKind.unquotedCharacter, start, start + 1);
}

/** End of `1.`, `1.5` or `.5`; `unsigned` when there is none. */
function pointFloatEnd(text: string, unsigned: number, intEnd: number): number {
  if (text.charCodeAt(intEnd) !== DOT) return unsigned;
  if (isDigit(text.charCodeAt(intEnd + 1))) return digitsEnd(text, intEnd + 1);
  return intEnd > unsigned ? intEnd + 1 : unsigned;
}

function exponentEnd(text: string, position: number): number {
  const code = text.charCodeAt(position);
  if (code !== 101 && code !== 69) return position;
  const sign = text.charCodeAt(position + 1);
  const digits = sign === 43 || sign === 45 ? position + 2 : position + 1;
  return isDigit(text.charCodeAt(digits)) ? digitsEnd(text, digits) : position;
}

const ESCAPABLE = new Set([...'\\()[]{}:=, \t'].map((character) => character.charCodeAt(0)));

function escapeToken(text: string, start: number, tokens: Tokens): number {
  let end = start;
  while (text.charCodeAt(end) === BACKSLASH && ESCAPABLE.has(text.charCodeAt(end + 1))) end += 2;
  if (end === start) return push(tokens, TokenKind.unquotedCharacter, start, start + 1);
  return push(tokens, TokenKind.escape, start, end);
}

/** The lexer knows no nesting: an interpolation ends at the first `}`, and there must be something before it. */
function dollarToken(text: string, start: number, tokens: Tokens): number {
  if (text.charCodeAt(start + 1) === 123) {
    const close = text.indexOf('}', start + 2);
    if (close > start + 2) return push(tokens, TokenKind.interpolation, start, close + 1);
  }
  return push(tokens, TokenKind.unquotedCharacter, start, start + 1);
}

/** A quoted text ends at the first quote with an even number of backslashes before it. */
function quotedToken(text: string, start: number, quote: number, tokens: Tokens): number {
  let backslashes = 0;
  for (let end = start + 1; end < text.length; end++) {
    const code = text.charCodeAt(end);
    if (code === quote && backslashes % 2 === 0) return push(tokens, TokenKind.quoted, start, end + 1);
    backslashes = code === BACKSLASH ? backslashes + 1 : 0;
  }
  return push(tokens, TokenKind.bad, start, start + 1);
}
