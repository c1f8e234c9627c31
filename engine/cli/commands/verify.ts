import { relative, resolve } from 'node:path';
import { isVerified, type VerifyReport } from '../../api/verifyModel.ts';
import { describeReplay } from '../../api/verifyText.ts';
import { formatBytes, formatCount } from '../../base/format.ts';
import { type ExitCode, exitCodes } from '../exitCodes.ts';
import { projectFolder } from '../openEngine.ts';
import type { Terminal } from '../ui/terminal.ts';
import { untilInterrupted } from '../untilInterrupted.ts';

export interface VerifyOptions {
  readonly project?: string;
  readonly steps?: number;
  readonly json?: boolean;
}

/** `verify`: 0 when the checkpoint is intact and its steps come out the same, 1 when not. Ctrl-C ends the replay. */
export async function verify(terminal: Terminal, target: string, options: VerifyOptions): Promise<ExitCode> {
  const { verifyCheckpoint } = await import('../../service/index.ts');
  return untilInterrupted(terminal, 'Stopping; the run stays as it is.', async (signal) => {
    const report = await verifyCheckpoint({
      target: resolve(target),
      projectRoot: await projectFolder(options),
      steps: options.steps,
      onPlan: ({ from, until }) =>
        terminal.note(
          `Doing steps ${formatCount(from.step)} to ${formatCount(until.step)} again, from ${shown(from.folder)}`,
        ),
      onProgress: ({ step }) => terminal.status(`step ${formatCount(step)}`),
      signal,
    });
    terminal.clearStatus();
    if (options.json) terminal.print(JSON.stringify(report, numbersByName, 2));
    else print(terminal, report);
    return isVerified(report) ? exitCodes.ok : exitCodes.failed;
  });
}

function print(terminal: Terminal, report: VerifyReport): void {
  const good = (text: string) => terminal.paint('green', text);
  const bad = (text: string) => terminal.paint('red', text);
  terminal.print(`${shown(report.checkpoint)}  step ${formatCount(report.step)}, epoch ${formatCount(report.epoch)}`);
  if (report.damage !== undefined) {
    const next = report.damage.nextBest;
    terminal.print(`files   ${bad('damaged')}: ${report.damage.text}`);
    terminal.print(next === undefined ? 'The run has no other intact checkpoint.' : `The next best is ${shown(next)}.`);
    return;
  }
  const { count, bytes } = report.files;
  terminal.print(`files   ${good('intact')}: ${count} files, ${formatBytes(bytes)}, every hash as saved`);
  if (report.replay !== undefined) {
    const { verdict, text } = describeReplay(report.replay, shown);
    terminal.print(`replay  ${(verdict === 'identical' ? good : bad)(verdict)}${text}`);
  }
  for (const note of report.notes) terminal.print(`        ${note}`);
}

function shown(folder: string): string {
  const path = relative(process.cwd(), folder);
  return path.startsWith('..') ? folder : path;
}

/** JSON has no NaN and no infinities: they are written as their names. */
function numbersByName(_key: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
}
