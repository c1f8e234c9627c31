import type * as tf from '@tensorflow/tfjs';
import { EngineError, toEngineError } from '../../api/errors.ts';
import { disposeBatch, type LoadedBatch } from '../../data/index.ts';
import { bestSave, type PlannedSave, savesAfterEpoch, savesAfterStep, stepSave } from '../checkpoints/policy.ts';
import type { TrainingStore } from '../checkpoints/trainingStore.ts';
import type { TrainerSubject } from '../hooks.ts';
import { readScalar } from '../logging/metricLog.ts';
import { beginNoise } from '../model/randomness.ts';
import { shouldStopEarly } from '../monitor/metricMonitor.ts';
import { Breath } from './breath.ts';
import { HookCaller } from './hookCall.ts';
import type { LoopParts } from './loopParts.ts';
import { type Recovered, Recovery } from './recovery.ts';
import type { StepProblem } from './stepGuard.ts';
import type { Update } from './updater.ts';
import { Validator } from './validator.ts';

export type FitStatus = 'completed' | 'stopped' | 'early-stopped';

export interface FitResult {
  readonly status: FitStatus;
  readonly epoch: number;
  readonly step: number;
  /** Metrics of the last validation; empty without one. */
  readonly metrics: Readonly<Record<string, number>>;
  /** Folder of the newest checkpoint, where one was written. */
  readonly checkpoint: string | undefined;
}

/** The training itself: epochs of steps, validation and saving, in AccelHydra's order. */
export class TrainLoop {
  readonly #subject: TrainerSubject;
  readonly #parts: LoopParts;
  readonly #store: TrainingStore;
  readonly #breath: Breath;
  readonly #hooks: HookCaller;
  readonly #validator: Validator;
  readonly #recovery: Recovery;
  /** The step whose loss is looked at whatever is logged: the first, unless NaN is to be lived with. */
  readonly #checkedStep: number;
  #isStoppedEarly = false;
  #savedStep: number | undefined;
  /** Why the newest step or epoch checkpoint is missing; undefined once a later one is safe. */
  #unsaved: EngineError | undefined;
  #warnedNotFinite = false;

  constructor(subject: TrainerSubject, parts: LoopParts, store: TrainingStore) {
    this.#subject = subject;
    this.#parts = parts;
    this.#store = store;
    this.#breath = new Breath(subject.environment.clock);
    this.#hooks = new HookCaller(subject.environment.collective, parts.state);
    this.#validator = new Validator(subject, parts, this.#hooks, this.#breath);
    this.#recovery = new Recovery(subject, parts, store);
    const { nan_policy: policy } = subject.settings;
    this.#checkedStep = policy === null || policy === 'stop' ? parts.state.step : -1;
  }

