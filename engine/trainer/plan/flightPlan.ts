import type { FlightPlan } from '../../api/planModel.ts';
import { epochLengthOf, type StepCounts, schedulerLengths } from '../../optim/index.ts';
import { bestSave, savesAfterEpoch, savesAfterStep } from '../checkpoints/policy.ts';
import type { TrainerSubject } from '../hooks.ts';
import { readEpochLength, shortestPass, trainingShard } from '../loop/lengths.ts';
import { CheckpointCount, checkpointSize, freeBytes } from './plannedDisk.ts';
import { EventSteps } from './plannedEvents.ts';
import { RateRecorder } from './plannedRates.ts';
import { planWarnings } from './planWarnings.ts';
import { walkSteps } from './stepWalk.ts';

export interface PlanSource {
  /** The trainer, built but not begun. It is used up: its scheduler and optimizer are stepped. */
  readonly subject: TrainerSubject;
  readonly processes: number;
  /** What AccelHydra's step arithmetic starts from. */
  readonly counts: StepCounts;
  readonly warmup: FlightPlan['warmup'];
  /** As the config calls it; the built object may be of a more general class. */
  readonly scheduleName: string | undefined;
  /** Options of the schedule as it was built, for what they say of its length. */
  readonly scheduleOptions: Readonly<Record<string, unknown>>;
  readonly configText: string;
  readonly maxPoints: number | undefined;
}

/**
 * What a training will do: every optimizer step's learning rates, every validation, checkpoint and log event, the disk
 * it needs, and what looks wrong. No hook is called and no batch is read. Throws what would keep the training from
 * beginning (`trainer.loader.empty`, `trainer.epoch-length`).
 */
export function flightPlan(source: PlanSource): FlightPlan {
  const { subject, processes, counts, warmup } = source;
  const { settings, train_dataloader: loader, lr_scheduler: scheduler, val_dataloader: validation } = subject;
  const lengths = Array.from(
    { length: processes },
    (_, rank) => loader.passLength(trainingShard(settings, rank, processes)) ?? null,
  );
  const passLength = shortestPass(lengths, processes);
  const epochLength = readEpochLength(settings, passLength);
  const accumulation = settings.gradient_accumulation_steps;
  const rates = new RateRecorder(subject.optimizer, scheduler, settings.lr_scheduler_interval, processes);
  const walked = walk(source, rates, { epochs: settings.epochs, epochLength, passLength, accumulation });
  const size = checkpointSize(subject, source.configText);
  const checkpointBytes = size.modelBytes + size.optimizerBytes + size.emaBytes + size.restBytes;
  const free = freeBytes(settings.checkpoint_dir);
  const plan: Omit<FlightPlan, 'warnings'> = {
    processes,
    trainer: subject.constructor.name,
    epochs: settings.epochs,
    epochLength,
    ...(passLength === undefined ? {} : { passLength }),
    totalSteps: settings.epochs * epochLength,
    accumulation,
    optimizerSteps: walked.optimizerSteps,
    ...(loader.batch_size === undefined
      ? {}
      : { samplesPerUpdate: loader.batch_size * Math.min(accumulation, passLength ?? accumulation) * processes }),
    ...(scheduler === null
      ? {}
      : {
          schedule: {
            name: source.scheduleName ?? scheduler.constructor.name,
            interval: settings.lr_scheduler_interval,
            steps: rates.schedulerSteps,
            expectedSteps: schedulerLengths(counts, {}, settings.lr_scheduler_interval).total,
            followsMetric: rates.followsMetric,
          },
        }),
    ...(warmup === undefined ? {} : { warmup }),
    rates: rates.curves(source.maxPoints),
    events: walked.events.filter((kind) => kind.count > 0).map((kind) => kind.events()),
    parameters: subject.model.countParams(),
    disk: {
      folder: settings.checkpoint_dir,
      modelBytes: size.modelBytes,
      optimizerBytes: size.optimizerBytes,
      emaBytes: size.emaBytes,
      checkpointBytes,
      checkpoints: walked.saved.now,
      endBytes: walked.saved.now * checkpointBytes,
      peakBytes: walked.saved.most * checkpointBytes,
      ...(free === undefined ? {} : { freeBytes: free }),
    },
  };
  const warnings = planWarnings({
    plan,
    subject,
    rates,
    unused: walked.unused,
    lastSave: walked.lastSave,
    validates: validation !== null && settings.epochs > 0,
    scheduleOptions: source.scheduleOptions,
    expectedEpochLength: epochLengthOf(counts),
  });
  return { ...plan, warnings };
}

function walk(source: PlanSource, rates: RateRecorder, steps: Parameters<typeof walkSteps>[0]) {
  const { settings, val_dataloader: validation } = source.subject;
  const every = settings.log_every_n_steps;
  const events = {
    loss: new EventSteps('loss-log'),
    gradNorm: new EventSteps('grad-norm-log'),
    validation: new EventSteps('validation'),
    step: new EventSteps('step-checkpoint'),
    epoch: new EventSteps('epoch-checkpoint'),
    best: new EventSteps('best-checkpoint'),
    permanent: new EventSteps('permanent-checkpoint'),
  };
  const saved = new CheckpointCount(settings.save_last_k);
  let isNormDue = false;
  let lastSave = 0;
  const end = walkSteps(steps, {
    onStep: (step, isSync) => {
      const isDue = every !== null && step % every === 0;
      if (isDue) events.loss.add(step);
      isNormDue ||= isDue;
      if (!isSync) return;
      rates.onSync(step);
      if (isNormDue) events.gradNorm.add(step);
      isNormDue = false;
    },
    onStepDone: (step) => {
      for (const save of savesAfterStep(settings, step)) {
        if (save.kind === 'step' || save.kind === 'permanent') events[save.kind].add(step);
        saved.save(save);
        lastSave = step;
      }
    },
    onEpochDone: (epoch, step) => {
      if (validation !== null) events.validation.add(step);
      rates.onEpochDone(step);
      for (const save of savesAfterEpoch(settings, epoch)) {
        events.epoch.add(step);
        saved.save(save);
        lastSave = step;
      }
      if (settings.metric_monitor === null || validation === null) return;
      events.best.add(step);
      saved.save(bestSave(settings));
    },
  });
  return { ...end, events: Object.values(events), saved, lastSave };
}
