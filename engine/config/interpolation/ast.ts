import type { ScalarNode } from '../node/node.ts';

/** `${a.b}`, `${..a[0]}`: the pieces of a key, dots and brackets included. */
export interface NodeInterpolation {
  readonly type: 'node';
  readonly pieces: readonly (string | Interpolation)[];
  readonly text: string;
}

/** `${name:arguments}`. */
export interface ResolverInterpolation {
  readonly type: 'resolver';
  /** The parts of the dotted name. */
  readonly name: readonly (string | Interpolation)[];
  readonly args: Sequence | undefined;
  readonly text: string;
}

export type Interpolation = NodeInterpolation | ResolverInterpolation;

/** Text with interpolations, to be joined into a string; escapes are already undone. */
export interface TextExpression {
  readonly type: 'text';
  readonly parts: readonly (string | Interpolation)[];
}

export interface LiteralExpression {
  readonly type: 'literal';
  readonly value: ScalarNode;
}

export interface ListExpression {
  readonly type: 'list';
  readonly items: Sequence | undefined;
}

export interface DictExpression {
  readonly type: 'dict';
  readonly entries: readonly (readonly [key: ScalarNode, value: Expression])[];
}

/** Blanks where a value should be; OmegaConf stumbles over them. */
export interface BlankExpression {
  readonly type: 'blank';
}

export type Expression =
  | Interpolation
  | TextExpression
  | LiteralExpression
  | ListExpression
  | DictExpression
  | BlankExpression;

/** Comma-separated values; an empty place (undefined) is a deprecated empty string. */
export interface Sequence {
  readonly items: readonly (Expression | undefined)[];
  readonly text: string;
}
