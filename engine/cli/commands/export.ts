import { relative, resolve } from 'node:path';
import { formatBytes, formatCount } from '../../base/format.ts';
import { type ExitCode, exitCodes } from '../exitCodes.ts';
import { projectFolder } from '../openEngine.ts';
import type { Terminal } from '../ui/terminal.ts';
import { untilInterrupted } from '../untilInterrupted.ts';

export interface ExportOptions {
  readonly format: 'saved_model';
  readonly output?: string;
  readonly input_shape?: readonly number[];
  readonly input_dtype?: 'float32' | 'int32';
  readonly batch_size?: number;
  readonly ema: boolean;
  readonly overwrite?: boolean;
  readonly json?: boolean;
  readonly project?: string;
}

/** `export`: writes a checkpoint's model as a SavedModel and says what it takes and gives. */
export async function exportCheckpoint(terminal: Terminal, target: string, options: ExportOptions): Promise<ExitCode> {
  const { exportModel } = await import('../../service/exportModel.ts');
  return untilInterrupted(terminal, 'Stopping; nothing is written.', async (signal) => {
    const done = await exportModel({
      projectRoot: await projectFolder(options),
      target: resolve(target),
      output: options.output === undefined ? undefined : resolve(options.output),
      overwrite: options.overwrite ?? false,
      useEma: options.ema,
      inputShape: options.input_shape === undefined ? undefined : [...options.input_shape],
      inputType: options.input_dtype,
      batchSize: options.batch_size,
      onNote: (text) => terminal.note(terminal.paintNote('dim', text)),
      onOutput: (text) => terminal.note(text.replace(/\n$/, '')),
      signal,
    });
    if (options.json) {
      terminal.print(JSON.stringify(done, null, 2));
      return exitCodes.ok;
    }
    const port = ({ name, dtype, shape }: (typeof done.outputs)[number]) =>
      `${name} ${dtype}[${shape.map((size) => (size < 0 ? '?' : size)).join(', ')}]`;
    terminal.print(
      `SavedModel in ${shown(done.output)}: ${formatCount(done.operations)} operations, ${formatCount(done.parameters)} parameters, ${formatBytes(done.bytes)}`,
    );
    terminal.print(`serving_default: ${port(done.input)} → ${done.outputs.map(port).join(', ')}`);
    if (done.fixedBecause !== undefined) {
      terminal.print(`It takes batches of 1 only, because ${done.fixedBecause}; --batch_size gives another size.`);
    }
    terminal.print(`Loaded again, it differs from the model by at most ${done.difference.toExponential(1)}.`);
    return exitCodes.ok;
  });
}

function shown(folder: string): string {
  const path = relative(process.cwd(), folder);
  return path.startsWith('..') ? folder : path || '.';
}
