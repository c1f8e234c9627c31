import type { Mark, Span } from './mark.ts';
import type { ScalarStyle } from './token.ts';

interface GraphNodeBase {
  readonly tag: string;
  readonly anchor: string | undefined;
  /** Where anchor, tag or value begin, whichever comes first. */
  readonly start: Mark;
  readonly contentStart: Mark;
  readonly tagSpan: Span | undefined;
  /** For a block collection this is where the next token begins. */
  end: Mark;
}

export interface YamlScalar extends GraphNodeBase {
  readonly kind: 'scalar';
  readonly value: string;
  readonly style: ScalarStyle;
}

export interface YamlSequence extends GraphNodeBase {
  readonly kind: 'sequence';
  readonly flow: boolean;
  readonly items: YamlNode[];
  /** Where the items that are aliases are written, by index. */
  aliases?: Map<number, Span>;
}

export interface YamlMapping extends GraphNodeBase {
  readonly kind: 'mapping';
  readonly flow: boolean;
  pairs: [key: YamlNode, value: YamlNode][];
  /** Where the values that are aliases are written, by the index of their pair. */
  aliases?: Map<number, Span>;
}

/** A node of a document; an alias is the very node that its anchor names, so this is a graph. */
export type YamlNode = YamlScalar | YamlSequence | YamlMapping;
