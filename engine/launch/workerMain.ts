import { join } from 'node:path';
import { loadBackend, setMixedPrecision } from '../backend/index.ts';
import { loadYaml, toPlain, toYaml } from '../config/index.ts';
import { type ConfigBuilder, loadProject, openProjectRuntime, restoreOrigins } from '../instantiate/index.ts';
import { readRunJson, readRunText, runFiles, writeAtomically } from '../runs/runFolder.ts';
import { builtinTargets, prepareTraining } from '../trainer/index.ts';
import { announceGraphs } from './announceGraphs.ts';
import { runWorker, type WorkerContext } from './runWorker.ts';
import type { WorkerOutcome } from './workerProtocol.ts';

/** One training process: from the config in its run's folder to the end of `fit()`. Started by a launcher. */

async function train(context: WorkerContext): Promise<WorkerOutcome> {
  const { job, rank, runDir, reporter, stop, resumeFrom } = context;
  // the others load while this one does; a failure below ends all of them
  const joining = context.joinRanks();
  joining.catch(() => undefined);
  const threads = job.plan.processes[rank]?.threads ?? 1;
  const { mixedPrecision, cpuOnly = false } = job.plan;
  const backend = await loadBackend({ threads, interOpThreads: 1, cpuOnly });
  setMixedPrecision(backend.tf, mixedPrecision);
  const say = (text: string, level: 'info' | 'warning') =>
    reporter.report({ type: 'log', level, text, time: Date.now() });
  const runtime = await openProjectRuntime(loadProject(job.projectRoot), {
    builtins: builtinTargets,
    tensorflow: backend.tf,
    warn: (text) => say(text, 'warning'),
  });
  const builder = runtime.builder(readConfig(context));
  const trainer = await prepareTraining({
    config: resolvedConfig(context, builder),
    instantiate: builder,
    collective: await joining,
    reporter,
    stop: {
      get requested() {
        return stop.aborted;
      },
    },
    runDir,
    resumeFrom,
    mixedPrecision,
    canRecycle: job.replay === undefined,
    trainerOptions: job.replay?.trainer,
    until: job.replay?.until,
    compileListener: rank === 0 ? announceGraphs((text) => say(text, 'info')) : undefined,
  });
  context.ready(backend.description);
  const result = await trainer.fit();
  return result.status === 'early-stopped' ? 'completed' : result.status;
}

function readConfig({ job, runDir }: WorkerContext) {
  const file = job.needsResolving ? runFiles.config : runFiles.resolvedConfig;
  const config = loadYaml(readRunText(runDir, file) ?? '', { source: join(runDir, file) });
  restoreOrigins(config, readRunJson(runDir, runFiles.origins));
  return config;
}

/** The config as plain values; written into the run's folder where only the project's resolvers could work it out. */
function resolvedConfig({ job, rank, runDir }: WorkerContext, builder: ConfigBuilder): Record<string, unknown> {
  const resolved = builder.resolved();
  if (job.needsResolving && rank === 0) writeAtomically(join(runDir, runFiles.resolvedConfig), toYaml(resolved));
  const plain = toPlain(resolved);
  return typeof plain === 'object' && plain !== null && !Array.isArray(plain) ? { ...plain } : {};
}

await runWorker(train);
