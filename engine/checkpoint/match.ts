import { EngineError } from '../api/errors.ts';

/** A weight or persistent buffer as the model has it. */
export interface ModelTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** Whether a trainable-only checkpoint holds it: trainable weights and persistent buffers. */
  readonly trainable: boolean;
}

export interface MatchOptions {
  /**
   * `strict`: file and model have exactly the same tensors. `partial`: what agrees in name and shape is taken, the rest
   * reported. `trainable_only`: every trainable tensor must be there, others may be missing.
   */
  readonly mode?: 'strict' | 'partial' | 'trainable_only';
  /** Cut off the front of the file's names where they have it: `module.` */
  readonly strip_prefix?: string | undefined;
}

export interface ShapeMismatch {
  readonly name: string;
  readonly model: readonly number[];
  readonly file: readonly number[];
}

export interface MatchReport {
  /** The model's name and the file's name of each tensor that is to be loaded. */
  readonly matched: readonly { readonly name: string; readonly fileName: string }[];
  /** In the model, not in the file. */
  readonly missing: readonly string[];
  /** In the file, not in the model. */
  readonly unexpected: readonly string[];
  readonly mismatched: readonly ShapeMismatch[];
}

/**
 * Compares a model's tensors with a file's.
 * @param source names the file in errors
 * @throws EngineError `checkpoint.other-model`, listing which tensors differ, where `mode` does not allow it
 */
export function matchStateDict(
  model: readonly ModelTensor[],
  file: ReadonlyMap<string, { readonly shape: readonly number[] }>,
  { mode = 'strict', strip_prefix: prefix = '' }: MatchOptions,
  source: string,
): MatchReport {
  const byName = stripped(file, prefix, source);
  const matched: { name: string; fileName: string }[] = [];
  const missing: string[] = [];
  const mismatched: ShapeMismatch[] = [];
  const required = new Set<string>();
  for (const { name, shape, trainable } of model) {
    const fileName = byName.get(name);
    const found = fileName === undefined ? undefined : file.get(fileName);
    if (mode === 'strict' || (mode === 'trainable_only' && trainable)) required.add(name);
    if (fileName === undefined || found === undefined) missing.push(name);
    else if (sameShape(shape, found.shape)) matched.push({ name, fileName });
    else mismatched.push({ name, model: shape, file: found.shape });
  }
  const own = new Set(model.map((tensor) => tensor.name));
  const unexpected = [...byName].filter(([name]) => !own.has(name)).map(([, fileName]) => fileName);
  const report: MatchReport = { matched, missing, unexpected, mismatched };
  const absent = missing.filter((name) => required.has(name));
  const wrong = mode === 'partial' ? [] : mismatched;
  const foreign = mode === 'partial' ? [] : unexpected;
  const nothing = matched.length === 0 && model.length > 0;
  if (absent.length === 0 && wrong.length === 0 && foreign.length === 0 && !nothing) return report;
  throw otherModel(report, absent, source, mode);
}

function stripped(file: ReadonlyMap<string, unknown>, prefix: string, source: string): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const fileName of file.keys()) {
    const name = prefix !== '' && fileName.startsWith(prefix) ? fileName.slice(prefix.length) : fileName;
    const other = names.get(name);
    if (other !== undefined) {
      throw new EngineError(
        'checkpoint.prefix',
        `Without the prefix '${prefix}', '${other}' and '${fileName}' of ${source} would have one name.`,
        { prefix, names: [other, fileName] },
      );
    }
    names.set(name, fileName);
  }
  return names;
}

function otherModel(
  report: MatchReport,
  absent: readonly string[],
  source: string,
  mode: NonNullable<MatchOptions['mode']>,
): EngineError {
  const { mismatched, unexpected, missing, matched } = report;
  const shapes = mismatched.map(({ name, model, file }) => `${name} is [${file}] there and [${model}] in the model`);
  const parts = [
    shapes.length === 0 ? '' : `other shapes: ${listed(shapes)}`,
    absent.length === 0 ? '' : `not in the file: ${listed(absent)}`,
    unexpected.length === 0 ? '' : `only in the file: ${listed(unexpected)}`,
    matched.length === 0 ? 'no tensor fits at all' : '',
  ].filter((part) => part !== '');
  return new EngineError(
    'checkpoint.other-model',
    `${source} belongs to another model: ${parts.join('; ')}. ${adviceOn(report, mode)}`,
    { missing, unexpected, mismatched, matched: matched.length },
  );
}

/** What to do about the usual differences of files from elsewhere: what stands before the names, and another layout. */
export function matchHints({ missing, unexpected, mismatched }: MatchReport): readonly string[] {
  const prefixes = unexpected.flatMap((fileName) => {
    const name = missing.find((own) => fileName.endsWith(`.${own}`));
    return name === undefined ? [] : [fileName.slice(0, -name.length)];
  });
  const [prefix] = prefixes;
  const isPrefix = prefix !== undefined && prefixes.every((other) => other === prefix);
  const turned = mismatched.find(({ model, file }) => sameShape([...model].sort(byNumber), [...file].sort(byNumber)));
  return [
    ...(isPrefix ? [`Without '${prefix}' names agree: set strip_prefix: ${prefix} in load_pretrained.`] : []),
    ...(turned === undefined
      ? []
      : [
          `${turned.name} has its dimensions in another order there: here Linear is [out, in], as in PyTorch, Conv2d [height, width, in, out] (of PyTorch's permute 2, 3, 1, 0). Permute them where the file is written.`,
        ]),
  ];
}

function byNumber(a: number, b: number): number {
  return a - b;
}

function adviceOn(report: MatchReport, mode: MatchOptions['mode']): string {
  const hints = matchHints(report);
  if (hints.length > 0) return hints.join(' ');
  const whole = "Build the model from the checkpoint's own config";
  return mode === 'partial' ? `${whole}.` : `${whole}, or load what fits: load_pretrained with strict: false.`;
}

function listed(texts: readonly string[]): string {
  return texts.slice(0, 8).join(', ') + (texts.length > 8 ? ` and ${texts.length - 8} more` : '');
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((extent, index) => extent === b[index]);
}
