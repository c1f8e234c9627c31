import { relative, resolve } from 'node:path';
import { type Difference, isVerified, type VerifyReport } from '../../api/verifyModel.ts';
import { type ExitCode, exitCodes } from '../exitCodes.ts';
import { projectFolder } from '../openEngine.ts';
import { formatBytes, formatCount } from '../ui/format.ts';
import type { Terminal } from '../ui/terminal.ts';

export interface VerifyOptions {
  readonly project?: string;
  readonly steps?: number;
  readonly json?: boolean;
}

/** `verify`: 0 when the checkpoint is intact and its steps come out the same, 1 when not. Ctrl-C ends the replay. */
export async function verify(terminal: Terminal, target: string, options: VerifyOptions): Promise<ExitCode> {
  const { verifyCheckpoint } = await import('../../service/index.ts');
  const controller = new AbortController();
  const onSignal = () => controller.abort();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, onSignal);
  try {
    const report = await verifyCheckpoint({
      target: resolve(target),
      projectRoot: await projectFolder(options),
      steps: options.steps,
      onPlan: ({ from, until }) =>
        terminal.note(
          `Doing steps ${formatCount(from.step)} to ${formatCount(until.step)} again, from ${shown(from.folder)}`,
        ),
      onProgress: ({ step }) => terminal.status(`step ${formatCount(step)}`),
      signal: controller.signal,
    });
    terminal.clearStatus();
    if (options.json) terminal.print(JSON.stringify(report, numbersByName, 2));
    else print(terminal, report);
    return isVerified(report) ? exitCodes.ok : exitCodes.failed;
  } finally {
    terminal.clearStatus();
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, onSignal);
  }
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
  if (report.replay !== undefined) terminal.print(`replay  ${replayText(report.replay, good, bad)}`);
  for (const note of report.notes) terminal.print(`        ${note}`);
}

type Paint = (text: string) => string;

function replayText(replay: NonNullable<VerifyReport['replay']>, good: Paint, bad: Paint): string {
  const { fromStep, toStep, compared, difference, against } = replay;
  const steps = toStep - fromStep;
  const what = `${steps} ${steps === 1 ? 'step' : 'steps'} (${formatCount(fromStep)} to ${formatCount(toStep)})`;
  if (difference !== undefined) return `${bad('differs')} within ${what}: ${differenceText(difference)}`;
  const points = compared.points === 0 ? '' : `${compared.points} logged values`;
  const contents = `${compared.tensors} tensors and ${compared.values} values of the state`;
  switch (replay.evidence) {
    case 'record':
      return `${good('identical')}: ${what} give the ${points} of the record, to the bit`;
    case 'second-replay':
      return `${good('identical')}: ${what} done twice give the same ${contents}; the run recorded nothing to compare with`;
    default:
      return `${good('identical')}: ${what} lead to ${against === undefined ? 'it' : shown(against)}, ${contents} to the bit${points === '' ? '' : `, and the ${points} of the record`}`;
  }
}

/** The first difference in words. */
function differenceText(difference: Difference): string {
  switch (difference.kind) {
    case 'metric':
      return `${difference.key} at step ${formatCount(difference.step)} was ${difference.recorded} and is ${difference.replayed} now${apart(difference.recorded, difference.replayed)}; ${counted(difference.points, 'logged value')} differ`;
    case 'tensor': {
      const { file, name, index, recorded, replayed, elements, size, largest, tensors } = difference;
      return `${name}[${index}] of ${file} was ${recorded} and is ${replayed} now${apart(recorded, replayed)}; ${formatCount(elements)} of its ${counted(size, 'element')} differ, by at most ${largest}; ${counted(tensors, 'tensor')} of the file differ`;
    }
    case 'layout':
      return `${difference.name === '' ? difference.file : `${difference.name} of ${difference.file}`}: ${difference.text}`;
    case 'state':
      return `${difference.path} of state.json was ${difference.recorded} and is ${difference.replayed} now`;
    case 'not-written':
      return `the replay did not write ${difference.path}`;
  }
}

function apart(recorded: number, replayed: number): string {
  return ` (${(replayed - recorded).toExponential(3)})`;
}

function counted(count: number, what: string): string {
  return `${formatCount(count)} ${what}${count === 1 ? '' : 's'}`;
}

function shown(folder: string): string {
  const path = relative(process.cwd(), folder);
  return path.startsWith('..') ? folder : path;
}

/** JSON has no NaN and no infinities: they are written as their names. */
function numbersByName(_key: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
}
