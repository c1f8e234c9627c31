import type { Origin } from '../node/origin.ts';

/** Something in a config that would fail when it is built. */
export interface SchemaProblem {
  readonly kind: 'unknown-argument' | 'missing-argument' | 'wrong-value';
  /** Dotted path of the key. */
  readonly path: string;
  readonly target: string;
  /** A sentence without the place. */
  readonly message: string;
  /** Where the value was written; of a missing one, the `_target_`. */
  readonly origin: Origin | undefined;
  readonly nearest?: string | undefined;
}

/** What a program gives to a target besides what the config says. */
export interface GivenAtCall {
  /** How many positional arguments come first. */
  readonly args: number;
  /** Keyword arguments by name; `'*'` says that any option may be filled in. */
  readonly options: readonly string[];
}
