import * as tf from '@tensorflow/tfjs';
import { loadYaml, toPlain, toYaml } from '../config/index.ts';
import { restoreOrigins } from '../instantiate/index.ts';
import { failureOf } from '../process/childFailure.ts';
import { endWithParent, sendToParent } from '../process/childLife.ts';
import { checkResume, openTrainingRuntime, planTraining } from '../trainer/index.ts';
import { type PlanMessage, PlanStart } from './planProtocol.ts';

/**
 * Plans or checks one training in a process of its own, because the project's constructors run. On the plain CPU backend: nothing
 * is computed but initial weights, and no GPU memory is taken from a training that runs. Started by planRun.
 */
async function plan(start: PlanStart): Promise<PlanMessage> {
  await tf.setBackend('cpu');
  const runtime = await openTrainingRuntime(start.projectRoot);
  const source = loadYaml(start.configYaml, { source: 'config.yaml' });
  restoreOrigins(source, start.origins);
  const builder = runtime.builder(source);
  const resolved = builder.resolved();
  const plain = toPlain(resolved);
  const isSections = typeof plain === 'object' && plain !== null && !Array.isArray(plain);
  const { processes, expDir: runDir, maxPoints, resumeFrom } = start;
  const config = isSections ? { ...plain } : {};
  const request = { config, configText: toYaml(resolved), instantiate: builder, processes, runDir, maxPoints };
  if (start.type === 'plan') return { type: 'planned', plan: await planTraining({ ...request, resumeFrom }) };
  if (resumeFrom !== undefined) await checkResume({ ...request, resumeFrom });
  return { type: 'checked' };
}

endWithParent();
process.on('message', (raw) => {
  const start = PlanStart.safeParse(raw).data;
  if (start === undefined) return;
  void plan(start)
    .catch((error): PlanMessage => ({ type: 'failed', failure: failureOf(error) }))
    .then(sendToParent)
    .then(() => process.exit(0));
});
