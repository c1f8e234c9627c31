import type { EngineApi, OutputOf } from '../../api/contract.ts';
import type { CheckpointInfo, RunDetail } from '../../api/runModel.ts';
import { systemClock } from '../../base/clock.ts';
import { formatDuration } from '../../base/format.ts';
import type { FollowedEnd } from '../../service/index.ts';
import { type ExitCode, exitCodes } from '../exitCodes.ts';
import { formatMetric } from '../ui/format.ts';
import { ProgressLine } from '../ui/progressLine.ts';
import { statusText } from '../ui/statusText.ts';
import type { Terminal } from '../ui/terminal.ts';

type Started = Pick<OutputOf<'launch.start'>, 'runId' | 'logsFrom'>;

/** Says what was started and watches it to its end; with `isDetached` only prints its id. */
export async function watchRun(
  terminal: Terminal,
  api: EngineApi,
  { runId, logsFrom }: Started,
  isDetached: boolean,
): Promise<ExitCode> {
  const run = await api['runs.get']({ runId });
  terminal.note(`Run ${terminal.paintNote('bold', runId)}  ${run.name}  on ${run.devices.join(', ')}`);
  terminal.note(terminal.paintNote('dim', run.expDir));
  if (isDetached) {
    terminal.print(runId);
    return exitCodes.ok;
  }
  const { followInForeground } = await import('../../service/index.ts');
  const end = await watch(terminal, followInForeground, run.expDir, {
    logsFrom,
    onSlowStop: (leftMs) => void sayThatItIsSlow(terminal, api, run, leftMs),
  });
  const [finished, keys] = [await api['runs.get']({ runId }), await api['metrics.keys']({ runId })];
  const took = formatDuration((finished.endedAt ?? Date.now()) - (finished.startedAt ?? finished.createdAt));
  terminal.note(`${statusText(terminal, end.status)} after ${took}${reasonOf(end)}`);
  for (const key of keys.filter(({ key }) => key.startsWith('val/') || key === 'train/loss')) {
    const best = key.key === finished.monitor?.key && finished.monitor.best !== undefined;
    terminal.print(
      `${key.key} ${formatMetric(key.lastValue)}${best ? `  (best ${formatMetric(finished.monitor?.best ?? Number.NaN)})` : ''}`,
    );
  }
  if (end.status !== 'completed') await sayHowToGoOn(terminal, api, finished);
  return exitCodeOfRun(end);
}

async function newestCheckpoint(api: EngineApi, runId: string): Promise<CheckpointInfo | undefined> {
  const checkpoints = await api['checkpoints.list']({ runId });
  return checkpoints.filter(({ missing }) => !missing).sort((a, b) => b.step - a.step)[0];
}

/** It saves between two steps: a step, a batch or a validation that takes long, or never ends, is in the way. */
async function sayThatItIsSlow(terminal: Terminal, api: EngineApi, { id }: RunDetail, leftMs: number): Promise<void> {
  const newest = await newestCheckpoint(api, id);
  const kept =
    newest === undefined ? 'no checkpoint is kept then' : `${newest.path} (step ${newest.step}) is kept then`;
  terminal.note(
    `Still waiting for the end of a step, a batch or a validation, to save. Ctrl-C again ends it at once: ${kept}. In ${formatDuration(leftMs)} it is ended anyway.`,
  );
}

async function sayHowToGoOn(terminal: Terminal, api: EngineApi, { id, error }: RunDetail): Promise<void> {
  const newest = await newestCheckpoint(api, id);
  if (newest !== undefined) {
    terminal.note(
      `The newest checkpoint is ${newest.path} (step ${newest.step}). To go on: accelhydra runs resume ${id}`,
    );
  } else if (error === undefined) terminal.note('No step was trained, so there is no checkpoint.');
}

type Follow = typeof import('../../service/index.ts')['followInForeground'];

/** What the log above says at length is not said again. */
function reasonOf({ error, printed }: Watched): string {
  if (error === undefined) return '';
  const isAbove = error.includes('\n') && printed.includes(error);
  return isAbove ? '; the log above says why' : `: ${error}`;
}

interface Watched extends FollowedEnd {
  readonly interrupted: boolean;
  /** The end of the log that was shown. */
  readonly printed: string;
}

/** Shows progress and the first process's output until the run ends. */
async function watch(
  terminal: Terminal,
  follow: Follow,
  expDir: string,
  options: Pick<NonNullable<Parameters<Follow>[2]>, 'logsFrom' | 'onSlowStop'>,
): Promise<Watched> {
  const progress = new ProgressLine(terminal, systemClock);
  let interrupted = false;
  let printed = '';
  const end = await follow(
    expDir,
    {
      onProgress: (state) => progress.show(state),
      onLog: (file, text) => {
        // Other ranks say much the same; their logs are in the folder.
        if (file !== 'rank0.log') return;
        const lines = withoutTimes(text);
        terminal.print(lines);
        printed = `${printed}${lines}\n`.slice(-20_000);
      },
    },
    {
      ...options,
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
  return { ...end, interrupted, printed };
}

/** Lines as the process printed them: the times of the log file are of no use while they happen. */
function withoutTimes(text: string): string {
  return text.replace(/\n$/, '').replaceAll(/^\d{4}-\d\d-\d\dT[\d:.]+Z /gm, '');
}

function exitCodeOfRun(end: FollowedEnd & { readonly interrupted: boolean }): ExitCode {
  if (end.interrupted && end.status !== 'failed') return exitCodes.interrupted;
  return end.status === 'completed' || end.status === 'stopped' ? exitCodes.ok : exitCodes.failed;
}
