import { fileURLToPath } from 'node:url';
import { deserializeError } from '../../api/errors.ts';
import type { ForkChild } from '../../process/childPort.ts';
import { runChildTask } from '../../process/childTask.ts';
import { type ExportDone, ExportMessage, type ExportStart } from './exportProtocol.ts';

export interface RunExportRequest extends Omit<ExportStart, 'type'> {
  readonly fork: ForkChild;
  /** Told what was decided on the way: backend, checkpoint. */
  readonly onNote?: (text: string) => void;
  /** Lines that the project's code prints. */
  readonly onOutput?: (text: string) => void;
  readonly signal?: AbortSignal;
}

/** Exports a checkpoint's model in a process of its own; see exportCheckpoint for what it writes and throws. */
export function runExport(request: RunExportRequest): Promise<ExportDone> {
  const { fork, onNote, onOutput, signal, ...start } = request;
  return runChildTask<ExportDone>({
    fork,
    module: fileURLToPath(new URL('exportMain.ts', import.meta.url)),
    folder: start.projectRoot,
    environment: {},
    start: { ...start, type: 'start' },
    title: 'The export process',
    lostCode: 'inference.process-died',
    stopped: { code: 'inference.stopped', message: 'The export was stopped; nothing was written.' },
    onMessage: (raw) => {
      const message = ExportMessage.safeParse(raw).data;
      if (message?.type === 'note') onNote?.(message.text);
      if (message?.type === 'done') return message.result;
      return message?.type === 'failed' ? deserializeError(message.failure) : undefined;
    },
    onOutput,
    signal,
    stopLimitMs: 5000,
  });
}