  async run(): Promise<FitResult> {
    const { subject, parts } = { subject: this.#subject, parts: this.#parts };
    this.#judgePatience();
    await this.#hooks.call('on_train_start', () => subject.on_train_start());
    while (parts.state.epoch < subject.settings.epochs && !this.#isStoppedEarly) {
      if (!(await this.#epoch())) return this.#finish('stopped');
    }
    if (subject.settings.restore_best) await this.#restoreBest();
    await this.#hooks.call('on_train_end', () => subject.on_train_end());
    return this.#finish(this.#isStoppedEarly ? 'early-stopped' : 'completed');
  }

  /** False when a stop was asked for. */
  async #epoch(): Promise<boolean> {
    const { subject, parts } = { subject: this.#subject, parts: this.#parts };
    subject.model.train();
    parts.meter.enter('training', parts.position());
    await this.#hooks.call('on_train_epoch_start', () => subject.on_train_epoch_start());
    // the end is asked for each time: a roll-back may lead into an earlier epoch
    while (parts.state.step < (parts.state.epoch + 1) * parts.epochLength) {
      if (this.#mustStop()) return this.#saveAndStop();
      await this.#step();
      await this.#breath.take();
    }
    if (this.#mustStop()) return this.#saveAndStop();
    const before = subject.environment.clock.now();
    if (!(await this.#validator.run())) return this.#saveAndStop();
    await this.#closeEpoch();
    parts.meter.noteOverhead(subject.environment.clock.now() - before);
    return true;
  }

  // With several ranks a stop is agreed on while gradients are exchanged; alone, the signal itself decides.
  #mustStop(): boolean {
    const { collective, stop } = this.#subject.environment;
    return this.#parts.isStopAgreed || (collective.worldSize === 1 && stop.requested);
  }

  async #step(): Promise<void> {
    const { settings, environment } = this.#subject;
    const { state, cursor, updater } = this.#parts;
    const { loaded, isLast } = await this.#hooks.call('train_dataloader', () => cursor.next());
    const index = state.step - state.epoch * this.#parts.epochLength;
    this.#hooks.enterBatch(loaded, index);
    const isDue = settings.log_every_n_steps !== null && state.step % settings.log_every_n_steps === 0;
    this.#parts.isLogging = isDue;
    state.gradNormDue ||= isDue;
    const rate = this.#subject.optimizer.paramGroups[0]?.lr;
    const result = this.#forwardBackward(loaded, index);
    try {
      if (state.step === this.#checkedStep) await this.#checkFirstLoss(result.loss, loaded);
      updater.accumulate(result);
      state.accumulated++;
      const isSync = isLast || state.accumulated >= settings.gradient_accumulation_steps;
      const meanLoss = isSync ? await this.#update(result.loss, loaded) : undefined;
      if (meanLoss === 'rolled-back') return this.#leaveStep();
      if (isDue) await this.#logStep(result.loss, meanLoss, rate);
    } finally {
      result.loss.dispose();
      disposeBatch(loaded.batch);
    }
    this.#leaveStep();
    state.step++;
    Object.assign(state, cursor.position);
    const samples =
      (loaded.indices.length || (this.#subject.train_dataloader.batch_size ?? 1)) * environment.collective.worldSize;
    this.#parts.meter.stepped(samples, this.#parts.position());
    for (const save of savesAfterStep(settings, state.step)) await this.#save(save);
  }

  #leaveStep(): void {
    this.#hooks.leaveBatch();
    this.#parts.isLogging = true;
  }

  #checkFirstLoss(loss: tf.Scalar, loaded: LoadedBatch): Promise<void> {
    return this.#hooks.call('training_step', async () =>
      this.#recovery.checkFirstLoss(await readScalar(loss), loaded.batch),
    );
  }

  #forwardBackward(loaded: LoadedBatch, index: number) {
    const { settings, environment } = this.#subject;
    const { state, executor, keeper } = this.#parts;
    beginNoise({ seed: environment.seed, rank: environment.collective.rank, step: state.step });
    try {
      return executor.run(() => {
        const loss = this.#subject.training_step(loaded.batch, index);
        keeper.keep();
        return loss;
      }, settings.gradient_accumulation_steps);
    } catch (error) {
      throw this.#hooks.error('training_step', error);
    }
  }

  /** The optimizer step; gives the mean loss over the ranks when there are several. */
  async #update(loss: tf.Scalar, loaded: LoadedBatch): Promise<number | undefined | 'rolled-back'> {
    const { settings, environment, lr_scheduler: scheduler } = this.#subject;
    const { state, updater } = this.#parts;
    const update = await this.#hooks.call('optimizer step', () =>
      updater.update(loss, environment.stop.requested, state.gradNormDue),
    );
    state.accumulated = 0;
    this.#parts.isStopAgreed ||= update.isStopWanted && environment.collective.worldSize > 1;
    if (update.problem === undefined) this.#recovery.passed();
    else if ((await this.#recover(update.problem, update, loaded)) === 'rolled-back') return 'rolled-back';
    if (update.isApplied) {
      state.updates++;
      if (scheduler !== null && settings.lr_scheduler_interval === 'step') this.#parts.advance(scheduler);
    }
    if (state.gradNormDue && update.gradNorm !== undefined) {
      this.#parts.log.add('train/grad_norm', update.gradNorm, state.step, state.epoch);
      state.gradNormDue = false;
    }
    update.gradNorm?.dispose();
    return update.loss;
  }

  async #recover(problem: StepProblem, { gradNorm }: Update, { batch }: LoadedBatch): Promise<Recovered> {
    let recovered: Recovered | undefined;
    try {
      recovered = await this.#hooks.call('optimizer step', () => this.#recovery.handle(problem, batch));
      if (recovered === 'rolled-back') this.#savedStep = undefined;
      return recovered;
    } finally {
      if (recovered !== 'went-on') gradNorm?.dispose();
    }
  }

  async #logStep(loss: tf.Scalar, meanLoss: number | undefined, rate: number | undefined): Promise<void> {
    const { collective } = this.#subject.environment;
    const { state, log, meter } = this.#parts;
    let value = meanLoss;
    if (value === undefined) {
      // reading the loss waits for the device: only when due
      const own = Float32Array.of(await readScalar(loss));
      await collective.allReduce(own, 'mean');
      value = own[0] ?? Number.NaN;
    }
    meter.noteLoss(value);
    log.add('train/loss', value, state.step, state.epoch);
    if (rate !== undefined && !log.has('train/lr', state.step)) log.add('train/lr', rate, state.step, state.epoch);
    if (!Number.isFinite(value) && !this.#warnedNotFinite) {
      this.#warnedNotFinite = true;
      this.#parts.warn(
        `The training loss is ${value} at step ${state.step}. Training goes on; nan_policy: stop, skip or rollback would not.`,
      );
    }
  }

  /** Counts the epoch, steps the scheduler, updates the monitor, and only then saves. */
  async #closeEpoch(): Promise<void> {
    const { settings, lr_scheduler: scheduler, val_dataloader: validation } = this.#subject;
    const { state, metrics } = this.#parts;
    const monitor = settings.metric_monitor;
    state.epoch++;
    if (scheduler !== null && settings.lr_scheduler_interval === 'epoch') {
      scheduler.step(monitor === null ? undefined : metrics[monitor.metric_name]);
    }
    const isBest = monitor !== null && validation !== null && monitor.update(metrics);
    this.#judgePatience();
    for (const save of savesAfterEpoch(settings, state.epoch)) await this.#save(save);
    if (isBest) await this.#save(bestSave(settings));
    await this.#hooks.call('on_train_epoch_end', () => this.#subject.on_train_epoch_end());
  }

