import * as tf from '@tensorflow/tfjs';
import { serializeError } from '../api/errors.ts';
import { loadYaml, toPlain, toYaml } from '../config/index.ts';
import { loadProject, openProjectRuntime, restoreOrigins } from '../instantiate/index.ts';
import { builtinTargets, planTraining } from '../trainer/index.ts';
import { type PlanMessage, PlanStart } from './planProtocol.ts';

/**
 * Plans one training in a process of its own, because the project's constructors run. On the plain CPU backend: nothing
 * is computed but initial weights, and no GPU memory is taken from a training that runs. Started by planRun.
 */
async function plan(start: PlanStart): Promise<PlanMessage> {
  await tf.setBackend('cpu');
  const runtime = await openProjectRuntime(loadProject(start.projectRoot), {
    builtins: builtinTargets,
    tensorflow: tf,
  });
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

function failed(error: unknown): PlanMessage {
  const { code, message, details } = serializeError(error);
  try {
    return { type: 'failed', failure: { code, message, details: structuredClone({ ...details }) } };
  } catch {
    return { type: 'failed', failure: { code, message, details: {} } };
  }
}

process.on('disconnect', () => process.exit(0));
process.on('message', (raw) => {
  const start = PlanStart.safeParse(raw).data;
  if (start === undefined) return;
  void plan(start)
    .catch(failed)
    .then((message) => process.send?.(message, undefined, undefined, () => process.exit(0)));
});
