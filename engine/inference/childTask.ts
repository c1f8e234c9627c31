import { EngineError } from '../api/errors.ts';
import type { ForkSession } from './forkPort.ts';

export interface ChildTask<Done> {
  readonly fork: ForkSession;
  readonly module: string;
  readonly folder: string;
  /** The child's first message. */
  readonly start: object;
  /** What the task is called where it is lost: "The inference". */
  readonly title: string;
  /** Reads a message; gives the outcome where it is one. */
  readonly onMessage: (raw: unknown) => Done | EngineError | undefined;
  /** Lines that the project's code prints. */
  readonly onOutput?: ((text: string) => void) | undefined;
  /** Fires to end early; nothing is written then. */
  readonly signal?: AbortSignal | undefined;
  /** From the signal until the process is ended the hard way; 5 s unless given. */
  readonly stopLimitMs?: number | undefined;
}

/**
 * Runs one task in a process of its own and waits for its end. Throws what went wrong there, 'inference.stopped' after the
 * signal, 'inference.process-died' when the process was lost.
 */
export async function runChildTask<Done extends object>(task: ChildTask<Done>): Promise<Done> {
  const { fork, module, folder, start, title, onOutput, signal, stopLimitMs = 5000 } = task;
  const child = fork({ module, folder, environment: {} });
  let outcome: Done | EngineError | undefined;
  let lastWords = '';
  const hear = (chunk: unknown): void => {
    lastWords = `${lastWords}${String(chunk)}`.slice(-2000);
    onOutput?.(String(chunk));
  };
  child.stdout?.on('data', hear);
  child.stderr?.on('data', hear);
  child.on('message', (raw) => {
    outcome = task.onMessage(raw) ?? outcome;
  });
  const exited = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(`could not be started: ${error.message}`));
    child.once('exit', (code, name) =>
      resolve(name === null ? `ended with exit code ${code}` : `was ended by ${name}`),
    );
  });

  let limit: NodeJS.Timeout | undefined;
  const stop = (): void => {
    if (child.connected) child.send({ type: 'stop' }, () => undefined);
    limit = setTimeout(() => child.kill('SIGKILL'), stopLimitMs);
  };
  if (signal?.aborted) stop();
  signal?.addEventListener('abort', stop, { once: true });
  child.send(start, () => undefined);
  const how = await exited;
  signal?.removeEventListener('abort', stop);
  clearTimeout(limit);

  if (outcome instanceof EngineError) throw outcome;
  if (outcome !== undefined) return outcome;
  if (signal?.aborted) throw new EngineError('inference.stopped', `${title} was stopped; nothing was written.`);
  throw new EngineError('inference.process-died', `${title} process ${how}.\n${lastWords.trim()}`.trim());
}
