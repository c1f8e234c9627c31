import * as tf from '@tensorflow/tfjs';
import { loadYaml, toPlain, toYaml } from '../config/index.ts';
import { restoreOrigins } from '../instantiate/index.ts';
import { failureOf } from '../process/childFailure.ts';
import { endWithParent, sendToParent } from '../process/childLife.ts';
import { openTrainingRuntime, planTraining } from '../trainer/index.ts';
import { type PlanMessage, PlanStart } from './planProtocol.ts';

/**
 * Plans one training in a process of its own, because the project's constructors run. On the plain CPU backend: nothing
 * is computed but initial weights, and no GPU memory is taken from a training that runs. Started by planRun.
 */
async function plan(start: PlanStart): Promise<PlanMessage> {
  await tf.setBackend('cpu');
  const runtime = await openTrainingRuntime(start.projectRoot);
  const config = loadYaml(start.configYaml, { source: 'config.yaml' });
  restoreOrigins(config, start.origins);
  const builder = runtime.builder(config);
  const resolved = builder.resolved();
  const plain = toPlain(resolved);
  const isSections = typeof plain === 'object' && plain !== null && !Array.isArray(plain);
  return {
    type: 'planned',
    plan: await planTraining({
      config: isSections ? { ...plain } : {},
      configText: toYaml(resolved),
      instantiate: builder,
      processes: start.processes,
      runDir: start.expDir,
      maxPoints: start.maxPoints,
    }),
  };
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
