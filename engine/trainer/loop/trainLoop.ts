import type * as tf from '@tensorflow/tfjs';
import { steadyClock } from '../../base/clock.ts';
import { disposeBatch, type LoadedBatch } from '../../data/index.ts';
import { savesAfterEpoch, savesAfterStep } from '../checkpoints/policy.ts';
import type { TrainingStore } from '../checkpoints/trainingStore.ts';
import type { CompiledGradients, FusedResult, StartedStep, StepRequest } from '../compile/stepRequest.ts';
import type { TrainerSubject } from '../hooks.ts';
import { readScalar } from '../logging/metricLog.ts';
import { beginNoise } from '../model/randomness.ts';
import { countTensors } from '../monitor/hookTrace.ts';
import { shouldStopEarly } from '../monitor/metricMonitor.ts';
import { readStates } from '../state/checkpointable.ts';
import { epochStart } from '../state/trainState.ts';
import type { NextBatch } from './batchCursor.ts';
import { Breath } from './breath.ts';
import { gradientTensors, type StepResult } from './eagerStep.ts';
import { FreedWeights } from './freedWeights.ts';
import { HookCaller, isPromise } from './hookCall.ts';
import { LateSteps } from './lateSteps.ts';
import type { LoopParts } from './loopParts.ts';
import { type Recovered, Recovery } from './recovery.ts';
import { Recycler } from './recycler.ts';
import { Saver } from './saver.ts';
import { shareBuffers } from './shareWeights.ts';
import type { StepProblem } from './stepGuard.ts';
import { StepLog } from './stepLog.ts';
import type { Update, Updater } from './updater.ts';
import { Validator } from './validator.ts';

/** `recycled`: a new process is to go on from the newest checkpoint (leak_guard.recycle_worker_at_checkpoint). */
export type FitStatus = 'completed' | 'stopped' | 'early-stopped' | 'recycled';

export interface FitResult {
  readonly status: FitStatus;
  readonly epoch: number;
  readonly step: number;
  /** Metrics of the last validation; empty without one. */
  readonly metrics: Readonly<Record<string, number>>;
  /** Folder of the newest checkpoint, where one was written. */
  readonly checkpoint: string | undefined;
}

/** The mean loss over the ranks, where there are several, or that the step was undone. */
type UpdateEnd = number | undefined | 'rolled-back';

/** The training itself: epochs of steps, validation and saving, in AccelHydra's order. */
export class TrainLoop {
  readonly #subject: TrainerSubject;
  readonly #parts: LoopParts;
  readonly #saver: Saver;
  readonly #breath: Breath;
  readonly #hooks: HookCaller;
  readonly #validator: Validator;
  readonly #recovery: Recovery;
  readonly #recycler: Recycler;
  readonly #freed: FreedWeights;
  readonly #late: LateSteps;
  readonly #log: StepLog;
  /** The step whose loss is looked at whatever is logged: the first, unless NaN is to be lived with. */
  readonly #checkedStep: number;
  #isStoppedEarly = false;

  constructor(subject: TrainerSubject, parts: LoopParts, store: TrainingStore) {
    this.#subject = subject;
    this.#parts = parts;
    this.#breath = new Breath(steadyClock);
    this.#hooks = new HookCaller(subject.environment.collective, parts.state, parts.leaks);
    this.#log = new StepLog(subject, parts);
    this.#late = new LateSteps(parts.compiler, this.#hooks, parts.state, this.#log);
    this.#recycler = new Recycler(subject, parts);
    this.#freed = new FreedWeights(subject, parts);
    this.#saver = new Saver(subject, parts, store, this.#recycler);
    this.#validator = new Validator(subject, parts, this.#hooks, this.#breath);
    this.#recovery = new Recovery(subject, parts, store);
    const { nan_policy: policy } = subject.settings;
    this.#checkedStep = policy === null || policy === 'stop' ? parts.state.step : -1;
  }

  async run(): Promise<FitResult> {
    try {
      return await this.#epochs();
    } catch (error) {
      throw this.#late.errorOf(error);
    }
  }

