import type * as tf from '@tensorflow/tfjs';
import type { StepNumbers } from '../compile/stepRequest.ts';
import type { TrainerSubject } from '../hooks.ts';
import { readScalar } from '../logging/metricLog.ts';
import type { LoopParts } from './loopParts.ts';

/** A step whose numbers are logged. */
export interface LoggedStep {
  readonly step: number;
  readonly epoch: number;
  /** The learning rate that it was made with, where that is to be logged. */
  readonly rate: number | undefined;
}

/** Logs what is logged of every step that is due: its loss and the learning rate. */
export class StepLog {
  readonly #subject: TrainerSubject;
  readonly #parts: LoopParts;
  #warnedNotFinite = false;

  constructor(subject: TrainerSubject, parts: LoopParts) {
    this.#subject = subject;
    this.#parts = parts;
  }

  /** `meanLoss` over the ranks where it is known already. */
  async step(loss: tf.Scalar, meanLoss: number | undefined, rate: number | undefined): Promise<void> {
    const { collective } = this.#subject.environment;
    const { step, epoch } = this.#parts.state;
    let value = meanLoss;
    if (value === undefined) {
      // reading the loss waits for the device: only when due
      const own = Float32Array.of(await readScalar(loss));
      await collective.allReduce(own, 'mean');
      value = own[0] ?? Number.NaN;
    }
    this.#note(value, { step, epoch, rate: this.rateToLog(rate) });
  }

  /** The rate where it is to be logged for the current step by us: who logs one in training_step knows better. */
  rateToLog(rate: number | undefined): number | undefined {
    const { log, state } = this.#parts;
    return log.has('train/lr', state.step) ? undefined : rate;
  }

  /** Of a step that was not waited for. Frees tensors. */
  late({ loss, gradNorm, logged }: StepNumbers, at: LoggedStep): void {
    const { log } = this.#parts;
    for (const [key, value] of logged) {
      log.add(key, value, at.step, at.epoch);
      if (typeof value !== 'number') value.dispose();
    }
    if (gradNorm !== undefined) log.add('train/grad_norm', gradNorm, at.step, at.epoch);
    if (loss !== undefined) this.#note(loss, logged.has('train/lr') ? { ...at, rate: undefined } : at);
  }

  #note(value: number, { step, epoch, rate }: LoggedStep): void {
    const { settings } = this.#subject;
    const { log, meter } = this.#parts;
    meter.noteLoss(value);
    log.add('train/loss', value, step, epoch);
    if (rate !== undefined) log.add('train/lr', rate, step, epoch);
    const policy = settings.nan_policy ?? 'continue';
    // where a policy acts it says so itself
    if (!Number.isFinite(value) && policy === 'continue' && !this.#warnedNotFinite) {
      this.#warnedNotFinite = true;
      this.#parts.warn(
        `The training loss is ${value} at step ${step}. Training goes on; nan_policy: stop, skip or rollback would not.`,
      );
    }
  }
}
