import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { EngineError } from '../api/errors.ts';
import { LaunchJob, type LaunchPlan } from '../api/launch.ts';
import type { DeviceInfo } from '../api/machine.ts';
import type { RunParent } from '../api/runModel.ts';
import { type Clock, systemClock } from '../base/clock.ts';
import { type FolderHold, folderHolder, holderText, holdFolder } from '../runs/folderHold.ts';
import { isRunAlive } from '../runs/liveness.ts';
import { logSizes } from '../runs/logFiles.ts';
import { readRunJson, updateRunFile } from '../runs/runFolder.ts';
import { createRunId } from '../runs/runId.ts';
import { changeRunConfig, createRun, type RunConfigChange } from '../runs/runRecorder.ts';
import type { RunStore } from '../runs/runStore.ts';
import type { RunRecord } from '../runs/runTable.ts';
import { captureSurroundings } from './environment.ts';
import { jobFile, writeJob } from './jobFile.ts';
import { startLauncher } from './launcherProcess.ts';

/** A composed config, ready to be trained. */
export interface StartRunRequest {
  /** Absolute folder for the run; see `freeRunFolder`. */
  readonly expDir: string;
  readonly name: string;
  readonly configName: string;
  readonly overrides: readonly string[];
  /** The command line that does the same. */
  readonly command: string;
  /** Composed, interpolations kept. */
  readonly configYaml: string;
  /** Interpolations resolved; absent when some of them need resolvers of the project's code. */
  readonly resolvedYaml?: string | undefined;
  /** `.hydra/NAME.yaml` by name: config, hydra, overrides. */
  readonly hydra?: Readonly<Record<string, string>> | undefined;
  readonly origins?: unknown;
  readonly plan: LaunchPlan;
  /** Absolute; the processes work in this folder. */
  readonly projectRoot: string;
  readonly devices: readonly DeviceInfo[];
  readonly monitor?: { readonly key: string; readonly mode: 'min' | 'max' } | undefined;
  /** Checkpoint folder to begin from. */
  readonly resumeFrom?: string | undefined;
  readonly replay?: LaunchJob['replay'];
  /** The run that this one branches off. */
  readonly parent?: RunParent | undefined;
}

export interface StartRunDependencies {
  readonly store: RunStore;
  readonly clock?: Clock;
  readonly readyTimeoutMs?: number;
  /** Another training process than the real one. */
  readonly workerModule?: string;
}

export interface StartedRun {
  readonly runId: string;
  readonly runDir: string;
  readonly launcherPid: number;
  /** Bytes that each log had before, by name: a run that goes on writes on in the logs of its earlier part. */
  readonly logsFrom: Readonly<Record<string, number>>;
}

/** `wanted`, or the first of `wanted-2`, `wanted-3`… that no run or file is in. */
export function freeRunFolder(wanted: string): string {
  for (let number = 1; ; number++) {
    const folder = number === 1 ? resolve(wanted) : `${resolve(wanted)}-${number}`;
    if (isFree(folder)) return folder;
  }
}

/**
 * Makes the run's folder and row and starts its launcher, which trains on its own from then on. Resolves when the
 * launcher owns the run. On failure nothing is left: no folder, no row, no process. Throws `launch.folder-taken` when
 * something is in the folder already, the store's errors, and the launcher's.
 */
export async function startRun(request: StartRunRequest, dependencies: StartRunDependencies): Promise<StartedRun> {
  const { store, clock = systemClock } = dependencies;
  const { expDir, plan, projectRoot } = request;
  const surroundings = await captureSurroundings(projectRoot, request.command, request.devices);
  const createdAt = clock.now();
  const runId = createRunId(createdAt);
  const claim = claimFolder(expDir, {
    runId,
    storeFile: store.file,
    projectRoot,
    plan,
    needsResolving: request.resolvedYaml === undefined,
    ...(request.resumeFrom === undefined ? {} : { resumeFrom: request.resumeFrom }),
    ...(request.replay === undefined ? {} : { replay: request.replay }),
  });
  let hold: FolderHold | undefined;
  try {
    hold = holdFolder(expDir);
    const { name, configName, overrides, command, configYaml, resolvedYaml, hydra, origins, monitor, parent } = request;
    const { git, host, user, environment, codeDiff } = surroundings;
    const devices = plan.processes.map((process) => process.device);
    const processes = plan.processes.length;
    createRun(
      store,
      {
        id: runId,
        name,
        expDir,
        configName,
        overrides,
        command,
        configYaml,
        resolvedYaml,
        createdAt,
        processes,
        devices,
        git,
        host,
        user,
        environment,
        monitor,
        parent,
      },
      { hydra, origins, codeDiff },
    );
    const launcherPid = await startLauncher({
      runDir: expDir,
      projectRoot,
      readyTimeoutMs: dependencies.readyTimeoutMs,
      workerModule: dependencies.workerModule,
    });
    return { runId, runDir: expDir, launcherPid, logsFrom: {} };
  } catch (error) {
    if (store.runs.find(runId)) store.runs.remove(runId);
    hold?.dispose();
    claim.undo();
    throw error;
  }
}

export interface ResumeRunRequest {
  readonly runId: string;
  /** Checkpoint folder within the run: `checkpoints/epoch_3`. */
  readonly checkpoint: string;
  /** Another spread over processes than the run had. */
  readonly plan?: LaunchPlan;
  /** Where the project is now; where it was unless given. */
  readonly projectRoot?: string;
  /** The run's config with what may change of it; as it was unless given. */
  readonly config?: RunConfigChange | undefined;
}

