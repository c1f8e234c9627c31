import { availableParallelism } from 'node:os';
import { basename, isAbsolute, relative, resolve } from 'node:path';
import { EngineError } from '../api/errors.ts';
import { LaunchOptions, type LaunchPlan } from '../api/launch.ts';
import type { LaunchRequest } from '../api/launchModel.ts';
import type { DeviceInfo } from '../api/machine.ts';
import { listNode, printText, strNode, toYaml } from '../config/index.ts';
import type { Project } from '../instantiate/project/loadProject.ts';
import {
  folderTaken,
  freeRunFolder,
  mergeLaunchOptions,
  planLaunch,
  readLaunchFile,
  type StartRunRequest,
} from '../launch/index.ts';
import { commandText } from './commandText.ts';
import { type Composition, composeProject } from './composition.ts';
import { configProblems } from './configProblems.ts';
import { collectOrigins } from './configTree.ts';
import { wantedFolder } from './runFolder.ts';

/** A launch worked out but not started. */
export interface PreparedLaunch {
  /** What of the config would fail when it is built. */
  readonly problems: readonly string[];
  readonly request: LaunchRequest;
  readonly composition: Composition;
  readonly plan: LaunchPlan;
  readonly expDir: string;
  readonly warnings: readonly string[];
}

/**
 * Works out what would be started: composed config, processes and devices, and a folder of its own. A folder that is in
 * use gets a number behind its name, unless an override names it: then it is `launch.folder-taken`.
 */
export function prepareLaunch(
  project: Project,
  request: LaunchRequest,
  devices: readonly DeviceInfo[],
): PreparedLaunch {
  const composition = composeProject(project, request);
  if (composition.missing.length > 0) {
    const [first] = composition.missing;
    throw new EngineError(
      'config.missing-values',
      `The config needs ${composition.missing.length === 1 ? 'a value' : 'values'} for ${composition.missing.join(', ')} ('???'). Give it as an override: ${first}=…`,
      { paths: composition.missing },
    );
  }
  const { plan, warnings } = planProcesses(project, request, devices);
  const problems = configProblems(project, composition);
  const wanted = wantedFolder(project, composition);
  const expDir = freeRunFolder(wanted);
  if (expDir !== wanted && isFolderChosen(request)) throw folderTaken(wanted);
  const adjusted = knowingFolder(project, request, composition, expDir);
  const composed = composeProject(project, { ...adjusted, outputDir: expDir });
  return { request: adjusted, composition: composed, plan, expDir, warnings, problems };
}

/** The config must know the folder that the run really has, where it names one. */
function knowingFolder(
  project: Project,
  request: LaunchRequest,
  composition: Composition,
  expDir: string,
): LaunchRequest {
  const text = composition.textAt('exp_dir');
  if (text === undefined || resolve(project.root, text) === expDir) return request;
  const inside = relative(project.root, expDir);
  const written = isAbsolute(text) || inside.startsWith('..') ? expDir : inside;
  return { ...request, overrides: [...request.overrides, `exp_dir=${printText(written)}`] };
}

/** What `startRun` takes. */
export function startRequest(
  project: Project,
  prepared: PreparedLaunch,
  devices: readonly DeviceInfo[],
): StartRunRequest {
  const { request, composition, plan, expDir } = prepared;
  return {
    expDir,
    name: request.name ?? composition.textAt('exp_name') ?? basename(expDir),
    configName: request.configName,
    overrides: request.overrides,
    command: commandText(request, project.defaultConfig),
    configYaml: composition.configYaml,
    resolvedYaml: composition.resolvedYaml,
    hydra: {
      config: composition.configYaml,
      hydra: composition.hydraYaml,
      overrides: toYaml(listNode(request.overrides.map((override) => strNode(override)))),
    },
    origins: collectOrigins(composition.config),
    plan,
    projectRoot: project.root,
    devices,
    monitor: monitorOf(composition),
  };
}

/** What `planRun` takes. Throws `config.arguments` where the objects could not be built. */
export function planRequest(project: Project, { composition, plan, expDir, problems }: PreparedLaunch) {
  if (problems.length > 0) throw new EngineError('config.arguments', problems.join('\n'), { problems });
  return {
    projectRoot: project.root,
    expDir,
    configYaml: composition.configYaml,
    origins: collectOrigins(composition.config),
    processes: plan.processes.length,
  };
}

/** Whether a request says anything of processes and devices. */
export function asksForProcesses(request: LaunchRequest): boolean {
  return (
    request.launchFile !== undefined || Object.values(LaunchOptions.parse(request)).some((value) => value !== undefined)
  );
}

export function planProcesses(project: Project, request: LaunchRequest, devices: readonly DeviceInfo[]) {
  const file =
    request.launchFile === undefined
      ? { options: {}, warnings: [] }
      : readLaunchFile(resolve(project.root, request.launchFile));
  const asked: LaunchOptions = {
    numProcesses: request.numProcesses,
    useCpu: request.useCpu,
    gpuIds: request.gpuIds,
    mixedPrecision: request.mixedPrecision,
    threadsPerProcess: request.threadsPerProcess,
    mainProcessPort: request.mainProcessPort,
    maxRestarts: request.maxRestarts,
  };
  const machine = { devices, cores: availableParallelism() };
  const { plan, warnings } = planLaunch(mergeLaunchOptions(file.options, asked), machine);
  return { plan, warnings: [...file.warnings, ...warnings] };
}

function isFolderChosen(request: LaunchRequest): boolean {
  return request.overrides.some((override) => /^\+{0,2}(?:exp_dir|hydra\.run\.dir)\s*=/.test(override));
}

/** Validation metrics are logged as `val/NAME`. */
export function monitorOf(composition: Composition): StartRunRequest['monitor'] {
  const name = composition.textAt('trainer.metric_monitor.metric_name') ?? 'loss';
  const mode = composition.textAt('trainer.metric_monitor.mode') === 'max' ? 'max' : 'min';
  return { key: name.includes('/') ? name : `val/${name}`, mode };
}
