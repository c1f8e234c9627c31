import { EngineError } from '../../api/errors.ts';
import type { LaunchPreview } from '../../api/launchModel.ts';
import { systemClock } from '../../base/clock.ts';
import type { FollowedEnd } from '../../service/index.ts';
import { type ExitCode, exitCodes } from '../exitCodes.ts';
import { withEngine } from '../openEngine.ts';
import type { ConfigOptions, LaunchFlags } from '../options.ts';
import { formatDuration, formatMetric } from '../ui/format.ts';
import { ProgressLine } from '../ui/progressLine.ts';
import { statusText } from '../ui/statusText.ts';
import type { Terminal } from '../ui/terminal.ts';
import { launchRequest } from './launchRequest.ts';

type TrainOptions = ConfigOptions & LaunchFlags;

/** `train`: starts a run and watches it to its end. */
export async function train(
  terminal: Terminal,
  overrides: readonly string[],
  options: TrainOptions,
): Promise<ExitCode> {
  const { followInForeground } = await import('../../service/index.ts');
  return withEngine(options, async ({ api }) => {
    const project = await api['project.current']({});
    const request = launchRequest(project, overrides, options);
    const preview = await api['launch.preview'](request);
    for (const warning of preview.warnings) terminal.warn(warning);
    if (options.dryRun) return showPreview(terminal, preview);
    const { runId } = await api['launch.start'](request);
    const run = await api['runs.get']({ runId });
    terminal.note(`Run ${terminal.paintNote('bold', runId)}  ${run.name}  on ${run.devices.join(', ')}`);
    terminal.note(terminal.paintNote('dim', run.expDir));
    if (options.detach) {
      terminal.print(runId);
      return exitCodes.ok;
    }
    const end = await watch(terminal, followInForeground, run.expDir);
    const [finished, keys] = [await api['runs.get']({ runId }), await api['metrics.keys']({ runId })];
    const took = formatDuration((finished.endedAt ?? Date.now()) - (finished.startedAt ?? finished.createdAt));
    terminal.note(`${statusText(terminal, end.status)} after ${took}${end.error ? `: ${end.error}` : ''}`);
    for (const key of keys.filter(({ key }) => key.startsWith('val/') || key === 'train/loss')) {
      const best = key.key === finished.monitor?.key && finished.monitor.best !== undefined;
      terminal.print(
        `${key.key} ${formatMetric(key.lastValue)}${best ? `  (best ${formatMetric(finished.monitor?.best ?? Number.NaN)})` : ''}`,
      );
    }
    return exitCodeOfRun(end);
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

type Follow = typeof import('../../service/index.ts')['followInForeground'];

/** Shows progress and the first process's output until the run ends. */
async function watch(
  terminal: Terminal,
  follow: Follow,
  expDir: string,
): Promise<FollowedEnd & { interrupted: boolean }> {
  const progress = new ProgressLine(terminal, systemClock);
  let interrupted = false;
  const end = await follow(
    expDir,
    {
      onProgress: (state) => progress.show(state),
      onLog: (file, text) => {
        // Other ranks say much the same; their logs are in the folder.
        if (file === 'rank0.log') terminal.print(withoutTimes(text));
      },
    },
    {
      onSignal: (what) => {
        interrupted = true;
        terminal.note(
          what === 'stop'
            ? 'Saving and stopping; Ctrl-C again ends it at once.'
            : 'Ending at once; nothing more is saved.',
        );
      },
    },
  );
  progress.end();
  return { ...end, interrupted };
}

/** Lines as the process printed them: the times of the log file are of no use while they happen. */
function withoutTimes(text: string): string {
  return text.replace(/\n$/, '').replaceAll(/^\d{4}-\d\d-\d\dT[\d:.]+Z /gm, '');
}

function exitCodeOfRun(end: FollowedEnd & { readonly interrupted: boolean }): ExitCode {
  if (end.interrupted && end.status !== 'failed') return exitCodes.interrupted;
  return end.status === 'completed' || end.status === 'stopped' ? exitCodes.ok : exitCodes.failed;
}
