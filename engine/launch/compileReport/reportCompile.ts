import { deserializeError, EngineError } from '../../api/errors.ts';
import { forkWorker, moduleBeside } from '../childProcess.ts';
import { type CompileReport, CompileReportMessage, type CompileReportStart } from './compileReportProtocol.ts';

/** Enough of what the process printed to see why it died. */
const keptOutput = 2000;

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
export async function reportCompile(request: CompileReportRequest): Promise<CompileReport> {
  const { onNote, signal, ...start } = request;
  const child = forkWorker({
    module: moduleBeside(import.meta.url, './compileReportMain.ts'),
    folder: start.projectRoot,
    environment: {},
  });
  let answer: CompileReport | EngineError | undefined;
  let output = '';
  const hear = (chunk: unknown): void => {
    output = `${output}${String(chunk)}`.slice(-keptOutput);
  };
  child.stdout?.on('data', hear);
  child.stderr?.on('data', hear);
  child.on('message', (raw) => {
    const message = CompileReportMessage.safeParse(raw).data;
    if (message?.type === 'note') onNote?.(message.text);
    if (message?.type === 'done') answer = message.report;
    if (message?.type === 'failed') answer = deserializeError(message.failure);
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
  else child.send({ ...start, type: 'report' }, () => undefined);
  const how = await ended;
  signal?.removeEventListener('abort', kill);
  if (signal?.aborted) throw new EngineError('cancelled', 'The report is not wanted any more.');
  if (answer instanceof EngineError) throw answer;
  if (answer !== undefined) return answer;
  throw new EngineError('compile.process-died', `The reporting process ${how}.\n${output.trim()}`.trim());
}
