import type { Mark, Span } from './mark.ts';
import type { ScalarStyle } from './token.ts';

interface NodeProperties extends Span {
  readonly anchor: string | undefined;
  /** The full tag, or undefined when the node has none or the non-specific `!`. */
  readonly tag: string | undefined;
  readonly tagSpan: Span | undefined;
  /** Where the value itself begins, behind anchor and tag. */
  readonly contentStart: Mark;
}

export type YamlEvent =
  | (Span & { readonly type: 'stream-start' | 'stream-end' | 'document-start' | 'document-end' })
  | (Span & { readonly type: 'sequence-end' | 'mapping-end' })
  | (Span & { readonly type: 'alias'; readonly anchor: string })
  | (NodeProperties & {
      readonly type: 'scalar';
      readonly value: string;
      readonly style: ScalarStyle;
      /** True when the value's form decides its type: plain and without a tag. */
      readonly plainImplicit: boolean;
      /** True when it has no tag but quotes, which makes it a string. */
      readonly quotedImplicit: boolean;
    })
  | (NodeProperties & { readonly type: 'sequence-start' | 'mapping-start'; readonly flow: boolean });
