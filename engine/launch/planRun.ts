import { deserializeError } from '../api/errors.ts';
import type { FlightPlan } from '../api/planModel.ts';
import { runChildTask } from '../process/childTask.ts';
import { forkWorker, moduleBeside } from './childProcess.ts';
import { PlanMessage, type PlanStart } from './planProtocol.ts';

/**
 * Plans a training in a process of its own and waits for the answer. Throws what building the training's objects throws,
 * `cancelled` after the signal, and `plan.process-died` when the process was lost.
 */
export function planRun(request: Omit<PlanStart, 'type'>, signal?: AbortSignal): Promise<FlightPlan> {
  return runChildTask<FlightPlan>({
    fork: forkWorker,
    module: moduleBeside(import.meta.url, './planMain.ts'),
    folder: request.projectRoot,
    environment: { CUDA_VISIBLE_DEVICES: '' },
    start: { ...request, type: 'plan' },
    title: 'The planning process',
    lostCode: 'plan.process-died',
    stopped: { code: 'cancelled', message: 'The plan is not wanted any more.' },
    signal,
    stopLimitMs: 0,
    onMessage: (raw) => {
      const { data, error } = PlanMessage.safeParse(raw);
      if (data?.type === 'planned') return data.plan;
      return deserializeError(data?.failure ?? brokenAnswer(error?.issues[0]?.message));
    },
  });
}

function brokenAnswer(why: string | undefined) {
  return { code: 'internal', message: `The planning process gave a plan of another form: ${why}`, details: {} };
}
