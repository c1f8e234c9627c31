import { z } from 'zod';

/** Where a value came from. Lines and columns are 1-based; `start`/`end` are offsets into the override's text. */
export const OriginInfo = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('file'),
    /** Path relative to the project, or absolute when the file lies outside. */
    file: z.string(),
    line: z.number().int(),
    column: z.number().int(),
    /** The value as written. */
    text: z.string(),
  }),
  z.object({
    kind: z.literal('override'),
    index: z.number().int(),
    override: z.string(),
    start: z.number().int(),
    end: z.number().int(),
    text: z.string(),
  }),
  /** Set by the composer itself (Hydra's own defaults, a run's folder). */
  z.object({ kind: z.literal('builtin'), source: z.string(), text: z.string() }),
]);
export type OriginInfo = z.infer<typeof OriginInfo>;

export const ValueType = z.enum(['null', 'bool', 'int', 'float', 'str', 'bytes', 'missing', 'interpolation']);
export type ValueType = z.infer<typeof ValueType>;

/** One row of the config tree. `path` is the dotted path an override would use (`model.backbone.depth`, `data[0]`). */
export interface ConfigTreeNode {
  readonly path: string;
  readonly key: string;
  readonly kind: 'dict' | 'list' | 'scalar';
  /** Scalars: what it is, as written in YAML, and after interpolation when it differs or failed. */
  readonly type?: ValueType | undefined;
  readonly text?: string | undefined;
  readonly resolved?: string | undefined;
  readonly resolveError?: string | undefined;
  readonly origin?: OriginInfo | undefined;
  /** Values this one beat, the latest loser first. */
  readonly beaten: readonly OriginInfo[];
  readonly children?: readonly ConfigTreeNode[] | undefined;
  /** True where the value, or anything below it, differs from the composition without overrides. */
  readonly changed: boolean;
  /** The value's text in the composition without overrides, where it differs; undefined for a new key. */
  readonly before?: string | undefined;
}
export const ConfigTreeNode: z.ZodType<ConfigTreeNode> = z.lazy(() =>
  z.object({
    path: z.string(),
    key: z.string(),
    kind: z.enum(['dict', 'list', 'scalar']),
    type: ValueType.optional(),
    text: z.string().optional(),
    resolved: z.string().optional(),
    resolveError: z.string().optional(),
    origin: OriginInfo.optional(),
    beaten: z.array(OriginInfo),
    children: z.array(ConfigTreeNode).optional(),
    changed: z.boolean(),
    before: z.string().optional(),
  }),
);

/** A config group that the composition uses or could use, and its options. */
export const GroupChoice = z.object({
  /** Override key: `model/backbone`, `data@data_dict`. */
  key: z.string(),
  group: z.string(),
  package: z.string().optional(),
  options: z.array(z.string()),
  /** Chosen option(s); undefined when the group exists but is not in the defaults list (then `+group=option` adds it). */
  choice: z.union([z.string(), z.array(z.string()), z.null()]).optional(),
  /** The choice without overrides. */
  before: z.union([z.string(), z.array(z.string()), z.null()]).optional(),
});
export type GroupChoice = z.infer<typeof GroupChoice>;

export const OverrideInfo = z.object({
  text: z.string(),
  kind: z.enum(['change', 'add', 'force-add', 'delete', 'extend-list']),
  key: z.string(),
  /** A group choice rather than a value. */
  isGroup: z.boolean(),
});
export type OverrideInfo = z.infer<typeof OverrideInfo>;

export const ComposeRequest = z.object({
  configName: z.string(),
  overrides: z.array(z.string()),
  /** Absolute config folders instead of the project's own; the first is the main one. */
  searchPath: z.array(z.string()).optional(),
});
export type ComposeRequest = z.infer<typeof ComposeRequest>;

export const ComposedConfig = z.object({
  configName: z.string(),
  tree: ConfigTreeNode,
  /** The composed config as YAML, interpolations kept; and resolved where it can be. */
  yaml: z.string(),
  resolvedYaml: z.string().optional(),
  /** Set when some interpolation cannot be resolved: the first failure. */
  resolveError: z.string().optional(),
  groups: z.array(GroupChoice),
  overrides: z.array(OverrideInfo),
  /** Config files that took part, in order of the final defaults list. */
  files: z.array(z.string()),
  /** Dotted paths of mandatory values (`???`) still missing. */
  missing: z.array(z.string()),
  /** The command line that does the same. */
  command: z.string(),
  warnings: z.array(z.string()),
  elapsedMs: z.number(),
});
export type ComposedConfig = z.infer<typeof ComposedConfig>;

/** The shortest override list that gives the same config. */
export const ShortestOverrides = z.object({
  overrides: z.array(z.string()),
  /** True when nothing shorter was left to try. */
  exhaustive: z.boolean(),
});
export type ShortestOverrides = z.infer<typeof ShortestOverrides>;

/** What writing a value into its YAML file changes. */
export const FileEdit = z.object({
  /** Relative to the project. */
  file: z.string(),
  /** The first line that differs, from 1, and the lines that give way to others. */
  line: z.number().int(),
  removed: z.array(z.string()),
  added: z.array(z.string()),
  /** The overrides that are still needed for the same config. */
  overrides: z.array(z.string()),
  /** Other keys of the file that change with it, because an alias refers to it. */
  alsoChanged: z.array(z.string()),
});
export type FileEdit = z.infer<typeof FileEdit>;

/** What a target's sources state of one of its options. Values are YAML texts. */
export const OptionFacts = z.object({
  /** Dotted path, also of options that the config does not set. */
  path: z.string(),
  target: z.string(),
  /** `a number ≥ 0`, `'min' or 'max'`, `a list of a whole number`. */
  type: z.string(),
  /** The only values there are, where they can be counted. */
  choices: z.array(z.string()),
  default: z.string().optional(),
  doc: z.string().optional(),
  isRequired: z.boolean(),
  isSet: z.boolean(),
});
export type OptionFacts = z.infer<typeof OptionFacts>;

/** What would fail when the config's objects are built. */
export const ConfigProblem = z.object({
  kind: z.enum(['unknown-argument', 'missing-argument', 'wrong-value']),
  path: z.string(),
  target: z.string(),
  message: z.string(),
  origin: OriginInfo.optional(),
});
export type ConfigProblem = z.infer<typeof ConfigProblem>;

export const ConfigSchema = z.object({ options: z.array(OptionFacts), problems: z.array(ConfigProblem) });
export type ConfigSchema = z.infer<typeof ConfigSchema>;

export const ConfigSource = z.object({ file: z.string(), text: z.string() });
export type ConfigSource = z.infer<typeof ConfigSource>;
