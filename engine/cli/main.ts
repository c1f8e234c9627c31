#!/usr/bin/env node
import { EngineError } from '../api/errors.ts';
import { exitCodeOf } from './exitCodes.ts';
import { runProgram } from './program.ts';
import { printError } from './ui/printError.ts';
import { Terminal } from './ui/terminal.ts';

const terminal = new Terminal({ stdout: process.stdout, stderr: process.stderr });
// `accelhydra runs list | head -1` closes the pipe early: that is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

const debug = process.argv.includes('--debug') || Boolean(process.env.ACCELHYDRA_DEBUG);
try {
  process.exitCode = await runProgram(process.argv.slice(2), terminal);
} catch (error) {
  terminal.clearStatus();
  // Whoever is told 'cancelled' asked for it.
  if (!EngineError.is(error, 'cancelled')) printError(terminal, error, debug);
  process.exitCode = exitCodeOf(error);
}
