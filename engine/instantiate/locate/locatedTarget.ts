export type TargetKind = 'builtin' | 'tensorflow' | 'project' | 'npm';

/** What a `_target_` stands for. */
export interface LocatedTarget {
  /** The canonical name, after the module was found; allowlists are checked on it. */
  readonly name: string;
  readonly kind: TargetKind;
  readonly value: unknown;
  /** The class or object that a method was read from. */
  readonly owner?: unknown;
  /** The file of a project or npm module. */
  readonly file?: string | undefined;
}

/** Throws when the target with this canonical name may not be used; called before any of its code runs. */
export type NameCheck = (name: string) => void;

export interface TargetLocator {
  /** Throws 'instantiate.target-not-found' with all places that were searched. */
  locate(target: string, check: NameCheck): Promise<LocatedTarget>;
}

/** Why one place did not have the target; `near` are names there that a person may have meant. */
export interface Miss {
  readonly place: string;
  readonly near: readonly string[];
}

export type Attempt =
  | { readonly found: LocatedTarget }
  | { readonly found?: undefined; readonly misses: readonly Miss[] };

/** What is there without any code of the project. */
export interface BuiltinOptions {
  /** Dotted names and what they stand for: `accelhydra.Trainer`, `torch.optim.AdamW`. */
  readonly builtins?: Readonly<Record<string, unknown>>;
  /** The namespace behind `tf.*`. */
  readonly tensorflow?: object | undefined;
}
