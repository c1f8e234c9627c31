import { EngineError } from '../api/errors.ts';
import type { ChildStart, ForkChild } from './childPort.ts';
import { watchChild } from './watchChild.ts';

export interface ChildTask<Done> extends ChildStart {
  readonly fork: ForkChild;
  /** The child's first message. */
  readonly start: object;
  /** What the process is called where it is lost, and the error's code then: "The inference process". */
  readonly title: string;
  readonly lostCode: string;
  /** The error for who stopped it. */
  readonly stopped: { readonly code: string; readonly message: string };
  /** Reads a message; gives the outcome, or why there is none, where it is one. */
  readonly onMessage: (raw: unknown) => Done | EngineError | undefined;
  /** Lines that the project's code prints. */
  readonly onOutput?: ((text: string) => void) | undefined;
  /** Fires to end early. */
  readonly signal?: AbortSignal | undefined;
  /**
   * From the polite request to stop until the process is ended the hard way. A task that changes nothing gives 0: it is
   * ended at once.
   */
  readonly stopLimitMs: number;
}

/**
 * Runs one task in a process of its own and waits for its end. Throws the error it answers with, `stopped` after the
 * signal, and `lostCode` when the process was lost.
 */
export async function runChildTask<Done extends object>(task: ChildTask<Done>): Promise<Done> {
  const { fork, module, folder, environment, title, lostCode, onOutput, signal, stopLimitMs } = task;
  const stopped = () => new EngineError(task.stopped.code, task.stopped.message);
  if (signal?.aborted) throw stopped();
  const child = fork({ module, folder, environment });
  const watched = watchChild(child, onOutput);
  let outcome: Done | EngineError | undefined;
  child.on('message', (raw) => {
    outcome = task.onMessage(raw) ?? outcome;
  });

  let limit: NodeJS.Timeout | undefined;
  const kill = () => void child.kill('SIGKILL');
  const stop = (): void => {
    if (stopLimitMs === 0) kill();
    else {
      if (child.connected) child.send({ type: 'stop' }, () => undefined);
      limit = setTimeout(kill, stopLimitMs);
    }
  };
  signal?.addEventListener('abort', stop, { once: true });
  child.send(task.start, () => undefined);
  const how = await watched.ended;
  signal?.removeEventListener('abort', stop);
  clearTimeout(limit);

  if (outcome instanceof EngineError) throw outcome;
  if (outcome !== undefined) return outcome;
  if (signal?.aborted) throw stopped();
  throw new EngineError(lostCode, `${title} ${how}.\n${watched.lastWords()}`.trim());
}
