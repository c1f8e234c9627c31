import { relative } from 'node:path';
import { formatCount, formatDuration } from '../../base/format.ts';
import { type ExitCode, exitCodes } from '../exitCodes.ts';
import { projectFolder } from '../openEngine.ts';
import type { SourceOptions } from '../options.ts';
import { formatMetric } from '../ui/format.ts';
import type { Terminal } from '../ui/terminal.ts';
import { untilInterrupted } from '../untilInterrupted.ts';
import { searchPathOf } from './searchPath.ts';

/** `infer`: runs a checkpoint over a data split and prints the metrics; Ctrl-C ends it and nothing is written. */
export async function infer(
  terminal: Terminal,
  overrides: readonly string[],
  options: SourceOptions,
): Promise<ExitCode> {
  const { inferOverData } = await import('../../service/index.ts');
  return untilInterrupted(terminal, 'Stopping; nothing is written.', async (signal) => {
    const result = await inferOverData({
      root: await projectFolder(options),
      configName: options.configName,
      overrides: [...overrides],
      searchPath: (configDir) => searchPathOf(configDir, options),
      onProgress: (done, total) =>
        terminal.status(`${formatCount(done)}${total === undefined ? '' : `/${formatCount(total)}`} samples`),
      onNote: (text) => terminal.note(terminal.paintNote('dim', text)),
      onOutput: (text) => terminal.note(text.replace(/\n$/, '')),
      signal,
    });
    terminal.clearStatus();
    terminal.note(
      `${formatCount(result.samples)} samples in ${formatDuration(result.elapsedMs)}; results in ${relative(process.cwd(), result.outputDir) || '.'}`,
    );
    for (const [name, value] of Object.entries(result.metrics)) terminal.print(`${name} ${formatMetric(value)}`);
    return exitCodes.ok;
  });
}
