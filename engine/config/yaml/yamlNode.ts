import type { Mark } from './mark.ts';
import type { ScalarStyle } from './token.ts';

interface GraphNodeBase {
  readonly tag: string;
  readonly anchor: string | undefined;
  readonly start: Mark;
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
}

export interface YamlMapping extends GraphNodeBase {
  readonly kind: 'mapping';
  readonly flow: boolean;
  pairs: [key: YamlNode, value: YamlNode][];
}

/** A node of a document; an alias is the very node that its anchor names, so this is a graph. */
export type YamlNode = YamlScalar | YamlSequence | YamlMapping;
