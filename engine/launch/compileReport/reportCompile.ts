import { deserializeError } from '../../api/errors.ts';
import { runChildTask } from '../../process/childTask.ts';
import { forkWorker, moduleBeside } from '../childProcess.ts';
import { type CompileReport, CompileReportMessage, type CompileReportStart } from './compileReportProtocol.ts';
import { dumpingEnvironment } from './optimisedGraphs.ts';

export interface CompileReportRequest extends Omit<CompileReportStart, 'type'> {
  /** Told what it is at. */
  readonly onNote?: (text: string) => void;
  readonly signal?: AbortSignal;
}

/**
 * Trains some steps of a config eagerly and compiled, in a process of its own that saves nothing, and says what became of
 * them. Throws what building the training and training throw, `compile.backend` without native TensorFlow, `cancelled`
 * after the signal, and `compile.process-died` when the process was lost.
 */
export function reportCompile(request: CompileReportRequest): Promise<CompileReport> {
  const { onNote, signal, ...start } = request;
  return runChildTask<CompileReport>({
    fork: forkWorker,
    module: moduleBeside(import.meta.url, './compileReportMain.ts'),
    folder: start.projectRoot,
    environment: dumpingEnvironment,
    start: { ...start, type: 'report' },
    title: 'The reporting process',
    lostCode: 'compile.process-died',
    stopped: { code: 'cancelled', message: 'The report is not wanted any more.' },
    signal,
    stopLimitMs: 0,
    onMessage: (raw) => {
      const message = CompileReportMessage.safeParse(raw).data;
      if (message?.type === 'note') onNote?.(message.text);
      if (message?.type === 'done') return message.report;
      return message?.type === 'failed' ? deserializeError(message.failure) : undefined;
    },
  });
}
