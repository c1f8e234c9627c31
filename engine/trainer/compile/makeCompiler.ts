import type { Random } from '../../base/random.ts';
import { Optimizer } from '../../optim/index.ts';
import type { TrainerSubject } from '../hooks.ts';
import type { MetricLog } from '../logging/metricLog.ts';
import type { StepGuard } from '../loop/stepGuard.ts';
import type { Updater } from '../loop/updater.ts';
import { beginNoise } from '../model/randomness.ts';
import type { TrainState } from '../state/trainState.ts';
import { rootsOf } from './hostWatch.ts';
import { tensorBackend } from './nativeTensors.ts';
import { StepCompiler } from './stepCompiler.ts';
import type { StepCompilerOptions, UpdateForm } from './stepRequest.ts';
import type { TraceSink } from './stepTrace.ts';
import { ValidationCompiler } from './validationCompiler.ts';

/** The parts of the loop that a compiled step stands in for or tells of what it does. */
export interface CompilerParts extends Pick<StepCompilerOptions, 'parameters' | 'average' | 'scaler'> {
  readonly state: TrainState;
  readonly executor: StepCompilerOptions['eager'];
  readonly guard: StepGuard;
  readonly updater: Updater;
  readonly log: MetricLog;
  readonly random: Random;
  sink: TraceSink | undefined;
  warn(text: string, level?: 'info' | 'warning' | 'error'): void;
}

/** The compiler for a trainer's steps, where its settings ask for one and the backend can. */
export function makeCompiler(subject: TrainerSubject, parts: CompilerParts): StepCompiler | undefined {
  const { settings, environment, optimizer } = subject;
  const { collective, seed } = environment;
  const { state, guard, updater } = parts;
  return StepCompiler.create({
    mode: settings.compile,
    xla: settings.compile_xla,
    eager: parts.executor,
    parameters: parts.parameters,
    optimizer,
    average: parts.average,
    form: formOf(subject, guard),
    divisor: settings.gradient_accumulation_steps,
    accumulates: settings.gradient_accumulation_steps > 1,
    scaler: parts.scaler,
    ...hostOf(subject),
    random: parts.random,
    trainingStepText: subject.training_step,
    trainingStep: (batch, index) => subject.training_step(batch, index),
    beginNoise: (ahead) => beginNoise({ seed, rank: collective.rank, step: state.step + ahead }),
    watch: watchOf(parts),
    log: (values) => {
      for (const [key, value] of Object.entries(values)) parts.log.add(key, value, state.step, state.epoch);
    },
    say: (text, level) => parts.warn(text, level),
    listener: environment.compileListener,
    clip: (gradients) => updater.clip(new Map(gradients), true),
  });
}

function formOf({ environment, optimizer }: TrainerSubject, guard: StepGuard): UpdateForm {
  if (!(optimizer instanceof Optimizer)) return 'gradients';
  if (environment.collective.worldSize > 1) return 'flat';
  return guard.wantsNorm || guard.wantsLoss ? 'cut' : 'whole';
}

/** Whose fields steps may read and change, and what among it is not looked into. */
function hostOf(subject: TrainerSubject) {
  return {
    owners: [{ owner: subject, label: 'this' }, ...rootsOf(subject.model, 'this.model')],
    opaque: new Set<unknown>([subject.train_dataloader, subject.val_dataloader, subject.environment]),
  };
}

function watchOf(parts: Pick<CompilerParts, 'sink'>) {
  return (sink: TraceSink | undefined): void => {
    parts.sink = sink;
  };
}

/** The compiler for validation steps; undefined where the settings or the backend do not have it. */
export function makeValidationCompiler(
  subject: TrainerSubject,
  parts: Pick<CompilerParts, 'sink'>,
): ValidationCompiler | undefined {
  const backend = subject.settings.compile === false ? undefined : tensorBackend();
  if (backend === undefined || subject.val_dataloader === null) return undefined;
  return new ValidationCompiler(subject, { backend, ...hostOf(subject), watch: watchOf(parts) });
}
