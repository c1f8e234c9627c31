import { fileURLToPath } from 'node:url';
import { deserializeError } from '../api/errors.ts';
import type { ForkChild } from '../process/childPort.ts';
import { runChildTask } from '../process/childTask.ts';
import { type BatchDone, BatchMessage, type BatchStart } from './batchProtocol.ts';

export interface RunInferenceRequest extends Omit<BatchStart, 'type'> {
  readonly fork: ForkChild;
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
  return runChildTask<BatchDone>({
    fork,
    module: fileURLToPath(new URL('batchMain.ts', import.meta.url)),
    folder: start.projectRoot,
    environment: {},
    start: { ...start, type: 'start' },
    title: 'The inference process',
    lostCode: 'inference.process-died',
    stopped: { code: 'inference.stopped', message: 'The inference was stopped; nothing was written.' },
    onMessage: (raw) => {
      const message = BatchMessage.safeParse(raw).data;
      if (message?.type === 'note') onNote?.(message.text);
      if (message?.type === 'progress') onProgress?.(message.done, message.total);
      if (message?.type === 'done') return message.result;
      return message?.type === 'failed' ? deserializeError(message.failure) : undefined;
    },
    onOutput,
    signal,
    stopLimitMs,
  });
}
