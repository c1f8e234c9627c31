import { mkdirSync, writeFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { shellQuote } from '../../service/commandText.ts';
import { findConfigPlace } from '../../service/configPlace.ts';
import { planSweep, type SweepJob, wantsSweep } from '../../service/sweep.ts';
import { type ExitCode, exitCodes } from '../exitCodes.ts';
import type { ConfigOptions, LaunchFlags } from '../options.ts';
import type { Terminal } from '../ui/terminal.ts';
import { searchPathOf } from './searchPath.ts';
import { train } from './train.ts';

/**
 * `train --multirun`: every combination of a sweep, one run after the other. A run that fails does not keep the others
 * from being tried; the first failure is the command's exit code. Folders are Hydra's: `hydra.sweep.dir`, with
 * `multirun.yaml` in it, and `hydra.sweep.subdir` for each job. With `--dry-run` the overrides of each run, a line each.
 */
export async function multirun(
  terminal: Terminal,
  overrides: readonly string[],
  options: ConfigOptions & LaunchFlags,
): Promise<ExitCode> {
  const place = await findConfigPlace(process.cwd(), options.project);
  const configName = options.configName ?? place.defaultConfig;
  const searchPath = searchPathOf(place.configDir, options);
  const { jobs, folder, multirunYaml } = planSweep(place, { configName, overrides, searchPath });
  if (options.dryRun) {
    for (const job of jobs) terminal.print(describe(job));
    return exitCodes.ok;
  }
  if (jobs.some((job) => job.folder.startsWith(folder + sep))) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'multirun.yaml'), multirunYaml);
  }
  let result: ExitCode = exitCodes.ok;
  for (const [index, job] of jobs.entries()) {
    terminal.note(terminal.paintNote('bold', `#${index} of ${jobs.length}: ${describe(job)}`));
    const code = await train(terminal, job.all, options);
    if (result === exitCodes.ok) result = code;
    if (code === exitCodes.interrupted) break;
  }
  return result;
}

/** Whether `train` is a sweep without saying `--multirun`. */
export async function isSweep(overrides: readonly string[], options: ConfigOptions): Promise<boolean> {
  const place = await findConfigPlace(process.cwd(), options.project);
  const configName = options.configName ?? place.defaultConfig;
  return wantsSweep(place, { configName, overrides, searchPath: searchPathOf(place.configDir, options) });
}

function describe(job: SweepJob): string {
  return job.overrides.map(shellQuote).join(' ');
}
