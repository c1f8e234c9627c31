import { EngineError } from '../../api/errors.ts';
import type { LaunchPreview } from '../../api/launchModel.ts';
import { type ExitCode, exitCodes } from '../exitCodes.ts';
import { withEngine } from '../openEngine.ts';
import type { ConfigOptions, LaunchFlags } from '../options.ts';
import type { Terminal } from '../ui/terminal.ts';
import { launchRequest } from './launchRequest.ts';
import { watchRun } from './watchRun.ts';

type TrainOptions = ConfigOptions & LaunchFlags;

/** `train`: starts a run, tells its id, and watches it to its end. */
export async function train(
  terminal: Terminal,
  overrides: readonly string[],
  options: TrainOptions,
  onStarted: (runId: string) => void = () => undefined,
): Promise<ExitCode> {
  return withEngine(options, async ({ api }) => {
    const project = await api['project.current']({});
    const request = launchRequest(project, overrides, options);
    const preview = await api['launch.preview'](request);
    for (const warning of preview.warnings) terminal.warn(warning);
    if (options.dryRun) {
      if (preview.problems.length === 0 && preview.resumeFrom !== undefined) await api['launch.plan'](request);
      return showPreview(terminal, preview);
    }
    const started = await api['launch.start'](request);
    onStarted(started.runId);
    for (const note of started.notes) terminal.warn(note);
    return watchRun(terminal, api, started, options.detach === true);
  });
}

/** `--dry-run`: what would be started, or what keeps it from starting. */
function showPreview(terminal: Terminal, preview: LaunchPreview): ExitCode {
  if (preview.problems.length > 0) throw new EngineError('usage.not-startable', preview.problems.join('\n'));
  terminal.print(preview.command);
  for (const { rank, device, threads } of preview.processes) {
    terminal.print(`  process ${rank} on ${device}, ${threads} ${threads === 1 ? 'thread' : 'threads'}`);
  }
  terminal.print(`  in ${preview.expDir}`);
  return exitCodes.ok;
}
