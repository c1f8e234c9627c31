import { type ExitCode, exitCodes } from './exitCodes.ts';
import type { Terminal } from './ui/terminal.ts';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/**
 * Does work that Ctrl-C ends in good order: the first one aborts its signal and says `note`, a second one ends the process
 * at once. Resolves to `interrupted` when the work failed because of it; other errors are passed on. The status line is
 * cleared in every case.
 */
export async function untilInterrupted(
  terminal: Terminal,
  note: string,
  work: (signal: AbortSignal) => Promise<ExitCode>,
): Promise<ExitCode> {
  const controller = new AbortController();
  const onSignal = () => {
    if (controller.signal.aborted) process.exit(exitCodes.interrupted);
    terminal.note(`${note} Ctrl-C again ends it at once.`);
    controller.abort();
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  try {
    return await work(controller.signal);
  } catch (error) {
    if (controller.signal.aborted) return exitCodes.interrupted;
    throw error;
  } finally {
    terminal.clearStatus();
    for (const signal of SIGNALS) process.off(signal, onSignal);
  }
}