  // Also asked before the first epoch: a run that had stopped early is not trained on when it is resumed.
  #judgePatience(): void {
    const { early_stop: patience, metric_monitor: monitor } = this.#subject.settings;
    if (monitor !== null && this.#subject.val_dataloader !== null)
      this.#isStoppedEarly = shouldStopEarly(patience, monitor);
  }

  /** Puts back the weights of the best checkpoint, for on_train_end and whoever uses the model after fit(). */
  async #restoreBest(): Promise<void> {
    const { settings } = this.#subject;
    const { folder } = bestSave(settings);
    const { best_value: value, metric_name: name } = settings.metric_monitor ?? {};
    if (value === undefined) {
      this.#parts.warn(`No validation gave a best ${name}: the weights stay as the last step left them.`);
      return;
    }
    try {
      const { train } = await this.#store.loadWeights(folder, this.#parts);
      this.#parts.warn(
        `The weights are those of the best ${name}, ${value} (epoch ${train.epoch}, step ${train.step}).`,
        'info',
      );
    } catch (error) {
      const why = toEngineError(error).message;
      this.#parts.warn(`The best weights could not be put back: ${why} The last step's stay.`, 'error');
    }
  }

  async #saveAndStop(): Promise<false> {
    // a checkpoint of this very step is as good as another one
    if (this.#savedStep !== this.#parts.state.step)
      await this.#save(stepSave(this.#subject.settings, this.#parts.state.step), true);
    return false;
  }

  /** A periodic save that fails is told and survived; one that was asked for is an error. */
  async #save(save: PlannedSave, isRequired = false): Promise<void> {
    const { meter, log } = this.#parts;
    meter.enter('saving', this.#parts.position());
    await log.flush();
    try {
      await this.#store.save(save, this.#parts);
      if (save.kind === 'step' || save.kind === 'epoch') {
        this.#savedStep = this.#parts.state.step;
        this.#unsaved = undefined;
      }
    } catch (error) {
      // that another rank is gone is no matter of this checkpoint
      if (isRequired || (error instanceof EngineError && error.code.startsWith('distributed.'))) throw error;
      if (save.kind === 'step' || save.kind === 'epoch') this.#unsaved = toEngineError(error);
      this.#parts.warn(
        `The checkpoint ${save.folder} could not be written: ${toEngineError(error).message} Training goes on.`,
        'error',
      );
    }
    meter.enter('training', this.#parts.position());
  }

  async #finish(status: FitStatus): Promise<FitResult> {
    const { meter, log, state, metrics } = this.#parts;
    await log.flush();
    meter.enter('finishing', this.#parts.position());
    if (this.#unsaved) {
      // a training that looks completed but left no weights behind would be the worst kind of success
      throw new EngineError(
        'trainer.not-saved',
        `The training ran to step ${state.step}, but its last checkpoint could not be written: ${this.#unsaved.message}`,
        { step: state.step },
        { cause: this.#unsaved },
      );
    }
    return { status, epoch: state.epoch, step: state.step, metrics, checkpoint: this.#store.newest };
  }
}
