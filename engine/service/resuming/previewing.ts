import { resolve, sep } from 'node:path';
import { EngineError } from '../../api/errors.ts';
import type { LaunchPreview, LaunchRequest } from '../../api/launchModel.ts';
import type { DeviceInfo } from '../../api/machine.ts';
import type { Project } from '../../instantiate/project/loadProject.ts';
import { freeRunFolder } from '../../launch/index.ts';
import type { RunStore } from '../../runs/runStore.ts';
import { commandText } from '../commandText.ts';
import type { Composition } from '../composition.ts';
import { configProblems } from '../configProblems.ts';
import { type PreparedLaunch, planProcesses, prepareLaunch } from '../launching.ts';
import { folderText } from './branching.ts';
import { goOnRequest, planOf, takeLogging } from './goOn.ts';
import { composeForSaved, type LaunchResume, launchResume } from './launchResume.ts';
import { overrideKey } from './savedConfig.ts';

/** A launch of a saved config, from a checkpoint that belongs to no run here. */
export function prepareSaved(
  project: Project,
  request: LaunchRequest,
  devices: readonly DeviceInfo[],
  resume: Extract<LaunchResume, { readonly kind: 'saved' }>,
): PreparedLaunch {
  const first = composeForSaved(project, request, resume);
  const wanted = resolve(project.root, first.textAt('exp_dir') ?? `experiments/${request.configName}`);
  const expDir = freeRunFolder(wanted);
  const inFolder = expDir === wanted ? request.overrides : [...request.overrides, `exp_dir=${expDir}`];
  const placed = expDir === wanted ? first : composeForSaved(project, { ...request, overrides: inFolder }, resume);
  const { taken, own } = ownCheckpoints(project, placed, expDir, inFolder);
  const overrides = [...inFolder, ...own];
  const composition = own.length === 0 ? placed : composeForSaved(project, { ...request, overrides }, resume);
  takeLogging(composition, resume.logging);
  const { plan, warnings } = planProcesses(project, request, devices);
  const problems = configProblems(project, composition);
  const told = [...warnings, ...taken];
  return { request: { ...request, overrides }, composition, plan, expDir, warnings: told, problems };
}

/**
 * A saved config may name a folder for its checkpoints outside its run's, where those of that run lie: the new run gets one
 * beside, unless the command names one. `taken` tells so.
 */
function ownCheckpoints(project: Project, composition: Composition, expDir: string, overrides: readonly string[]) {
  const key = 'trainer.checkpoint_dir';
  const text = composition.textAt(key);
  const folder = text === undefined ? expDir : resolve(project.root, text);
  const isOwn = folder === expDir || folder.startsWith(`${expDir}${sep}`);
  const free = isOwn ? folder : freeRunFolder(folder);
  if (free === folder || overrides.some((override) => overrideKey(override) === key)) return { taken: [], own: [] };
  const taken = `Checkpoints go to ${free}: in ${folder}, which the saved config names, are others. ${key}=… chooses another folder.`;
  return { taken: [taken], own: [`${key}=${folderText(project, free)}`] };
}

/** A prepared launch for a person to look at: whatever keeps it from starting is told instead of thrown. */
export function previewLaunch(
  project: Project,
  request: LaunchRequest,
  devices: readonly DeviceInfo[],
  store: RunStore,
): LaunchPreview {
  const command = commandText(request, project.defaultConfig);
  try {
    const resume = launchResume(project, request, store);
    if (resume?.kind === 'run') return previewResume(project, devices, store, resume, command);
    const prepared =
      resume === undefined ? prepareLaunch(project, request, devices) : prepareSaved(project, request, devices, resume);
    const { plan, expDir, warnings, problems, composition } = prepared;
    const saved = resume === undefined ? [] : [`The saved config goes first: ${resume.configFile}.`];
    return {
      command: commandText(prepared.request, project.defaultConfig),
      processes: plan.processes.map(({ rank, device, threads }) => ({ rank, device, threads })),
      expDir,
      ...(resume === undefined ? {} : { resumeFrom: resume.resumeFrom }),
      problems: [...problems],
      warnings: [...saved, ...warnings, ...composition.warnings],
    };
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    return { command, processes: [], expDir: '', problems: [error.message], warnings: [] };
  }
}

function previewResume(
  project: Project,
  devices: readonly DeviceInfo[],
  store: RunStore,
  resume: Extract<LaunchResume, { readonly kind: 'run' }>,
  command: string,
): LaunchPreview {
  const { run, wish, ...what } = resume;
  const { checkpoint } = goOnRequest(project, store, run, { ...wish, ...what });
  return {
    command,
    processes: planOf(run, devices).processes.map(({ rank, device, threads }) => ({ rank, device, threads })),
    expDir: run.expDir,
    problems: [],
    warnings: [`The run '${run.name}' goes on from ${checkpoint}, in its own folder and with its saved config.`],
  };
}
