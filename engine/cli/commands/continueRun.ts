import type { InputOf } from '../../api/contract.ts';
import { EngineError } from '../../api/errors.ts';
import type { LaunchOptions } from '../../api/launch.ts';
import { type ExitCode, exitCodes } from '../exitCodes.ts';
import { withEngine } from '../openEngine.ts';
import type { ContinueFlags } from '../options.ts';
import type { Terminal } from '../ui/terminal.ts';
import { watchRun } from './watchRun.ts';

type Continue = 'runs.resume' | 'runs.branch';

/** `runs resume`: goes on in the run's own folder and watches it to its end. */
export function resumeRun(
  terminal: Terminal,
  name: string,
  overrides: readonly string[],
  options: ContinueFlags,
): Promise<ExitCode> {
  return goOn('runs.resume', terminal, name, overrides, options);
}

/** `runs branch`: begins a new run at a checkpoint of another one and watches it to its end. */
export function branchRun(
  terminal: Terminal,
  name: string,
  overrides: readonly string[],
  options: ContinueFlags,
): Promise<ExitCode> {
  return goOn('runs.branch', terminal, name, overrides, options);
}

function goOn(
  what: Continue,
  terminal: Terminal,
  name: string,
  overrides: readonly string[],
  options: ContinueFlags,
): Promise<ExitCode> {
  const { step, checkpoint } = options;
  if (step !== undefined && checkpoint !== undefined) {
    throw new EngineError('usage.option', 'Either --step or --checkpoint says where to go on from, not both.');
  }
  return withEngine(options, async ({ api, lookUpRun }) => {
    const request: InputOf<'runs.branch'> = {
      runId: lookUpRun(name),
      step,
      checkpoint,
      overrides: [...overrides],
      launch: launchOptions(options),
      ...(options.name === undefined ? {} : { name: options.name }),
    };
    const started = what === 'runs.branch' ? await api['runs.branch'](request) : await api['runs.resume'](request);
    const { runId, notes } = started;
    for (const note of notes) terminal.warn(note);
    if (options.json) {
      terminal.print(JSON.stringify({ runId }));
      return exitCodes.ok;
    }
    const { parent } = await api['runs.get']({ runId });
    if (what === 'runs.branch' && parent) {
      terminal.note(`A branch of ${parent.name} (${parent.runId}) at step ${parent.step}, ${parent.checkpoint}.`);
    }
    return watchRun(terminal, api, started, options.detach === true);
  });
}

/** Undefined where nothing was said: the run is spread as it was. */
function launchOptions(options: ContinueFlags): LaunchOptions | undefined {
  const given: LaunchOptions = {
    numProcesses: options.num_processes,
    useCpu: options.use_cpu ?? options.cpu,
    gpuIds: options.gpu_ids,
    threadsPerProcess: options.num_cpu_threads_per_process,
  };
  return Object.values(given).some((value) => value !== undefined) ? given : undefined;
}