  async #epochs(): Promise<FitResult> {
    const subject = this.#subject;
    this.#judgePatience();
    await this.#hooks.call('on_train_start', () => subject.on_train_start());
    // what could never be saved is found now, not when the first checkpoint is due
    await this.#hooks.call('checkpoint_objects', () => readStates(subject.checkpoint_objects));
    while (!this.#isOver) {
      if (!(await this.#epoch())) return this.#finish(this.#recycler.isDue ? 'recycled' : 'stopped');
    }
    if (subject.settings.restore_best) await this.#saver.restoreBest();
    await this.#hooks.call('on_train_end', () => subject.on_train_end());
    return this.#finish(this.#isStoppedEarly ? 'early-stopped' : 'completed');
  }

  /** False when a stop was asked for. */
  async #epoch(): Promise<boolean> {
    const { subject, parts } = { subject: this.#subject, parts: this.#parts };
    subject.model.train();
    parts.meter.enter('training', parts.position());
    await this.#hooks.call('on_train_epoch_start', () => subject.on_train_epoch_start());
    this.#freed.look();
    // the end is asked for each time: a roll-back may lead into an earlier epoch
    while (parts.state.step < epochStart(parts.state, parts.epochLength) + parts.epochLength) {
      if (this.#mustStop()) break;
      await this.#step();
      if (this.#recycler.isDue) return false;
      if (this.#breath.isDue) await this.#pause();
    }
    this.#late.settle();
    if (this.#mustStop()) return this.#saver.saveForStop();
    const before = steadyClock.now();
    if (!(await this.#validator.run())) return this.#saver.saveForStop();
    await this.#closeEpoch();
    parts.meter.noteOverhead(steadyClock.now() - before);
    parts.leaks?.epochEnded();
    return !this.#recycler.isDue || this.#isOver;
  }

  /** Several times a second, however short the steps are. */
  #pause(): Promise<void> {
    this.#parts.meter.tick(this.#parts.position);
    return this.#breath.take();
  }

  get #isOver(): boolean {
    return this.#isStoppedEarly || this.#parts.state.epoch >= this.#subject.settings.epochs;
  }

  // With several ranks a stop is agreed on while gradients are exchanged; alone, the signal itself decides.
  #mustStop(): boolean {
    const { collective, stop, until } = this.#subject.environment;
    const { step, epoch } = this.#parts.state;
    if (until !== undefined && step >= until.step && epoch >= until.epoch) return true;
    return this.#parts.isStopAgreed || (collective.worldSize === 1 && stop.requested);
  }

  async #step(): Promise<void> {
    const { settings, environment } = this.#subject;
    const { state, cursor } = this.#parts;
    const next = this.#hooks.call('train_dataloader', () => cursor.next(), batchTensors);
    const given = isPromise(next) ? await this.#late.during(next) : next;
    if (given === undefined) return; // a stop was asked for, and nothing of the step has happened
    const { loaded, isLast } = given;
    if (settings.broadcast_buffers) await shareBuffers(this.#subject.model, environment.collective);
    const index = state.step - epochStart(state, this.#parts.epochLength);
    this.#hooks.enterBatch(loaded, index);
    const isDue = settings.log_every_n_steps !== null && state.step % settings.log_every_n_steps === 0;
    this.#parts.isLogging = isDue;
    state.gradNormDue ||= isDue;
    const rate = this.#subject.optimizer.paramGroups[0]?.lr;
    const isSync = isLast || state.accumulated + 1 >= settings.gradient_accumulation_steps;
    const request = this.#request(loaded, index, isSync);
    if (isSync && state.step === this.#checkedStep) await this.#checkBeforehand(request, loaded);
    const result = (isSync ? this.#fused(request) : undefined) ?? this.#forwardBackward(request, loaded);
    try {
      if ('ticket' in result) this.#late.add(result, request, loaded, rate);
      else this.#late.collect();
      if (!('gradients' in result)) this.#updatedWhole(result);
      const ended = 'gradients' in result ? this.#backwardDone(result, loaded, isSync) : undefined;
      const meanLoss = isPromise(ended) ? await ended : ended;
      if (meanLoss === 'rolled-back') return this.#leaveStep();
      if (isDue && 'loss' in result && result.loss !== undefined) await this.#log.step(result.loss, meanLoss, rate);
    } finally {
      if ('loss' in result) result.loss?.dispose();
      disposeBatch(loaded.batch);
    }
    this.#leaveStep();
    state.step++;
    const { pass, batch } = cursor.position;
    state.pass = pass;
    state.batch = batch;
    const samples =
      (loaded.indices.length || (this.#subject.train_dataloader.batch_size ?? 1)) * environment.collective.worldSize;
    this.#parts.meter.stepped(samples);
    this.#parts.leaks?.stepped();
    const saves = savesAfterStep(settings, state.step);
    if (saves.length > 0) this.#late.settle();
    for (const save of saves) await this.#saver.save(save);
  }

  #request({ batch }: LoadedBatch, index: number, isLast: boolean): StepRequest {
    const { state, isLogging, updater } = this.#parts;
    return { batch, index, wantsNorm: state.gradNormDue, isLogging, sums: updater.sums, isLast };
  }

  /** Looks at the loss of a step that is to run as a whole, before it changes anything. */
  async #checkBeforehand(request: StepRequest, loaded: LoadedBatch): Promise<void> {
    const { compiler } = this.#parts;
    if (compiler?.isWhole !== true || !compiler.isActive) return;
    this.#beginNoise();
    const loss = this.#inStep(
      () => compiler.loss(request),
      (result) => (result === undefined ? 0 : 1),
    );
    if (loss !== undefined) await this.#checkFirstLoss(loss, loaded).finally(() => loss.dispose());
  }

  /** The whole step as one graph, where the trainer compiles and nothing needs to be looked at in between. */
  #fused(request: StepRequest): FusedResult | StartedStep | undefined {
    const { compiler, updater } = this.#parts;
    if (compiler?.isWhole !== true || !compiler.isActive) return undefined;
    this.#beginNoise();
    const { waiting } = updater;
    return this.#inStep(
      () => {
        const result = compiler.fused(request);
        if (result !== undefined) updater.drop();
        return result;
      },
      (result) => fusedTensors(result) - (result === undefined ? 0 : waiting),
    );
  }

  /**
   * Takes in the gradients of a micro-step and, at the end of an accumulation, updates with them. A promise only where
   * something has to be waited for.
   */
  #backwardDone(
    result: StepResult | CompiledGradients,
    loaded: LoadedBatch,
    isSync: boolean,
  ): UpdateEnd | Promise<UpdateEnd> {
    if (this.#parts.state.step !== this.#checkedStep) return this.#accumulated(result, loaded, isSync);
    return this.#checkFirstLoss(result.loss, loaded).then(() => this.#accumulated(result, loaded, isSync));
  }

  #accumulated(
    result: StepResult | CompiledGradients,
    loaded: LoadedBatch,
    isSync: boolean,
  ): UpdateEnd | Promise<UpdateEnd> {
    const { state, updater } = this.#parts;
    updater.accumulate(result);
    state.accumulated++;
    if (!isSync) return undefined;
    const compiled = 'update' in result && result.update !== undefined ? result.update : undefined;
    return this.#update(result.loss, loaded, compiled && { update: compiled, flat: result.flat });
  }

  #leaveStep(): void {
    this.#hooks.leaveBatch();
    this.#parts.isLogging = true;
  }

  async #checkFirstLoss(loss: tf.Scalar, loaded: LoadedBatch): Promise<void> {
    await this.#hooks.call('training_step', async () => this.#recovery.checkFirstLoss(await readScalar(loss), loaded));
  }

  #forwardBackward(request: StepRequest, loaded: LoadedBatch): StepResult | CompiledGradients {
    const { executor, keeper, compiler, scaler } = this.#parts;
    this.#beginNoise();
    const isCompiled = compiler?.isActive === true && !(compiler.isWhole && request.isLast);
    const compiled = isCompiled ? this.#inStep(() => compiler.backward(request), gradientTensors) : undefined;
    if (compiled !== undefined) return compiled;
    const step = () => {
      const loss = this.#subject.training_step(loaded.batch, request.index);
      keeper.keep();
      return loss;
    };
    const divisor = this.#subject.settings.gradient_accumulation_steps / (scaler?.scale ?? 1);
    const eager = () => executor.run(step, divisor);
    return this.#inStep(eager, gradientTensors);
  }

