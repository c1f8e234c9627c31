/** Kinds of tokens, as plain numbers: the lexer runs for every key that is typed. */
export const TokenKind = {
  end: 0,
  equal: 1,
  tilde: 2,
  plus: 3,
  at: 4,
  colon: 5,
  slash: 6,
  id: 7,
  keySpecial: 8,
  dotPath: 9,
  parenOpen: 10,
  parenClose: 11,
  comma: 12,
  bracketOpen: 13,
  bracketClose: 14,
  braceOpen: 15,
  braceClose: 16,
  float: 17,
  int: 18,
  bool: 19,
  null: 20,
  unquotedCharacter: 21,
  escape: 22,
  space: 23,
  quoted: 24,
  interpolation: 25,
  /** No token starts here; nothing follows it. */
  bad: 26,
} as const;

export type TokenKind = (typeof TokenKind)[keyof typeof TokenKind];

/** Tokens of one override in parallel arrays: `text.slice(starts[i], ends[i])` is of kind `kinds[i]`. */
export interface Tokens {
  readonly kinds: TokenKind[];
  readonly starts: number[];
  readonly ends: number[];
}
