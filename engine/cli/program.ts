import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { EngineError } from '../api/errors.ts';
import { normalizeArguments } from './arguments.ts';
import { addCompileReport } from './commandTree/compileReportCommand.ts';
import { addCompletion } from './commandTree/completionCommands.ts';
import { addExport } from './commandTree/exportCommand.ts';
import type { Finish } from './commandTree/finish.ts';
import { addMachine, addProject } from './commandTree/machineCommands.ts';
import { addRuns } from './commandTree/runCommands.ts';
import {
  addInfer,
  addLaunch,
  addPlan,
  addSchema,
  addTrain,
  addVerify,
  addWhy,
} from './commandTree/trainingCommands.ts';
import { type ExitCode, exitCodes } from './exitCodes.ts';
import type { Terminal } from './ui/terminal.ts';

/**
 * Parses a command line and runs its command; gives the exit code. Every command's code is loaded only when it runs, so
 * that help and version cost nothing. Throws EngineErrors (`usage.…` for a wrong command line).
 */
export async function runProgram(argv: readonly string[], terminal: Terminal): Promise<ExitCode> {
  let code: ExitCode = exitCodes.ok;
  const program = createProgram(terminal, (result) => {
    code = result;
  });
  const commands = [program, ...descendants(program)];
  const longOptions = commands.flatMap((command) => command.options.flatMap((option) => option.long ?? []));
  try {
    await program.parseAsync(normalizeArguments(argv, longOptions), { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return exitCodes.ok; // help or version was shown
    throw usageError(error);
  }
  return code;
}

/** The tree of commands and options. */
export function createProgram(terminal: Terminal, finish: Finish): Command {
  const program = new Command('accelhydra')
    .description('Compose, launch, watch and question training runs.')
    .version(version(), '-V, --version', 'print the version')
    .option('--debug', 'show the stack, code and details of a failure')
    .enablePositionalOptions()
    .addHelpText(
      'after',
      `\nExit codes: 0 fine, 1 the run failed, 2 wrong usage or config, 3 the machine cannot do it, 130 interrupted.`,
    );
  addTrain(program, terminal, finish);
  addPlan(program, terminal, finish);
  addCompileReport(program, terminal, finish);
  addLaunch(program, (argv) => runProgram(argv, terminal), finish);
  addInfer(program, terminal, finish);
  addExport(program, terminal, finish);
  addVerify(program, terminal, finish);
  addWhy(program, terminal, finish);
  addSchema(program, terminal, finish);
  addRuns(program, terminal, finish);
  addMachine(program, terminal, finish);
  addProject(program, terminal, finish);
  addCompletion(program, terminal, finish);
  for (const command of [program, ...descendants(program)]) {
    command
      .exitOverride()
      .allowExcessArguments(false)
      .configureOutput({ writeOut: (text) => terminal.printRaw(text), writeErr: () => undefined })
      .configureHelp({ sortSubcommands: false, showGlobalOptions: false });
  }
  return program;
}

function usageError(error: CommanderError): EngineError {
  const message = error.message.replace(/^error: /, '');
  const sentence = message.charAt(0).toUpperCase() + message.slice(1);
  return new EngineError(
    'usage.arguments',
    `${sentence}\n'accelhydra --help' lists the commands, 'accelhydra COMMAND --help' their options.`,
  );
}

function descendants(command: Command): Command[] {
  return command.commands.flatMap((child) => [child, ...descendants(child)]);
}

function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  const { version } = JSON.parse(text) as { readonly version: string };
  return version;
}