  #beginNoise(): void {
    const { environment } = this.#subject;
    beginNoise({ seed: environment.seed, rank: environment.collective.rank, step: this.#parts.state.step });
  }

  /** Runs work that belongs to training_step; `owed` counts the tensors in its result. */
  #inStep<T>(work: () => T, owed: (result: T) => number): T {
    const { trace } = this.#hooks;
    const mark = trace?.enter();
    try {
      const result = work();
      if (mark !== undefined) trace?.leave('training_step', mark, owed(result));
      return result;
    } catch (error) {
      throw this.#hooks.error('training_step', error);
    }
  }

  /** The optimizer step; gives the mean loss over the ranks when there are several. */
  #update(
    loss: tf.Scalar,
    loaded: LoadedBatch,
    compiled: Parameters<Updater['update']>[3],
  ): UpdateEnd | Promise<UpdateEnd> {
    const { environment } = this.#subject;
    const { state, updater } = this.#parts;
    const { waiting } = updater;
    const update = this.#hooks.call(
      'optimizer step',
      () => updater.update(loss, environment.stop.requested, state.gradNormDue, compiled),
      ({ gradNorm }) => (gradNorm === undefined ? 0 : 1) - waiting,
    );
    return isPromise(update) ? update.then((done) => this.#judged(done, loaded)) : this.#judged(update, loaded);
  }

  #judged(update: Update, loaded: LoadedBatch): UpdateEnd | Promise<UpdateEnd> {
    if (update.problem !== undefined) return this.#live(update, update.problem, loaded);
    this.#recovery.passed();
    this.#updated(update);
    return update.loss;
  }

  async #live(update: Update, problem: StepProblem, loaded: LoadedBatch): Promise<UpdateEnd> {
    if ((await this.#recover(problem, update, loaded)) === 'rolled-back') return 'rolled-back';
    this.#updated(update);
    return update.loss;
  }

  /** The norm of a step that was started is logged when it is there. */
  #updatedWhole(result: FusedResult | StartedStep): void {
    if ('ticket' in result) this.#parts.state.gradNormDue = false;
    const gradNorm = 'ticket' in result ? undefined : result.gradNorm;
    this.#updated({ isApplied: true, problem: undefined, gradNorm, loss: undefined, isStopWanted: false });
  }

  /** Counts an optimizer step and what follows from it. */
  #updated(update: Update): void {
    const { settings, environment, lr_scheduler: scheduler } = this.#subject;
    const { state } = this.#parts;
    state.accumulated = 0;
    this.#parts.isStopAgreed ||= update.isStopWanted && environment.collective.worldSize > 1;
    if (update.isApplied) {
      state.updates++;
      if (scheduler !== null && settings.lr_scheduler_interval === 'step') this.#parts.advance(scheduler);
    }
    if (state.gradNormDue && update.gradNorm !== undefined) {
      this.#parts.log.add('train/grad_norm', update.gradNorm, state.step, state.epoch);
      state.gradNormDue = false;
    }
    update.gradNorm?.dispose();
  }

  async #recover(problem: StepProblem, { gradNorm }: Update, loaded: LoadedBatch): Promise<Recovered> {
    let recovered: Recovered | undefined;
    try {
      recovered = await this.#hooks.call('optimizer step', () => this.#recovery.handle(problem, loaded));
      if (recovered === 'rolled-back') this.#saver.forgetStep();
      return recovered;
    } finally {
      if (recovered !== 'went-on') gradNorm?.dispose();
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
    const isMonitored = monitor !== null && validation !== null;
    if (isMonitored) monitor.update(metrics);
    this.#judgePatience();
    for (const save of savesAfterEpoch(settings, state.epoch)) await this.#saver.save(save);
    if (isMonitored) await this.#saver.saveIfBest();
    await this.#hooks.call('on_train_epoch_end', () => this.#subject.on_train_epoch_end());
  }

  // Also asked before the first epoch: a run that had stopped early is not trained on when it is resumed.
  #judgePatience(): void {
    const { early_stop: patience, metric_monitor: monitor } = this.#subject.settings;
    if (monitor !== null && this.#subject.val_dataloader !== null)
      this.#isStoppedEarly = shouldStopEarly(patience, monitor);
  }

  async #finish(status: FitStatus): Promise<FitResult> {
    const { meter, log, media, state, metrics } = this.#parts;
    await log.flush();
    await media.flush();
    meter.enter('finishing', this.#parts.position());
    this.#saver.checkSaved();
    return { status, epoch: state.epoch, step: state.step, metrics, checkpoint: this.#saver.newest };
  }
}

function batchTensors(next: NextBatch | undefined): number {
  return next === undefined ? 0 : countTensors(next.loaded.batch);
}

function fusedTensors(result: FusedResult | StartedStep | undefined): number {
  if (result === undefined || 'ticket' in result) return 0;
  return (result.loss === undefined ? 0 : 1) + (result.gradNorm === undefined ? 0 : 1);
}
