import { basename, join, resolve } from 'node:path';
import { EngineError } from '../../api/errors.ts';
import type { LaunchPlan } from '../../api/launch.ts';
import type { DeviceInfo } from '../../api/machine.ts';
import type { CheckpointInfo } from '../../api/runModel.ts';
import { checkpointPlaces } from '../../checkpoint/index.ts';
import { listNode, strNode } from '../../config/node/build.ts';
import { toYaml } from '../../config/yaml/emit/toYaml.ts';
import type { Project } from '../../instantiate/project/loadProject.ts';
import { folderTaken, freeRunFolder, type StartRunRequest } from '../../launch/index.ts';
import type { RunRecord } from '../../runs/runTable.ts';
import { shellQuote } from '../commandText.ts';
import { type Composition, composeProject } from '../composition.ts';
import { configProblems } from '../configProblems.ts';
import { monitorOf } from '../launching.ts';
import { checkSomethingLeft, resetUndone } from './resumeRules.ts';
import { composeSaved, isGroupChoice, overrideKey, savedOrigins } from './savedConfig.ts';

export interface BranchRequest {
  readonly run: RunRecord;
  readonly checkpoint: CheckpointInfo;
  readonly overrides: readonly string[];
  readonly name?: string | undefined;
  readonly plan: LaunchPlan;
  readonly devices: readonly DeviceInfo[];
}

/**
 * A new run that begins at a checkpoint of another one: its saved config with the overrides on top, in a folder of its
 * own. Values are changed on the saved config; an option of a config group can only be chosen while the project's config
 * files still compose to what the run began with. Throws `launch.folder-taken`, `runs.branch-group`, and what a wrong
 * override throws.
 */
export function branchRequest(project: Project, request: BranchRequest): StartRunRequest {
  const { run, checkpoint, plan, devices } = request;
  const saved = composeSaved(project, run.expDir, []);
  const overrides = [...request.overrides, ...resetUndone(saved, request.overrides)];
  const first = composeBranch(project, run, overrides);
  const asked = first.textAt('exp_dir');
  const isFolderNamed = overrides.some((override) => overrideKey(override) === 'exp_dir');
  // by itself, or by a value that it is made of (exp_name)
  const isElsewhere = isFolderNamed || asked !== saved.textAt('exp_dir');
  const wanted = resolve(project.root, isElsewhere ? (asked ?? run.expDir) : run.expDir);
  const expDir = freeRunFolder(wanted);
  if (isFolderNamed && expDir !== wanted) throw folderTaken(wanted);
  const withFolder =
    isElsewhere && expDir === wanted ? overrides : [...overrides, `exp_dir=${folderText(project, expDir)}`];
  const placed = asked === undefined ? first : composeBranch(project, run, withFolder);
  // the run's own checkpoint_dir, where that lies outside of it: two runs that share one would be in each other's way
  const shared = overrides.some((override) => overrideKey(override) === 'trainer.checkpoint_dir')
    ? undefined
    : sharedFolder(project, run, placed);
  const own =
    shared === undefined
      ? withFolder
      : [...withFolder, `trainer.checkpoint_dir=${folderText(project, freeRunFolder(shared))}`];
  const composition = shared === undefined ? placed : composeBranch(project, run, own);
  checkSomethingLeft(run, composition, checkpoint, 'branch');
  const problems = configProblems(project, composition);
  if (problems.length > 0) throw new EngineError('config.arguments', problems.join('\n'), { problems });
  const all = [...run.overrides, ...own];
  return {
    expDir,
    name: request.name ?? basename(expDir),
    configName: run.configName,
    overrides: all,
    command: ['accelhydra runs branch', run.id, `--step ${checkpoint.step}`, ...request.overrides.map(shellQuote)].join(
      ' ',
    ),
    configYaml: composition.configYaml,
    resolvedYaml: composition.resolvedYaml,
    hydra: { config: composition.configYaml, overrides: toYaml(listNode(all.map((override) => strNode(override)))) },
    origins: savedOrigins(run.expDir, composition),
    plan,
    projectRoot: project.root,
    devices,
    monitor: monitorOf(composition),
    resumeFrom: join(run.expDir, checkpoint.path),
    parent: { runId: run.id, name: run.name, checkpoint: checkpoint.path, step: checkpoint.step },
  };
}

function sharedFolder(project: Project, run: RunRecord, branch: Composition): string | undefined {
  const text = branch.textAt('trainer.checkpoint_dir');
  const folder = text === undefined ? undefined : resolve(project.root, text);
  return folder !== undefined && checkpointPlaces(run.expDir).includes(folder) ? folder : undefined;
}

function composeBranch(project: Project, run: RunRecord, overrides: readonly string[]): Composition {
  const groups = overrides.filter((override) => isGroupChoice(project, override));
  if (groups.length === 0) return composeSaved(project, run.expDir, overrides);
  const [before, saved] = [recompose(project, run, []), composeSaved(project, run.expDir, [])];
  if (before?.configYaml === saved.configYaml) return composeProject(project, request(run, overrides));
  throw new EngineError(
    'runs.branch-group',
    `${groups.join(' ')} chooses from a config group, but the project's config files no longer compose to what '${run.name}' began with. Change values of the saved config instead (key=value), or start a new run: accelhydra train`,
    { overrides: groups },
  );
}

function recompose(project: Project, run: RunRecord, overrides: readonly string[]): Composition | undefined {
  try {
    return composeProject(project, request(run, overrides));
  } catch {
    return undefined; // files or groups have gone: not what the run began with
  }
}

function request(run: RunRecord, overrides: readonly string[]) {
  return { configName: run.configName, overrides: [...run.overrides, ...overrides] };
}

/** Relative to the project where it lies within it, as people write it. */
export function folderText(project: Project, folder: string): string {
  const inside = `${project.root}/`;
  const path = folder.startsWith(inside) ? folder.slice(inside.length) : folder;
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "\\'")}'`;
}
