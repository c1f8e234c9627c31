import type { RunStatus } from '../../api/runModel.ts';
import type { Terminal } from './terminal.ts';

const styles = {
  starting: 'cyan',
  running: 'cyan',
  stopping: 'yellow',
  completed: 'green',
  stopped: 'yellow',
  failed: 'red',
  killed: 'red',
  lost: 'red',
} as const satisfies Record<RunStatus, string>;

/** A run's status in its colour; the word says the same without colours. */
export function statusText(terminal: Terminal, status: RunStatus): string {
  return terminal.paint(styles[status], status);
}
