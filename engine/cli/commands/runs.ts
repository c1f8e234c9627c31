import { createInterface } from 'node:readline/promises';
import { EngineError } from '../../api/errors.ts';
import { type RunDetail, RunStatus, type RunSummary, taskOverrides } from '../../api/runModel.ts';
import { didYouMean } from '../../base/nearest.ts';
import { type ExitCode, exitCodes } from '../exitCodes.ts';
import { type ProjectOption, withEngine } from '../openEngine.ts';
import { formatMetric, formatTable, formatTime } from '../ui/format.ts';
import { statusText } from '../ui/statusText.ts';
import type { Terminal } from '../ui/terminal.ts';
import { describeRun, took } from './describeRun.ts';

interface Options extends ProjectOption {
  readonly json?: boolean;
}

/** `runs list`: newest first, with what a person looks for first. */
export async function listRuns(
  terminal: Terminal,
  words: readonly string[],
  options: Options & { readonly status?: readonly string[]; readonly limit: number },
): Promise<ExitCode> {
  const statuses = options.status?.map(parseStatus);
  return withEngine(options, async ({ api }) => {
    const { runs, total } = await api['runs.list']({ statuses, search: words.join(' '), limit: options.limit });
    if (options.json) terminal.print(JSON.stringify({ runs, total }, jsonNumbers, 2));
    else if (runs.length === 0) terminal.note(noRuns(words.length > 0 || statuses !== undefined));
    else {
      terminal.print(runTable(terminal, runs));
      if (total > runs.length) terminal.note(`${runs.length} of ${total}; --limit shows more.`);
    }
    return exitCodes.ok;
  });
}

/** `runs show`: one run with its last metrics and its checkpoints. */
export async function showRun(
  terminal: Terminal,
  name: string,
  options: Options & { readonly config?: boolean },
): Promise<ExitCode> {
  return withEngine(options, async ({ api, lookUpRun }) => {
    const runId = lookUpRun(name);
    const run = await api['runs.get']({ runId });
    const [metrics, media, checkpoints] = await Promise.all([
      api['metrics.keys']({ runId }),
      api['media.keys']({ runId }),
      api['checkpoints.list']({ runId }),
    ]);
    if (options.json) terminal.print(JSON.stringify({ ...run, metrics, media, checkpoints }, jsonNumbers, 2));
    else if (options.config) terminal.printRaw(run.configYaml);
    else terminal.print(describeRun(terminal, run, { metrics, media, checkpoints }));
    return exitCodes.ok;
  });
}

/** `runs rm`: rows, and folders when asked; asks first where a person can answer. */
export async function removeRuns(
  terminal: Terminal,
  names: readonly string[],
  options: Options & { readonly folder?: boolean; readonly yes?: boolean },
): Promise<ExitCode> {
  return withEngine(options, async ({ api, lookUpRun }) => {
    const ids = [...new Set(names.map(lookUpRun))];
    const runs = await Promise.all(ids.map((runId) => api['runs.get']({ runId })));
    if (!options.yes) await confirm(terminal, runs, options.folder === true);
    for (const run of runs) {
      await api['runs.remove']({ runId: run.id, deleteFolder: options.folder === true });
      terminal.note(
        options.folder ? `Removed ${run.id} and ${run.expDir}.` : `Removed ${run.id}; its folder stays: ${run.expDir}`,
      );
    }
    if (options.json) terminal.print(JSON.stringify({ removed: ids }));
    return exitCodes.ok;
  });
}

/** `runs stop`: asks the launcher; the run ends on its own time. */
export async function stopRun(
  terminal: Terminal,
  name: string,
  options: Options & { readonly kill?: boolean },
): Promise<ExitCode> {
  return withEngine(options, async ({ api, lookUpRun }) => {
    const runId = lookUpRun(name);
    await api['runs.stop']({ runId, mode: options.kill ? 'kill' : 'stop' });
    if (options.json) terminal.print(JSON.stringify({ runId }));
    else
      terminal.note(
        options.kill ? `Run ${runId} is being ended.` : `Run ${runId} saves and ends; --kill ends it at once.`,
      );
    return exitCodes.ok;
  });
}

/** `runs scan`: brings the list in line with the folders. */
export async function scanRuns(terminal: Terminal, options: Options): Promise<ExitCode> {
  return withEngine(options, async ({ api }) => {
    const report = await api['runs.scan']({});
    if (options.json) terminal.print(JSON.stringify(report, null, 2));
    else {
      terminal.print(`${report.added.length} found, ${report.missing.length} without a folder.`);
      for (const id of report.added) terminal.print(`  found    ${id}`);
      for (const id of report.missing) terminal.print(`  missing  ${id}`);
      for (const { folder, message } of report.problems) terminal.warn(`${folder}: ${message}`);
    }
    return exitCodes.ok;
  });
}

function runTable(terminal: Terminal, runs: readonly RunSummary[]): string {
  return formatTable(runs, [
    { title: 'ID', cell: (run) => run.id },
    { title: 'NAME', cell: (run) => cut(run.name, 40) },
    { title: 'STATUS', cell: (run) => statusText(terminal, run.status) + (run.folderMissing ? ' (folder gone)' : '') },
    { title: 'STARTED', cell: (run) => formatTime(run.startedAt ?? run.createdAt) },
    { title: 'TOOK', cell: took, align: 'right' },
    {
      title: 'STEP',
      cell: (run) => (run.progress ? `${run.progress.step}/${run.progress.totalSteps}` : ''),
      align: 'right',
    },
    { title: 'RESULT', cell: resultOf },
    { title: 'OVERRIDES', cell: (run) => cut(taskOverrides(run).join(' '), 60) },
  ]);
}

function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}

/** What came of a run, as its monitored metric or its loss says. */
export function resultOf(run: RunSummary): string {
  if (run.monitor?.best !== undefined) return `best ${run.monitor.key} ${formatMetric(run.monitor.best)}`;
  const loss = run.lastMetrics['train/loss'];
  return loss === undefined ? '' : `train/loss ${formatMetric(loss)}`;
}

async function confirm(terminal: Terminal, runs: readonly RunDetail[], deletesFolders: boolean): Promise<void> {
  const what = runs
    .map((run) => (deletesFolders ? `  ${run.id}  ${run.expDir}` : `  ${run.id}  ${run.name}`))
    .join('\n');
  const question = deletesFolders
    ? 'Delete these runs with everything in their folders?'
    : 'Remove these runs from the list?';
  if (!process.stdin.isTTY || !terminal.isInteractive) {
    throw new EngineError('usage.unconfirmed', `Nobody can be asked here. Add --yes to remove:\n${what}`);
  }
  const reader = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await reader.question(`${what}\n${question} [y/N] `).finally(() => reader.close());
  if (!/^y(es)?$/i.test(answer.trim())) throw new EngineError('cancelled', 'Nothing was removed.');
}

function parseStatus(text: string): RunStatus {
  const parsed = RunStatus.safeParse(text);
  if (parsed.success) return parsed.data;
  const known = RunStatus.options;
  throw new EngineError(
    'usage.status',
    `There is no status '${text}'.${didYouMean(text, known)} There are ${known.join(', ')}.`,
  );
}

function noRuns(isFiltered: boolean): string {
  return isFiltered ? 'No run matches.' : "There is no run yet. 'accelhydra train' starts one.";
}

/** JSON has no NaN and no infinities: they are written as their names. */
function jsonNumbers(_key: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
}
