/** A value or key that was written in a YAML text. Lines and columns count from 1, columns in UTF-16 units. */
export interface FileOrigin {
  readonly kind: 'file';
  /** What a person knows the text by: a path relative to the config directory, or a name for text without a file. */
  readonly source: string;
  readonly line: number;
  readonly column: number;
}

/** A value that an override on the command line (or in the editor's list) set. */
export interface OverrideOrigin {
  readonly kind: 'override';
  /** Place in the list of overrides, from 0. */
  readonly index: number;
  readonly text: string;
  /** Where the value stands in `text`, end exclusive. */
  readonly start: number;
  readonly end: number;
}

/** A value that no text holds: made by a resolver, by the composer itself or by code that called the API. */
export interface GeneratedOrigin {
  readonly kind: 'generated';
  /** Who made it, for people: "resolver 'oc.create'", 'hydra defaults'. */
  readonly by: string;
}

export type Origin = FileOrigin | OverrideOrigin | GeneratedOrigin;

/** `conf/db.yaml:3:5`, or the override with its number from 1. */
export function describeOrigin(origin: Origin): string {
  switch (origin.kind) {
    case 'file':
      return `${origin.source}:${origin.line}:${origin.column}`;
    case 'override':
      return `override ${origin.index + 1} (${origin.text})`;
    default:
      return origin.by;
  }
}
