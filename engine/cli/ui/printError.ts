import { inspect } from 'node:util';
import { EngineError } from '../../api/errors.ts';
import type { Terminal } from './terminal.ts';

/**
 * Prints a failure for a person: what happened, where and what to do, as its message says; with `debug` also its code,
 * details, stack and causes. A failure that is no EngineError is a defect of ours and says so.
 */
export function printError(terminal: Terminal, error: unknown, debug: boolean): void {
  const label = terminal.paintNote(['red', 'bold'], 'error:');
  const message = error instanceof Error ? error.message : String(error);
  terminal.note(`${label} ${message || 'unknown failure'}`);
  if (debug) {
    if (error instanceof EngineError)
      terminal.note(terminal.paintNote('dim', `code: ${error.code}\n${inspect(error.details)}`));
    for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
      terminal.note(terminal.paintNote('dim', cause.stack ?? String(cause)));
    }
    return;
  }
  if (!(error instanceof EngineError)) {
    terminal.note('This is a defect of the program. Run the command again with --debug for the stack, and report it.');
  }
}
