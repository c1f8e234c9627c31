/** Arguments given where an object is built, on top of what the config says. */
export interface CallArguments {
  /** Positional, before the keyword object; they replace `_args_`. */
  readonly args?: readonly unknown[];
  /** Keyword arguments; they replace the config's keys of that name before anything below those is built. */
  readonly kwargs?: Readonly<Record<string, unknown>>;
}

/** A section as plain values and the project it belongs to, for another thread to build it again. */
export interface PortableSection {
  readonly project: object;
  readonly section: unknown;
}

/** Builds what the run's config describes. Containers arrive as plain values (`_convert_: all`). */
export interface InstantiatePort {
  /** The object of the section at a dotted path: `optimizer`, `train_dataloader.dataset`. */
  instantiate(path: string, call?: CallArguments): Promise<unknown>;
  /** The class or function that the section's `_target_` names, not called; undefined without one. */
  target(path: string): Promise<unknown>;
  /** For worker threads of loaders; without it samples are read in the training process. */
  portable?(path: string): PortableSection;
}
