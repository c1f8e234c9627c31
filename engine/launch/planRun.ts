import { deserializeError } from '../api/errors.ts';
import type { FlightPlan } from '../api/planModel.ts';
import { runChildTask } from '../process/childTask.ts';
import { forkWorker, moduleBeside } from './childProcess.ts';
import { PlanMessage, type PlanStart } from './planProtocol.ts';

/**
 * Plans a training in a process of its own and waits for the answer. Throws what building the training's objects throws,
 * `cancelled` after the signal, and `plan.process-died` when the process was lost.
 */
export async function planRun(request: PlanTask, signal?: AbortSignal): Promise<FlightPlan> {
  const answer = await ask({ ...request, type: 'plan' }, signal);
  if (answer.type === 'planned') return answer.plan;
  throw deserializeError(brokenAnswer(answer.type));
}

/**
 * Whether a training could go on from a checkpoint, asked before anything is started. Throws what `planRun` throws, and
 * `trainer.other-model`, `trainer.other-optimizer` or `trainer.resume` where it could not.
 */
export async function checkRun(
  request: PlanTask & { readonly resumeFrom: string },
  signal?: AbortSignal,
): Promise<void> {
  await ask({ ...request, type: 'check' }, signal);
}

type PlanTask = Omit<PlanStart, 'type'>;
type Answer = Exclude<PlanMessage, { readonly type: 'failed' }>;

function ask(start: PlanStart, signal: AbortSignal | undefined): Promise<Answer> {
  return runChildTask<Answer>({
    fork: forkWorker,
    module: moduleBeside(import.meta.url, './planMain.ts'),
    folder: start.projectRoot,
    environment: { CUDA_VISIBLE_DEVICES: '' },
    start,
    title: 'The planning process',
    lostCode: 'plan.process-died',
    stopped: { code: 'cancelled', message: 'The plan is not wanted any more.' },
    signal,
    stopLimitMs: 0,
    onMessage: (raw) => {
      const { data, error } = PlanMessage.safeParse(raw);
      if (data !== undefined && data.type !== 'failed') return data;
      return deserializeError(data?.failure ?? brokenAnswer(error?.issues[0]?.message));
    },
  });
}

function brokenAnswer(why: string | undefined) {
  return { code: 'internal', message: `The planning process gave a plan of another form: ${why}`, details: {} };
}
