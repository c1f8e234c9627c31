import { existsSync, readFileSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { z } from 'zod';
import { EngineError } from '../api/errors.ts';
import { checkpointPlaces, type ResolvedCheckpoint, resolveCheckpoint, runFolderOf } from '../checkpoint/index.ts';
import {
  type Composition,
  ConfigError,
  type ContainerNode,
  compose,
  loadYaml,
  type ResolverRegistry,
  toPlain,
} from '../config/index.ts';
import { type Project, restoreOrigins } from '../instantiate/index.ts';
import type { AskedGraphs } from './compileCalls.ts';

/** The config that every run's folder holds. */
const RUN_CONFIG = 'config.yaml';

/** Keys of the inference config that this program reads; AccelHydra's names. */
const Settings = z.looseObject({
  exp_dir: z.string().nullish(),
  /** A checkpoint's folder, a .safetensors file, or a folder with checkpoints. */
  ckpt_dir_or_file: z.string().nullish(),
  /** The older name of the same. */
  ckpt_dir: z.string().nullish(),
  /** The training config, where it is not beside the checkpoint. */
  exp_config_path: z.string().nullish(),
  use_best: z.boolean().nullish(),
  /** Whether averaged weights (trainer.ema) are taken where the checkpoint has them; true unless said otherwise. */
  use_ema: z.boolean().nullish(),
  /** Folder below exp_dir/inference that gets the results. */
  output_name: z.string().nullish(),
  infer_args: z.record(z.string(), z.unknown()).nullish(),
  /** Whether the model's call runs as graphs; where nothing is said, unless the run was trained with compile: false. */
  compile: z.union([z.boolean(), z.literal('auto')]).nullish(),
  /** Whether XLA compiles those graphs; where nothing is said, as the run was trained. */
  compile_xla: z.boolean().nullish(),
});

/** Which run and which of its checkpoints an inference config means. */
export interface InferenceTarget {
  readonly checkpoint: ResolvedCheckpoint;
  readonly useEma: boolean;
  readonly expDir: string;
  readonly expConfigPath: string | undefined;
  readonly outputDir: string;
  readonly inferArgs: Readonly<Record<string, unknown>>;
  readonly graphs: AskedGraphs;
}

export interface InferenceCompositionRequest {
  readonly project: Project;
  readonly configName: string;
  readonly overrides: readonly string[];
  readonly searchPath?: readonly string[] | undefined;
  readonly resolvers: ResolverRegistry;
}

/** Composes the inference config with the project's resolvers. Throws what composing throws, place and chain told. */
export function composeInference(request: InferenceCompositionRequest): Composition {
  const { project, configName, overrides, resolvers } = request;
  const searchPath = request.searchPath ?? [project.configDir];
  const { root: cwd, versionBase } = project;
  const rules = versionBase === undefined ? {} : { versionBase };
  return explained(() => compose({ searchPath, configName, overrides, cwd, resolvers, ...rules }));
}

/** People see no more of a ConfigError than its message: everything it knows goes into that. */
export function explained<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new EngineError(error.code, error.describe(), error.details, { cause: error });
  }
}

/**
 * Finds the checkpoint by AccelHydra's rules: `ckpt_dir_or_file` where given (relative to the project, or to exp_dir),
 * otherwise in `exp_dir` the best with `use_best`, or the last by step. Throws `inference.settings`,
 * `inference.no-checkpoint-named` and `checkpoint.not-found`.
 */
export async function findInferenceTarget(projectRoot: string, resolved: ContainerNode): Promise<InferenceTarget> {
  const settings = readSettings(toPlain(resolved));
  const expDir = given(settings.exp_dir) === undefined ? undefined : resolve(projectRoot, settings.exp_dir ?? '');
  const named = given(settings.ckpt_dir_or_file) ?? given(settings.ckpt_dir);
  if (named === undefined && expDir === undefined) {
    throw new EngineError(
      'inference.no-checkpoint-named',
      'Say what to load: exp_dir=RUN_FOLDER, or ckpt_dir_or_file=CHECKPOINT_FOLDER.',
    );
  }
  const target = named === undefined ? (expDir ?? projectRoot) : locate(named, projectRoot, expDir);
  const checkpoint = await resolveCheckpoint(target, { useBest: settings.use_best ?? true });
  const folder = checkpoint.type === 'folder' ? checkpoint.folder : resolve(checkpoint.file, '..');
  const own = runFolderOf(folder);
  // A checkpoint knows its run better than a default of the inference config does.
  const run = expDir === undefined || existsSync(join(own, RUN_CONFIG)) ? own : expDir;
  return {
    checkpoint,
    useEma: settings.use_ema ?? true,
    expDir: run,
    expConfigPath: settings.exp_config_path == null ? undefined : resolve(projectRoot, settings.exp_config_path),
    outputDir: join(run, 'inference', settings.output_name ?? 'test'),
    inferArgs: settings.infer_args ?? {},
    graphs: { compile: settings.compile ?? undefined, compile_xla: settings.compile_xla ?? undefined },
  };
}

/**
 * The config that the run was trained with: a path that was named, else the one inside the checkpoint, else the run's
 * config.yaml. Throws 'inference.no-config'.
 */
export function readRunConfig(
  { expDir, expConfigPath: named }: Pick<InferenceTarget, 'expDir' | 'expConfigPath'>,
  inCheckpoint: string | undefined,
): ContainerNode {
  const file = named ?? join(expDir, RUN_CONFIG);
  const text = named === undefined && inCheckpoint !== undefined ? inCheckpoint : readOptional(file);
  if (text === undefined) {
    throw new EngineError(
      'inference.no-config',
      `There is no ${file} and the checkpoint holds no config, so the model cannot be built. Name the training config with exp_config_path=….`,
      { file },
    );
  }
  const config = explained(() => loadYaml(text, { source: file }));
  if (named === undefined) restoreOrigins(config, readJson(join(expDir, 'origins.json')));
  return config;
}

function readJson(file: string): unknown {
  const text = readOptional(file);
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined; // only the places in error messages depend on it
  }
}

function readOptional(file: string): string | undefined {
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}

function readSettings(plain: unknown): z.infer<typeof Settings> {
  const parsed = Settings.safeParse(plain);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new EngineError(
    'inference.settings',
    `The inference config's '${issue?.path.join('.')}' is wrong: ${issue?.message}.`,
    { path: issue?.path.join('.') },
  );
}

/** Examples of AccelHydra write '' for 'none'. */
function given(text: string | null | undefined): string | undefined {
  return text == null || text === '' ? undefined : text;
}

function locate(named: string, projectRoot: string, expDir: string | undefined): string {
  const inProject = resolve(projectRoot, named);
  if (isAbsolute(named) || expDir === undefined || existsSync(inProject)) return inProject;
  const inRun = checkpointPlaces(expDir).map((place) => join(place, named));
  return inRun.find((path) => existsSync(path)) ?? join(expDir, 'checkpoints', named);
}
