import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isMap, isScalar, LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { EngineError } from '../../api/errors.ts';
import { didYouMean } from '../../base/nearest.ts';

export const PROJECT_FILE = 'accelhydra.yaml';

/** A path inside the project, written with forward slashes. */
const Path = z.string().min(1);

/** What `accelhydra.yaml` may say; every key is optional. */
export const ProjectFile = z.strictObject({
  name: z.string().min(1).optional(),
  config_dir: Path.default('configs'),
  /** Folders in which the dotted names of targets start. */
  source_roots: z.array(Path).min(1).default(['.']),
  /** The config that is composed when no other is named. */
  default_config: z.string().min(1).default('train'),
  inference_config: z.string().min(1).default('inference'),
  /** Hydra's `version_base`: `1.3` or older brings the package keywords `_group_` and `_name_` back. */
  version_base: z
    .union([z.string(), z.number()])
    .transform(String)
    .pipe(z.string().regex(/^1\.\d+$/, "a version of Hydra such as '1.3'"))
    .optional(),
  /** npm packages whose exports may be targets: `pkg`, `@scope/pkg/sub`, `pkg#Export`. */
  trusted_npm: z.array(z.string().min(1)).default([]),
  /** A module with the project's own resolvers for `${name:…}`. */
  resolvers: Path.optional(),
});
export type ProjectFile = z.infer<typeof ProjectFile>;

/**
 * Reads the project file of a folder, with defaults where it is absent or silent. Throws 'project.file-invalid' with
 * file:line:col for broken YAML, unknown keys and values of the wrong type.
 */
export function readProjectFile(root: string): ProjectFile {
  const file = join(root, PROJECT_FILE);
  if (!existsSync(file)) return ProjectFile.parse({});
  const lines = new LineCounter();
  const document = parseDocument(readFileSync(file, 'utf8'), { lineCounter: lines });
  const place = (offset: number | undefined): string => {
    if (offset === undefined) return file;
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  const [syntax] = document.errors;
  if (syntax !== undefined) {
    throw invalid(`${place(syntax.pos[0])}: ${syntax.message.split('\n')[0]}`, syntax);
  }
  const value: unknown = document.toJS() ?? {};
  const parsed = ProjectFile.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(
    (issue) => `${place(offsetOf(document.contents, issue))}: ${explain(issue)}`,
  );
  throw invalid(problems.join('\n'), parsed.error);
}

function invalid(problems: string, cause: unknown): EngineError {
  return new EngineError('project.file-invalid', `The project file cannot be used.\n${problems}`, {}, { cause });
}

function explain(issue: z.core.$ZodIssue): string {
  if (issue.code !== 'unrecognized_keys') return `${issue.path.join('.') || 'the file'}: ${issue.message}`;
  const known = Object.keys(ProjectFile.shape);
  return issue.keys
    .map((key) => `unknown key '${key}'.${didYouMean(key, known) || ` Known: ${known.join(', ')}.`}`)
    .join(' ');
}

/** Where in the text the key at fault stands. */
function offsetOf(contents: unknown, issue: z.core.$ZodIssue): number | undefined {
  const key = issue.code === 'unrecognized_keys' ? issue.keys[0] : issue.path[0];
  if (!isMap(contents)) return undefined;
  const pair = contents.items.find((item) => isScalar(item.key) && item.key.value === key);
  return isScalar(pair?.key) ? pair.key.range?.[0] : undefined;
}
