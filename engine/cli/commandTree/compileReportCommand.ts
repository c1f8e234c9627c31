import type { Command } from 'commander';
import type { CompileReportOptions } from '../commands/compileReport.ts';
import type { Terminal } from '../ui/terminal.ts';
import type { Finish } from './finish.ts';
import { addProcessOptions, addSourceOptions } from './sharedOptions.ts';
import { examples, positiveInteger } from './valueParsers.ts';

export function addCompileReport(program: Command, terminal: Terminal, finish: Finish): void {
  const command = program
    .command('compile-report')
    .summary('how the training step compiles: graphs, constants, time per step both ways')
    .description(
      'Train some steps one operation at a time and some compiled, in a process of its own that leaves no run behind, and say which steps became graphs or why not, what the graphs hold, and how long a step takes both ways. Writes the graphs for Netron and TensorBoard.',
    )
    .argument('[overrides...]', 'Hydra overrides')
    .option('--steps <count>', 'steps of each of the two trainings', positiveInteger, 40)
    .option('--output <dir>', 'folder for the graphs', 'compile-report')
    .option('--json', 'as JSON, for programs')
    .addHelpText(
      'after',
      examples([
        ['accelhydra compile-report', 'of the default config'],
        ['accelhydra compile-report +experiment=char_lm --steps 100 --output graphs', ''],
      ]),
    );
  addSourceOptions(command);
  addProcessOptions(command);
  command.action(async (overrides: string[], options: CompileReportOptions) => {
    const { compileReport } = await import('../commands/compileReport.ts');
    finish(await compileReport(terminal, overrides, options));
  });
}
