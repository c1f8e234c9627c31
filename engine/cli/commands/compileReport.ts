import { relative, resolve } from 'node:path';
import { formatBytes, formatCount } from '../../base/format.ts';
import type { CompileReport, GraphReport } from '../../service/compileReport.ts';
import { type ExitCode, exitCodes } from '../exitCodes.ts';
import { projectFolder } from '../openEngine.ts';
import type { ConfigOptions, LaunchFlags } from '../options.ts';
import type { Terminal } from '../ui/terminal.ts';
import { untilInterrupted } from '../untilInterrupted.ts';
import { launchRequest } from './launchRequest.ts';

export interface CompileReportOptions extends ConfigOptions, LaunchFlags {
  readonly steps: number;
  readonly output: string;
  readonly json?: boolean;
}

const shownKinds = 8;
const shownConstants = 8;

/** `compile-report`: which steps of a training run as graphs, and what that brings. */
export async function compileReport(
  terminal: Terminal,
  overrides: readonly string[],
  options: CompileReportOptions,
): Promise<ExitCode> {
  const service = await import('../../service/compileReport.ts');
  return untilInterrupted(terminal, 'Stopping; nothing is written.', async (signal) => {
    const report = await service.compileReport({
      projectRoot: await projectFolder(options),
      launch: (project) => launchRequest(project, overrides, options),
      steps: options.steps,
      output: resolve(options.output),
      onNote: (text) => terminal.note(terminal.paintNote('dim', text)),
      signal,
    });
    terminal.clearStatus();
    if (options.json) terminal.print(JSON.stringify(report, null, 2));
    else print(terminal, report);
    return exitCodes.ok;
  });
}

function print(terminal: Terminal, report: CompileReport): void {
  const { graphs, refusal, eagerMs, compiledMs } = report;
  const count = graphs.length === 1 ? 'one graph' : `${graphs.length} graphs`;
  if (refusal !== undefined) {
    const place = refusal.place === undefined ? '' : ` (${refusal.place})`;
    terminal.print(`${terminal.paint('red', 'not compiled')}: ${refusal.reason}${place}`);
  } else if (graphs.length === 0) {
    terminal.print(`${terminal.paint('red', 'not compiled')}: no graph was made in ${report.steps} steps`);
  } else {
    terminal.print(`${terminal.paint('green', 'compiled')}: training_step runs as ${count}`);
  }
  if (report.mode === false) terminal.print('trainer.compile is false: the training itself runs eagerly');
  for (const note of report.notes) terminal.print(`  ${note}`);
  graphs.forEach((graph, i) => {
    printGraph(terminal, graph, i + 1);
  });
  const time = (milliseconds: number) => `${milliseconds.toPrecision(3)} ms`;
  terminal.print(
    compiledMs === undefined
      ? `\nA step takes ${time(eagerMs)}, one operation at a time.`
      : `\nA step takes ${time(eagerMs)} one operation at a time, ${time(compiledMs)} compiled: ${(eagerMs / compiledMs).toFixed(2)} times as fast (medians, the better of two trainings each, data included).`,
  );
  if (report.logdir !== undefined) {
    terminal.print(`Graphs for Netron: ${graphs.map(({ file }) => shown(file)).join(', ')}`);
    terminal.print(`For TensorBoard: tensorboard --logdir ${shown(report.logdir)}`);
  }
}

function printGraph(terminal: Terminal, graph: GraphReport, number: number): void {
  const { constants, kinds, optimised } = graph;
  const line = (text: string) => terminal.print(`  ${text}`);
  terminal.print(`\n${terminal.paint('bold', `Graph ${number}`)} for batches of ${graph.signature}`);
  line(
    `parts       ${graph.parts.join(', ')}; the step's JavaScript ${graph.isHost ? `runs beside it${graph.hostWhy === undefined ? '' : `: ${graph.hostWhy}`}` : 'does not run any more'}`,
  );
  line(
    `operations  ${formatCount(graph.recorded)} recorded, ${formatCount(graph.operations)} in the graph, ${formatCount(graph.nodes)} nodes with variables, constants and feeds`,
  );
  line(`most often  ${listed(kinds.slice(0, shownKinds))}`);
  if (optimised !== undefined) {
    const fused = optimised.kinds.filter(({ op }) => op.startsWith('_Fused') || op.startsWith('_Mkl'));
    line(
      `optimised   ${formatCount(optimised.operations)} operations as TensorFlow runs it${fused.length === 0 ? '' : `: ${listed(fused)}`}`,
    );
  }
  line(
    `constants   ${formatCount(constants.count)}, ${formatBytes(constants.bytes)}; ${formatCount(graph.varying)} more are fed at each step`,
  );
  for (const { place, count, bytes } of constants.own.slice(0, shownConstants))
    line(`            ${count} from ${place}, ${formatBytes(bytes)}`);
  if (constants.own.length > shownConstants)
    line(`            and from ${constants.own.length - shownConstants} more lines`);
  line(`made in     ${(graph.milliseconds / 1000).toFixed(2)} s`);
}

function listed(kinds: GraphReport['kinds']): string {
  return kinds.map(({ op, count }) => `${op} ${count}`).join(', ');
}

function shown(file: string): string {
  const path = relative(process.cwd(), file);
  return path.startsWith('..') ? file : path || '.';
}
