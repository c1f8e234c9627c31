import type { FlightPlan } from '../../api/planModel.ts';
import type { Collective } from '../../api/training.ts';
import { isPlainObject } from '../../data/index.ts';
import {
  epochLengthOf,
  microStepsFor,
  type StepCounts,
  schedulerLengths,
  warmupMicroSteps,
} from '../../optim/index.ts';
import type { TrainerSubject } from '../hooks.ts';
import type { InstantiatePort } from '../prepare/instantiatePort.ts';
import { filledScheduler, prepareTraining, readWarmup, stepCounts } from '../prepare/prepareTraining.ts';
import { checkFit } from './checkFit.ts';
import { flightPlan } from './flightPlan.ts';

export interface PlanRequest {
  /** The composed config, resolved, as plain values. */
  readonly config: Readonly<Record<string, unknown>>;
  /** The same as text, as it will lie in each checkpoint. */
  readonly configText: string;
  readonly instantiate: InstantiatePort;
  readonly processes: number;
  readonly runDir: string;
  readonly maxPoints?: number | undefined;
  /** Checkpoint that the training is to go on from: whether it could is looked at too. */
  readonly resumeFrom?: string | undefined;
}

/**
 * Builds what the config describes, as a training does, and plans its flight. The project's constructors run, its hooks
 * do not. Throws what building throws, and what `checkFit` throws.
 */
export async function planTraining(request: PlanRequest): Promise<FlightPlan> {
  const { config, instantiate, resumeFrom, processes } = request;
  const collective = lonely(processes);
  const subject = await build(request);
  if (resumeFrom !== undefined) await checkFit(subject, resumeFrom);
  const counts = stepCounts({ config, collective }, subject.train_dataloader);
  const filled = isPlainObject(config.lr_scheduler)
    ? await filledScheduler({ config, instantiate, collective }, subject.train_dataloader)
    : undefined;
  return flightPlan({
    subject,
    processes,
    counts,
    warmup: plannedWarmup(config, counts, subject.settings.lr_scheduler_interval),
    scheduleName: scheduleName(config.lr_scheduler),
    scheduleOptions: filled?.options ?? {},
    configText: request.configText,
    maxPoints: request.maxPoints,
  });
}

/** Builds what the config describes and only looks whether it could go on from a checkpoint; throws as `planTraining`. */
export async function checkResume(request: PlanRequest & { readonly resumeFrom: string }): Promise<void> {
  // the checkpoint brings its own weights
  const { load_pretrained: _unused, ...config } = request.config;
  await checkFit(await build({ ...request, config }), request.resumeFrom);
}

function build({ config, instantiate, processes, runDir }: PlanRequest): Promise<TrainerSubject> {
  return prepareTraining({
    config,
    instantiate,
    collective: lonely(processes),
    reporter: { report: () => undefined, flush: () => Promise.resolve() },
    stop: { requested: false },
    runDir,
  });
}

/** The warm-up that the schedule's own options say, or else warmup_params. */
function plannedWarmup(
  { lr_scheduler: section, warmup_params: params }: Readonly<Record<string, unknown>>,
  counts: StepCounts,
  interval: 'step' | 'epoch',
): FlightPlan['warmup'] {
  const own = isPlainObject(section) ? section.num_warmup_steps : undefined;
  if (typeof own === 'number') {
    const steps = interval === 'epoch' ? own * epochLengthOf(counts) : microStepsFor(own, counts);
    return own > 0 ? { steps, schedulerSteps: own } : undefined;
  }
  const asked = readWarmup(params);
  const steps = warmupMicroSteps(asked, counts);
  const { warmup: schedulerSteps = 0 } = schedulerLengths(counts, asked, interval);
  return steps === undefined ? undefined : { steps, schedulerSteps };
}

/** Rank 0 of so many, for objects that only ask how many they are. */
function lonely(worldSize: number): Collective {
  return {
    rank: 0,
    worldSize,
    allReduce: () => Promise.resolve(),
    broadcast: () => Promise.resolve(),
    allGather: (value) => Promise.resolve(Array.from({ length: worldSize }, () => value)),
    barrier: () => Promise.resolve(),
  };
}

/** `get_scheduler cosine`, `StepLR`. */
function scheduleName(section: unknown): string | undefined {
  if (!isPlainObject(section) || typeof section._target_ !== 'string') return undefined;
  const target = section._target_.split('.').at(-1);
  return typeof section.name === 'string' ? `${target} ${section.name}` : target;
}
