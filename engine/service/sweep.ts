import { isAbsolute, relative, resolve } from 'node:path';
import { EngineError } from '../api/errors.ts';
import { compose } from '../config/compose/compose.ts';
import { groupOptions } from '../config/compose/groups.ts';
import { printText } from '../config/grammar/printer.ts';
import { expandSweep } from '../config/grammar/sweep.ts';
import { isHydraOverride, type Override } from '../config/grammar/types.ts';
import type { ConfigNode } from '../config/node/node.ts';
import { pythonStr } from '../config/python/repr.ts';
import { select } from '../config/resolve/operations.ts';
import { toYaml } from '../config/yaml/emit/toYaml.ts';
import { freeRunFolder } from '../launch/startRun.ts';
import { type CompositionRequest, type ConfigPlace, composeProject, engineRequest, explained } from './composition.ts';
import { hydraText, wantedFolder } from './runFolder.ts';

/** One run of a sweep. */
export interface SweepJob {
  /** What the sweeper chose, in its order: what a person tells the jobs apart by. */
  readonly overrides: readonly string[];
  /** The same with what makes it a job: Hydra's own overrides, its number, its folder. A run of its own, repeatable alone. */
  readonly all: readonly string[];
  /** Absolute. */
  readonly folder: string;
}

export interface Sweep {
  readonly jobs: readonly SweepJob[];
  /** `hydra.sweep.dir`, absolute. */
  readonly folder: string;
  /** Hydra's `multirun.yaml`: the config that the jobs were made from. */
  readonly multirunYaml: string;
}

/**
 * The runs that `--multirun` asks for, as Hydra's BasicSweeper makes them: `hydra.sweeper.params` first, then the command
 * line, the last override varying fastest; a glob sees the options of its group. Each goes to `hydra.sweep.subdir` below
 * `hydra.sweep.dir`, below `exp_dir` where an override gives that one folder for all, or to the `exp_dir` that overrides
 * give each of them. Throws `config.…` errors and `launch.folder-taken`.
 */
export function planSweep(place: ConfigPlace, request: CompositionRequest): Sweep {
  return explained(() => {
    const engine = engineRequest(place, request);
    const master = compose({ ...engine, mode: 'multirun' });
    const { hydra, overrides, context } = master;
    const own = overrides.filter((override) => !isHydraOverride(override));
    const forHydra = overrides.filter((override) => isHydraOverride(override)).map((override) => override.text);
    const params = sweeperParams(select(hydra, 'sweeper.params', context));
    const jobs = expandSweep([...params, ...own.map(textOf)], {
      groupOptions: (group) => groupOptions(engine, group).map((option) => option.name),
    });
    const sweepDir = textOfNode(select(master.withHydra, 'hydra.sweep.dir', context)) ?? 'multirun';
    const folder = resolve(place.root, sweepDir);
    const numbered = jobs.map((job, index) => {
      const all = [...forHydra, `hydra.job.num=${index}`, `hydra.job.id='${index}'`, ...job];
      const composition = composeProject(place, { ...request, overrides: all });
      const subdir = hydraText(composition, 'sweep.subdir') ?? String(index);
      const given = composition.config.get('exp_dir')?.origin?.kind === 'override';
      // Said, since the folder that is added below would stand in it.
      const dirname = hydraText(composition, 'job.override_dirname') ?? '';
      all.splice(forHydra.length, 0, `hydra.job.override_dirname=${quoted(dirname)}`);
      return { job, all, subdir, own: given ? wantedFolder(place, composition) : undefined };
    });
    const isOneForAll = jobs.length > 1 && new Set(numbered.map(({ own }) => own)).size === 1;
    return {
      folder,
      multirunYaml: toYaml(master.withHydra),
      jobs: withoutClashes(
        numbered.map(({ job, all, subdir, own }): SweepJob => {
          const target = own === undefined ? resolve(folder, subdir) : isOneForAll ? resolve(own, subdir) : own;
          return {
            overrides: job,
            all: [...all, `++exp_dir=${printText(fromRoot(place.root, target))}`],
            folder: target,
          };
        }),
      ),
    };
  });
}

/**
 * Whether the config or an override says `hydra.mode: MULTIRUN`, which is as good as `--multirun`. False for what cannot be
 * composed: starting it tells why.
 */
export function wantsSweep(place: ConfigPlace, request: CompositionRequest): boolean {
  try {
    const { withHydra, context } = compose({ ...engineRequest(place, request), mode: 'multirun' });
    return textOfNode(select(withHydra, 'hydra.mode', context)) === 'MULTIRUN';
  } catch (error) {
    if (error instanceof EngineError) return false;
    throw error;
  }
}

/** Jobs that would share a folder, or write over something, are refused before the first of them starts. */
function withoutClashes(jobs: readonly SweepJob[]): readonly SweepJob[] {
  const seen = new Set<string>();
  for (const { folder } of jobs) {
    if (seen.has(folder)) {
      throw new EngineError(
        'config.sweep.folders',
        `Two jobs of the sweep would go to ${folder}. Let hydra.sweep.subdir tell them apart, as '\${hydra.job.num}' or '\${hydra.job.override_dirname}' do.`,
        { folder },
      );
    }
    seen.add(folder);
    if (freeRunFolder(folder) !== folder) {
      throw new EngineError(
        'launch.folder-taken',
        `There is something in ${folder} already, and a run never writes over another one. Choose another hydra.sweep.dir (or exp_dir), or remove the folder.`,
        { folder },
      );
    }
  }
  return jobs;
}

/** As a person would write it: from the project's folder where it lies in there. */
function fromRoot(root: string, folder: string): string {
  const path = relative(root, folder);
  return path.startsWith('..') || isAbsolute(path) ? folder : path;
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

function textOfNode(node: ConfigNode | undefined): string | undefined {
  return node?.kind === 'scalar' && !node.isNull && !node.isMissing ? String(node.value) : undefined;
}

function textOf(override: Override): string {
  return override.text;
}

/** `params` of the sweeper: a mapping from override keys to sweeps, as texts. */
function sweeperParams(node: ConfigNode | undefined): string[] {
  if (node?.kind !== 'dict') return [];
  return [...node.entries()].map(([key, value]) => `${String(key)}=${pythonStr(value)}`);
}
