import { existsSync, readFileSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import { EngineError } from '../../api/errors.ts';
import type { LaunchRequest } from '../../api/launchModel.ts';
import { didYouMean } from '../../base/nearest.ts';
import { runFolderOf } from '../../checkpoint/index.ts';
import type { Project } from '../../instantiate/project/loadProject.ts';
import { requireEnded } from '../../launch/index.ts';
import { checkpointsIn, scanCheckpoints } from '../../runs/rebuild.ts';
import { runFiles } from '../../runs/runFolder.ts';
import type { RunStore } from '../../runs/runStore.ts';
import { isFolderMissing, type RunRecord } from '../../runs/runTable.ts';
import { type Composition, composeProject } from '../composition.ts';
import { wantedFolder } from '../runFolder.ts';
import type { CheckpointWish } from './chooseCheckpoint.ts';
import { isChangeable, resetKey, resetUndone, resumeKeys } from './resumeRules.ts';
import { composeText, overrideKey } from './savedConfig.ts';

/** What a launch goes on with, when its config asks to. */
export type LaunchResume =
  /** A run of this project, in its own folder. */
  | {
      readonly kind: 'run';
      readonly run: RunRecord;
      readonly wish: CheckpointWish;
      /** What the command line adds to the overrides that the run began with. */
      readonly overrides: readonly string[];
      readonly logging: Composition;
      /** Nobody named the checkpoint. */
      readonly isAutomatic: boolean;
    }
  /** A checkpoint that belongs to no run here, or another saved config: a new run with that config. */
  | { readonly kind: 'saved'; readonly resumeFrom: string; readonly configFile: string; readonly logging: Composition };

/**
 * AccelHydra's rules: `trainer.resume_from_checkpoint` names a checkpoint (or a run's folder or one of checkpoints, for the
 * newest by step there);
 * else `auto_resume_from_latest_ckpt`, in either spelling, goes on with the newest checkpoint of the run in `exp_dir`. The
 * saved config goes first: `resume_from_config`, or the `config.yaml` of the checkpoint's run. Throws
 * `checkpoints.not-found` and `runs.config-missing`, and `launch.run-live` where the run that it would go on with still trains.
 */
export function launchResume(project: Project, request: LaunchRequest, store: RunStore): LaunchResume | undefined {
  const composition = composeProject(project, request);
  const path = textOf(composition, 'resume_from_checkpoint');
  if (path !== undefined) return explicit(project, request, store, composition, path);
  const isAsked = ['auto_resume_from_latest_ckpt', 'auto_reusme_from_latest_ckpt'].some(
    (key) => textOf(composition, key) === 'true',
  );
  if (!isAsked) return undefined;
  const run = store.runs.findByFolder(wantedFolder(project, composition));
  if (run === undefined || isFolderMissing(run)) return undefined;
  // also one that has no checkpoint yet: a second training is not what was asked for
  requireEnded(run);
  if (scanCheckpoints(run.expDir).length === 0) return undefined;
  return { kind: 'run', run, wish: {}, overrides: added(run, request), logging: composition, isAutomatic: true };
}

function explicit(
  project: Project,
  request: LaunchRequest,
  store: RunStore,
  logging: Composition,
  path: string,
): LaunchResume {
  const target = checkpointMeant(resolve(project.root, path));
  const runDir = runMeant(target);
  const config = textOf(logging, 'resume_from_config');
  const run = config === undefined ? store.runs.findByFolder(runDir) : undefined;
  if (run !== undefined) {
    const checkpoint = relative(runDir, target).split(sep).join('/');
    const wish = checkpoint === '' ? {} : { checkpoint };
    return { kind: 'run', run, wish, overrides: added(run, request), logging, isAutomatic: false };
  }
  if (!existsSync(target)) throw notThere(target, runDir);
  const files =
    config === undefined
      ? [join(runDir, runFiles.config), join(target, 'config.yaml')]
      : [resolve(project.root, config)];
  const configFile = files.find((file) => existsSync(file));
  if (configFile === undefined) {
    throw new EngineError(
      'runs.config-missing',
      `The config that ${target} was trained with is not there: looked for ${files.join(' and ')}. Name it: trainer.resume_from_config=…`,
      { files },
    );
  }
  return { kind: 'saved', resumeFrom: target, configFile, logging };
}

/** The saved config with what of the command line may change, for a new run. */
export function composeForSaved(
  project: Project,
  request: LaunchRequest,
  resume: Extract<LaunchResume, { readonly kind: 'saved' }>,
): Composition {
  const own = request.overrides.filter((override) => !resumeKeys.has(overrideKey(override)));
  const taken = ['exp_dir', 'exp_name', 'trainer.checkpoint_dir', resetKey];
  const isTaken = (key: string) => isChangeable(key) || taken.includes(key);
  const refused = own.filter((override) => !isTaken(overrideKey(override)));
  if (refused.length > 0) {
    throw new EngineError(
      'runs.resume-override',
      `${refused.join(' ')}: with resume_from_checkpoint the saved config goes first (${resume.configFile}). Leave these overrides out, or change that file's copy and name it: trainer.resume_from_config=…`,
      { overrides: refused },
    );
  }
  const compose = (overrides: readonly string[]) =>
    composeText(project, readFileSync(resume.configFile, 'utf8'), overrides, resume.configFile);
  const isConfigNamed = textOf(resume.logging, 'resume_from_config') !== undefined;
  return compose(isConfigNamed ? own : [...own, ...resetUndone(compose([]), own)]);
}

/** Overrides of the request that the run did not begin with, and that do not only say what to go on from. */
function added(run: RunRecord, request: LaunchRequest): string[] {
  const known = new Set(run.overrides);
  return request.overrides.filter((override) => !known.has(override) && !resumeKeys.has(overrideKey(override)));
}

/** The trainer's own key goes before the one beside the sections. */
function textOf(composition: Composition, key: string): string | undefined {
  return composition.textAt(`trainer.${key}`) ?? composition.textAt(key);
}

/** The run that is meant: by its own folder, or by a checkpoint of it. */
/** In a folder of checkpoints, such as a `checkpoint_dir` outside its run, the newest by step; else what is named. */
function checkpointMeant(target: string): string {
  if (isRun(target) || existsSync(join(target, 'manifest.json'))) return target;
  const inside = checkpointsIn(target).filter(({ path }) => !path.startsWith('.'));
  const runs = [...new Set(inside.map(({ path }) => runFolderOf(join(target, path))))];
  if (runs.length > 1) {
    const paths = inside.map(({ path }) => join(target, path));
    throw new EngineError(
      'checkpoints.ambiguous',
      `${target} holds checkpoints of several runs: ${runs.join(', ')}. Name one of them, or one checkpoint: ${paths.join(', ')}.`,
      { target, runs, found: paths },
    );
  }
  // of several at one step not `best`, which the training may write anew
  const [newest] = inside.toSorted((a, b) => b.step - a.step || Number(a.kind === 'best') - Number(b.kind === 'best'));
  return newest === undefined ? target : join(target, newest.path);
}

function runMeant(target: string): string {
  return isRun(target) ? target : runFolderOf(target);
}

function isRun(folder: string): boolean {
  const has = (file: string) => existsSync(join(folder, file));
  return has(runFiles.record) || (has(runFiles.config) && has(runFiles.checkpoints));
}

function notThere(target: string, runDir: string): EngineError {
  const paths = scanCheckpoints(runDir).map(({ path }) => join(runDir, path));
  const known = paths.length === 0 ? '' : ` There are ${paths.join(', ')}.`;
  return new EngineError(
    'checkpoints.not-found',
    `There is no checkpoint ${target}.${didYouMean(target, paths)}${known}`,
    { target, found: paths },
  );
}
