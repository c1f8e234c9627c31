import type { Child } from './childPort.ts';

/** Enough of what a process printed to see why it died, in characters. */
const keptOutput = 4000;
/** Output that comes after the exit is waited for this long: a child of the child may keep the pipe open. */
const drainLimitMs = 1000;

export interface WatchedChild {
  /** How it ended, as the rest of a sentence: "ended with exit code 1". Never rejects. */
  readonly ended: Promise<string>;
  /** The end of what it printed. */
  lastWords(): string;
}

/** Follows a child's output and its end. */
export function watchChild(child: Child, onOutput?: (text: string) => void): WatchedChild {
  let output = '';
  const hear = (chunk: unknown): void => {
    output = `${output}${String(chunk)}`.slice(-keptOutput);
    onOutput?.(String(chunk));
  };
  child.stdout?.on('data', hear);
  child.stderr?.on('data', hear);
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(`could not be started: ${error.message}`));
    child.once('exit', (code, signal) => {
      const how = signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`;
      const timer = setTimeout(() => resolve(how), drainLimitMs);
      child.once('close', () => {
        clearTimeout(timer);
        resolve(how);
      });
    });
  });
  return { ended, lastWords: () => output.trim() };
}
