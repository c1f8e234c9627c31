import type * as tf from '@tensorflow/tfjs';
import type { TrainerSubject } from '../hooks.ts';
import { readScalar } from '../logging/metricLog.ts';
import type { LoopParts } from './loopParts.ts';

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
    const { settings, environment } = this.#subject;
    const { collective } = environment;
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
    const policy = settings.nan_policy ?? 'continue';
    // where a policy acts it says so itself
    if (!Number.isFinite(value) && policy === 'continue' && !this.#warnedNotFinite) {
      this.#warnedNotFinite = true;
      this.#parts.warn(
        `The training loss is ${value} at step ${state.step}. Training goes on; nan_policy: stop, skip or rollback would not.`,
      );
    }
  }
}
