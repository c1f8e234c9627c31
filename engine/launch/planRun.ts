import { deserializeError, EngineError } from '../api/errors.ts';
import type { FlightPlan } from '../api/planModel.ts';
import { forkWorker, moduleBeside } from './childProcess.ts';
import { PlanMessage, type PlanStart } from './planProtocol.ts';

/** Enough of what the process printed to see why it died. */
const keptOutput = 2000;

/**
 * Plans a training in a process of its own and waits for the answer. Throws what building the training's objects throws,
 * `cancelled` after the signal, and `plan.process-died` when the process was lost.
 */
export async function planRun(request: Omit<PlanStart, 'type'>, signal?: AbortSignal): Promise<FlightPlan> {
  const child = forkWorker({
    module: moduleBeside(import.meta.url, './planMain.ts'),
    folder: request.projectRoot,
    environment: { CUDA_VISIBLE_DEVICES: '' },
  });
  let answer: PlanMessage | undefined;
  let output = '';
  const hear = (chunk: unknown): void => {
    output = `${output}${String(chunk)}`.slice(-keptOutput);
  };
  child.stdout?.on('data', hear);
  child.stderr?.on('data', hear);
  child.on('message', (raw) => {
    const message = PlanMessage.safeParse(raw);
    answer = message.data ?? { type: 'failed', failure: brokenAnswer(message.error?.issues[0]?.message) };
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
  else child.send({ ...request, type: 'plan' }, () => undefined);
  const how = await ended;
  signal?.removeEventListener('abort', kill);
  if (signal?.aborted) throw new EngineError('cancelled', 'The plan is not wanted any more.');
  if (answer?.type === 'planned') return answer.plan;
  if (answer?.type === 'failed') throw deserializeError(answer.failure);
  throw new EngineError('plan.process-died', `The planning process ${how}.\n${output.trim()}`.trim());
}

function brokenAnswer(why: string | undefined) {
  return { code: 'internal', message: `The planning process gave a plan of another form: ${why}`, details: {} };
}
