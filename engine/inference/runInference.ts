import { fileURLToPath } from 'node:url';
import { deserializeError, EngineError } from '../api/errors.ts';
import { type BatchDone, BatchMessage, type BatchStart } from './batchProtocol.ts';
import type { ForkSession } from './forkPort.ts';

export interface RunInferenceRequest extends Omit<BatchStart, 'type'> {
  readonly fork: ForkSession;
  readonly onProgress?: (done: number, total: number | undefined) => void;
  /** Told what was decided on the way: backend, checkpoint, choices taken from the run. */
  readonly onNote?: (text: string) => void;
  /** Lines that the project's code prints. */
  readonly onOutput?: (text: string) => void;
  /** Fires to end early; nothing is written then. */
  readonly signal?: AbortSignal;
  /** From the signal until the process is ended the hard way; 5 s unless given. */
  readonly stopLimitMs?: number;
}

/**
 * Runs a checkpoint over a data split in a process of its own and waits for the end: predictions.jsonl and metrics.json
 * lie in the result's outputDir. Throws what went wrong there (`config.…`, `checkpoint.…`, `inference.…`,
 * `instantiate.…`), 'inference.stopped' after the signal, 'inference.process-died' when the process was lost.
 */
export async function runInference(request: RunInferenceRequest): Promise<BatchDone> {
  const { fork, onProgress, onNote, onOutput, signal, stopLimitMs = 5000, ...start } = request;
  const module = fileURLToPath(new URL('batchMain.ts', import.meta.url));
  const child = fork({ module, folder: start.projectRoot, environment: {} });
  let outcome: BatchDone | EngineError | undefined;
  let lastWords = '';
  const hear = (chunk: unknown): void => {
    lastWords = `${lastWords}${String(chunk)}`.slice(-2000);
    onOutput?.(String(chunk));
  };
  child.stdout?.on('data', hear);
  child.stderr?.on('data', hear);
  child.on('message', (raw) => {
    const message = BatchMessage.safeParse(raw).data;
    if (message?.type === 'note') onNote?.(message.text);
    if (message?.type === 'progress') onProgress?.(message.done, message.total);
    if (message?.type === 'done') outcome = message.result;
    if (message?.type === 'failed') outcome = deserializeError(message.failure);
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
  child.send({ ...start, type: 'start' }, () => undefined);
  const how = await exited;
  signal?.removeEventListener('abort', stop);
  clearTimeout(limit);

  if (outcome instanceof EngineError) throw outcome;
  if (outcome !== undefined) return outcome;
  if (signal?.aborted) throw new EngineError('inference.stopped', 'The inference was stopped; nothing was written.');
  throw new EngineError('inference.process-died', `The inference process ${how}.\n${lastWords.trim()}`.trim());
}
