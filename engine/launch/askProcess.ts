import { EngineError } from '../api/errors.ts';
import { forkWorker, type WorkerFork } from './childProcess.ts';

/** Enough of what the process printed to see why it died. */
const keptOutput = 2000;

export interface ProcessQuestion<Answer> extends WorkerFork {
  /** The child's first message. */
  readonly start: object;
  /** Reads a message; gives the answer, or why there is none, where it is one. */
  readonly onMessage: (raw: unknown) => Answer | EngineError | undefined;
  /** The sentence for somebody who cancelled. */
  readonly cancelled: string;
  /** What the process is called where it is lost, and the error's code then. */
  readonly title: string;
  readonly lostCode: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Asks a process of its own one thing, which changes nothing, and waits for its end. Throws the error it answers with,
 * `cancelled` after the signal, and `lostCode` when the process was lost.
 */
export async function askProcess<Answer extends object>(question: ProcessQuestion<Answer>): Promise<Answer> {
  const { start, onMessage, cancelled, title, lostCode, signal, module, folder, environment } = question;
  const child = forkWorker({ module, folder, environment });
  let answer: Answer | EngineError | undefined;
  let output = '';
  const hear = (chunk: unknown): void => {
    output = `${output}${String(chunk)}`.slice(-keptOutput);
  };
  child.stdout?.on('data', hear);
  child.stderr?.on('data', hear);
  child.on('message', (raw) => {
    answer = onMessage(raw) ?? answer;
  });
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(`could not be started: ${error.message}`));
    child.once('exit', (code, name) =>
      resolve(name === null ? `ended with exit code ${code}` : `was ended by ${name}`),
    );
  });
  const kill = () => void child.kill('SIGKILL');
  signal?.addEventListener('abort', kill, { once: true });
  if (signal?.aborted) kill();
  else child.send(start, () => undefined);
  const how = await ended;
  signal?.removeEventListener('abort', kill);
  if (signal?.aborted) throw new EngineError('cancelled', cancelled);
  if (answer instanceof EngineError) throw answer;
  if (answer !== undefined) return answer;
  throw new EngineError(lostCode, `The ${title} process ${how}.\n${output.trim()}`.trim());
}
