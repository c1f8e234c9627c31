/** What the interpolation grammar is made of; the names are those of OmegaConf's grammar. */
export type InterpolationTokenType =
  | 'text'
  | 'escaped-interpolation'
  | 'backslash-pairs'
  | 'escape'
  | 'interpolation-open'
  | 'interpolation-close'
  | 'brace-open'
  | 'brace-close'
  | 'bracket-open'
  | 'bracket-close'
  | 'quote-open'
  | 'quote-close'
  | 'comma'
  | 'colon'
  | 'dot'
  | 'id'
  | 'key'
  | 'int'
  | 'float'
  | 'bool'
  | 'null'
  | 'character'
  | 'space'
  | 'end';

export interface InterpolationToken {
  readonly type: InterpolationTokenType;
  readonly text: string;
  /** Where it begins in the whole text. */
  readonly start: number;
}
