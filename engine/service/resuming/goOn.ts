import { availableParallelism } from 'node:os';
import { EngineError } from '../../api/errors.ts';
import { LaunchJob, type LaunchOptions, type LaunchPlan } from '../../api/launch.ts';
import type { DeviceInfo } from '../../api/machine.ts';
import { select } from '../../config/resolve/operations.ts';
import type { Project } from '../../instantiate/project/loadProject.ts';
import { jobFile, planLaunch, type ResumeRunRequest, requireEnded } from '../../launch/index.ts';
import { readRunJson } from '../../runs/runFolder.ts';
import type { RunStore } from '../../runs/runStore.ts';
import { isFolderMissing, type RunRecord } from '../../runs/runTable.ts';
import type { Composition } from '../composition.ts';
import { type CheckpointWish, chooseCheckpoint } from './chooseCheckpoint.ts';
import { checkResumeOverrides, checkSomethingLeft } from './resumeRules.ts';
import { composeSaved, savedOrigins } from './savedConfig.ts';

export interface GoOnRequest extends CheckpointWish {
  readonly overrides: readonly string[];
  readonly plan?: LaunchPlan | undefined;
  /** A newly composed config, of which `trainer.logging_config` is taken. */
  readonly logging?: Composition | undefined;
  /** A command that is given again and again until the training is done: that nothing is left is no mistake. */
  readonly isAutomatic?: boolean | undefined;
}

/**
 * What `resumeRun` takes to go on with a run from a checkpoint: its saved config first, and of what is new only what may
 * change. Throws `launch.run-live`, `runs.resume-override`, `checkpoints.not-found`, `runs.nothing-left`, `launch.folder-missing`.
 */
export function goOnRequest(project: Project, store: RunStore, run: RunRecord, request: GoOnRequest): ResumeRunRequest {
  const { overrides, plan, logging } = request;
  requireFolder(run);
  requireEnded(run);
  checkResumeOverrides(run, overrides, request.step);
  const checkpoint = chooseCheckpoint(store, run, request);
  const composition = composeSaved(project, run.expDir, overrides);
  const isLoggingNew = logging !== undefined && takeLogging(composition, logging);
  if (!request.isAutomatic) checkSomethingLeft(run, composition, checkpoint, 'resume');
  const { configYaml, resolvedYaml } = composition;
  const origins = savedOrigins(run.expDir, composition);
  const config = { configYaml, resolvedYaml, origins, overrides: [...run.overrides, ...overrides] };
  return {
    runId: run.id,
    checkpoint: checkpoint.path,
    ...(plan === undefined ? {} : { plan }),
    ...(overrides.length === 0 && !isLoggingNew ? {} : { config }),
  };
}

/** Takes the new config's `trainer.logging_config`; false where there is none. */
export function takeLogging(saved: Composition, from: Composition): boolean {
  const node = select(from.config, 'trainer.logging_config', from.parts.context);
  const trainer = select(saved.config, 'trainer', saved.parts.context);
  if (node === undefined || trainer?.kind !== 'dict') return false;
  trainer.set('logging_config', node.clone());
  return true;
}

export function requireFolder(run: RunRecord): void {
  if (!isFolderMissing(run)) return;
  throw new EngineError('launch.folder-missing', `The folder of '${run.name}' is gone: ${run.expDir}`, {
    runId: run.id,
  });
}

/** How the run was spread over processes; over what this machine has where its folder does not say. */
export function planOf(run: RunRecord, devices: readonly DeviceInfo[]): LaunchPlan {
  return LaunchJob.safeParse(readRunJson(run.expDir, jobFile)).data?.plan ?? spread({}, devices);
}

export function spread(options: LaunchOptions, devices: readonly DeviceInfo[]): LaunchPlan {
  return planLaunch(options, { devices, cores: availableParallelism() }).plan;
}
