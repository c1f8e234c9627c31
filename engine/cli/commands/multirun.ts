import { mkdirSync, writeFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { shellQuote } from '../../service/commandText.ts';
import { findConfigPlace } from '../../service/configPlace.ts';
import { planSweep, type SweepJob, wantsSweep } from '../../service/sweep.ts';
import { type ExitCode, exitCodes } from '../exitCodes.ts';
import { withEngine } from '../openEngine.ts';
import type { ConfigOptions, LaunchFlags } from '../options.ts';
import { formatTable } from '../ui/format.ts';
import { statusText } from '../ui/statusText.ts';
import type { Terminal } from '../ui/terminal.ts';
import { resultOf } from './runs.ts';
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
  const done: Job[] = [];
  for (const [index, job] of jobs.entries()) {
    terminal.note(terminal.paintNote('bold', `#${index} of ${jobs.length}: ${describe(job)}`));
    const code = await train(terminal, job.all, options, (runId) => done.push({ index, job, runId }));
    if (result === exitCodes.ok) result = code;
    if (code === exitCodes.interrupted) break;
  }
  if (options.detach !== true) await summarise(terminal, done, options);
  return result;
}

interface Job {
  readonly index: number;
  readonly job: SweepJob;
  readonly runId: string;
}

/** What came of each job, side by side: what a sweep was for. */
async function summarise(terminal: Terminal, jobs: readonly Job[], options: ConfigOptions): Promise<void> {
  const rows = await withEngine(options, ({ api }) =>
    Promise.all(jobs.map(async (job) => ({ ...job, run: await api['runs.get']({ runId: job.runId }) }))),
  );
  terminal.print(
    formatTable(rows, [
      { title: 'JOB', cell: ({ index }) => `#${index}`, align: 'right' },
      { title: 'RUN', cell: ({ runId }) => runId },
      { title: 'STATUS', cell: ({ run }) => statusText(terminal, run.status) },
      { title: 'RESULT', cell: ({ run }) => resultOf(run) },
      { title: 'OVERRIDES', cell: ({ job }) => describe(job) },
    ]),
  );
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