/** Throws `launch.run-live` for a run that still trains: its checkpoints come and go. */
export function requireEnded(run: RunRecord): void {
  const { id: runId, name, status, expDir } = run;
  const holder = folderHolder(expDir);
  const isLive = ['starting', 'running', 'stopping'].includes(status) && isRunAlive(run);
  if (holder === undefined && !isLive) return;
  const who = holder === undefined ? '' : ` (${holderText(holder)})`;
  throw new EngineError(
    'launch.run-live',
    `The run '${name}' is still ${isLive ? status : 'being started'}${who}. Wait for its end, or stop it before going on from a checkpoint: accelhydra runs stop ${runId}`,
    { runId, ...holder },
  );
}

/**
 * Goes on with a run that has ended, in its own folder and row, from one of its checkpoints. Throws `launch.run-live`,
 * `launch.folder-missing`, the store's errors and the launcher's; the row is as before then.
 */
export async function resumeRun(request: ResumeRunRequest, dependencies: StartRunDependencies): Promise<StartedRun> {
  const { store } = dependencies;
  const found = store.runs.get(request.runId);
  requireEnded(found);
  previousJob(found);
  const hold = holdFolder(found.expDir);
  try {
    // read again: only from here on nobody else changes it
    return await goOn(store.runs.get(request.runId), request, dependencies);
  } catch (error) {
    hold.dispose();
    throw error;
  }
}

async function goOn(
  run: RunRecord,
  request: ResumeRunRequest,
  dependencies: StartRunDependencies,
): Promise<StartedRun> {
  const { store } = dependencies;
  const { id: runId, expDir, status, endedAt, error } = run;
  const previous = previousJob(run);
  const logsFrom = logSizes(expDir);
  const plan = request.plan ?? previous.plan;
  const projectRoot = request.projectRoot ?? previous.projectRoot;
  const needsResolving = request.config ? request.config.resolvedYaml === undefined : previous.needsResolving;
  const job = { ...previous, runId, storeFile: store.file, projectRoot, plan, needsResolving };
  writeJob(expDir, { ...job, resumeFrom: request.checkpoint });
  if (request.config !== undefined) changeRunConfig(store, run, request.config);
  const begin = { status: 'starting', endedAt: undefined, error: undefined } as const;
  const devices = plan.processes.map((process) => process.device);
  store.runs.update(runId, { ...begin, processes: devices.length, devices });
  updateRunFile(expDir, { ...begin, processes: devices.length, devices });
  try {
    const launcherPid = await startLauncher({
      runDir: expDir,
      projectRoot,
      readyTimeoutMs: dependencies.readyTimeoutMs,
      workerModule: dependencies.workerModule,
    });
    return { runId, runDir: expDir, launcherPid, logsFrom };
  } catch (failure) {
    store.runs.update(runId, { status, endedAt, error });
    updateRunFile(expDir, { status, endedAt, error });
    throw failure;
  }
}

function previousJob({ id: runId, expDir }: RunRecord): LaunchJob {
  const previous = LaunchJob.safeParse(readRunJson(expDir, jobFile)).data;
  if (previous !== undefined) return previous;
  throw new EngineError(
    'launch.folder-missing',
    `The folder ${expDir} does not say how this run was launched (${jobFile}), so it cannot go on there.`,
    { runId, expDir },
  );
}

/** Takes the folder for this run alone, by a file that can be created once. */
function claimFolder(expDir: string, job: LaunchJob): { readonly undo: () => void } {
  let made: string | undefined;
  try {
    made = mkdirSync(expDir, { recursive: true });
    if (!isFree(expDir)) throw folderTaken(expDir);
    writeFileSync(join(expDir, jobFile), `${JSON.stringify(job, null, 2)}\n`, { flag: 'wx' });
  } catch (error) {
    throw claimFailure(expDir, error);
  }
  return {
    undo: () => {
      for (const name of readdirSync(expDir)) rmSync(join(expDir, name), { recursive: true, force: true });
      // only the folders that were made here go again
      if (made !== undefined) rmSync(made, { recursive: true, force: true });
    },
  };
}

function isFree(folder: string): boolean {
  try {
    return readdirSync(folder).length === 0;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) return false;
    // below a file nothing can be made: taking the folder says so, looking for another one would never end
    return error.code === 'ENOENT' || (error.code === 'ENOTDIR' && !existsSync(folder));
  }
}

/** `launch.folder-taken`: says so where a training runs there. */
export function folderTaken(expDir: string): EngineError {
  const holder = folderHolder(expDir);
  const what = holder === undefined ? 'There is something' : `A training runs (${holderText(holder)})`;
  return new EngineError(
    'launch.folder-taken',
    `${what} in ${expDir} already, and a run never writes over another one. Choose another exp_dir or exp_name, leave them out to have a free folder found${holder === undefined ? ', or remove the folder' : ''}.`,
    { expDir, ...holder },
  );
}

/** What keeps a run from its folder, in words. */
function claimFailure(expDir: string, error: unknown): unknown {
  if (!(error instanceof Error && 'code' in error)) return error;
  const reasons: Readonly<Record<string, string>> = {
    EACCES: 'you may not write there',
    EPERM: 'you may not write there',
    EROFS: 'the file system is read-only',
    ENOTDIR: 'a part of that path is a file',
    ENOSPC: 'the disk is full',
    EDQUOT: 'your share of the disk is full',
  };
  const reason = reasons[String(error.code)];
  // a file may stand where the folder should
  if (error.code === 'EEXIST') return folderTaken(expDir);
  if (reason === undefined) return error;
  const text = `The run's folder ${expDir} cannot be made: ${reason}. Choose another exp_dir, or change that.`;
  return new EngineError('launch.folder-unwritable', text, { expDir }, { cause: error });
}
