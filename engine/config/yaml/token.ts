import type { Span } from './mark.ts';

export type ScalarStyle = 'plain' | 'single' | 'double' | 'literal' | 'folded';

export type SimpleTokenType =
  | 'stream-start'
  | 'stream-end'
  | 'document-start'
  | 'document-end'
  | 'block-sequence-start'
  | 'block-mapping-start'
  | 'block-end'
  | 'flow-sequence-start'
  | 'flow-sequence-end'
  | 'flow-mapping-start'
  | 'flow-mapping-end'
  | 'block-entry'
  | 'flow-entry'
  | 'key'
  | 'value';

export type Token =
  | (Span & { readonly type: SimpleTokenType })
  | (Span & { readonly type: 'version-directive'; readonly major: number; readonly minor: number })
  | (Span & { readonly type: 'tag-directive'; readonly handle: string; readonly prefix: string })
  | (Span & { readonly type: 'alias' | 'anchor'; readonly value: string })
  | (Span & { readonly type: 'tag'; readonly handle: string; readonly suffix: string })
  | (Span & { readonly type: 'scalar'; readonly value: string; readonly style: ScalarStyle });

export type TokenType = Token['type'];
