import type * as tf from '@tensorflow/tfjs';
import { EngineError } from '../../api/errors.ts';
import type { Collective } from '../../api/training.ts';
import { clipGradNorm, gradientNorm } from '../../optim/index.ts';
import { readScalar } from '../logging/metricLog.ts';
import type { NamedVariable } from '../model/module.ts';
import type { OptimizerLike } from '../ports.ts';
import type { NanPolicy } from '../settings.ts';
import type { StepResult } from './eagerStep.ts';
import { disposeGradients, type FlatLayout, flatLayout, flatten, GradientStore, unflatten } from './gradientStore.ts';

export interface UpdaterOptions {
  readonly parameters: readonly NamedVariable[];
  readonly optimizer: OptimizerLike;
  readonly collective: Collective;
  readonly maxGradNorm: number | null;
  readonly nanPolicy: NanPolicy;
}

/** What came of the optimizer step at the end of an accumulation. */
export interface Update {
  /** False when a value that is not finite made the optimizer skip (nan_policy: skip). */
  readonly isApplied: boolean;
  /** Norm of all gradients before clipping, on the device; the caller disposes it. Absent when nobody needed it. */
  readonly gradNorm: tf.Scalar | undefined;
  /** Mean loss over the ranks; only with several of them. */
  readonly loss: number | undefined;
  /** Whether any rank was asked to stop; all ranks get the same answer. */
  readonly isStopWanted: boolean;
}

/** From gradients to new weights: accumulates, averages over the ranks, clips, steps the optimizer. */
export class Updater {
  readonly #options: UpdaterOptions;
  readonly #layout: FlatLayout;
  readonly #accumulated = new GradientStore();

  constructor(options: UpdaterOptions) {
    this.#options = options;
    this.#layout = flatLayout(options.parameters);
  }

  /** Takes over a micro-step's gradients; with one process they never leave the device. */
  accumulate(result: StepResult): void {
    this.#accumulated.add(result.gradients);
  }

  /** This rank's gradients of an unfinished accumulation as one array, for a checkpoint. */
  async exportAccumulated(): Promise<Float32Array | undefined> {
    const gradients = this.#accumulated.peek();
    return gradients.size === 0 ? undefined : flatten(gradients, this.#layout, []);
  }

  /** Puts back what `exportAccumulated` gave. */
  importAccumulated(values: Float32Array): void {
    this.#accumulated.dispose();
    this.#accumulated.add(unflatten(values, this.#layout).gradients);
  }

  /** Ends an accumulation. `loss` is the last micro-batch's, `wantsStop` this rank's own wish. */
  async update(loss: tf.Scalar, wantsStop: boolean, wantsNorm: boolean): Promise<Update> {
    const own = this.#accumulated.take();
    const reduced = await this.#reduce(own, loss, wantsStop);
    const { gradients, norm } = this.#clip(reduced.gradients, wantsNorm);
    try {
      const isApplied = norm === undefined || (await this.#mayApply(norm));
      if (isApplied) this.#options.optimizer.step(gradients);
      return { isApplied, gradNorm: norm, loss: reduced.loss, isStopWanted: reduced.isStopWanted };
    } catch (error) {
      norm?.dispose();
      throw error;
    } finally {
      disposeGradients(gradients);
    }
  }

  async #reduce(own: Map<string, tf.Tensor>, loss: tf.Scalar, wantsStop: boolean) {
    const { collective } = this.#options;
    if (collective.worldSize === 1) return { gradients: own, loss: undefined, isStopWanted: wantsStop };
    const buffer = await flatten(own, this.#layout, [await readScalar(loss), wantsStop ? 1 : 0]);
    disposeGradients(own);
    await collective.allReduce(buffer, 'mean');
    const { gradients, extra } = unflatten(buffer, this.#layout);
    return { gradients, loss: extra[0], isStopWanted: (extra[1] ?? 0) > 0 };
  }

  // Measuring the norm costs an operation for each parameter: only when it clips, decides or is to be logged.
  #clip(raw: Map<string, tf.Tensor>, wantsNorm: boolean) {
    const { maxGradNorm, nanPolicy } = this.#options;
    if (maxGradNorm === null) {
      return { gradients: raw, norm: wantsNorm || nanPolicy !== 'continue' ? gradientNorm(raw) : undefined };
    }
    const { gradients, totalNorm } = clipGradNorm(raw, maxGradNorm);
    disposeGradients(raw);
    return { gradients, norm: totalNorm };
  }

  async #mayApply(norm: tf.Scalar): Promise<boolean> {
    if (this.#options.nanPolicy === 'continue') return true;
    const value = await readScalar(norm);
    if (Number.isFinite(value)) return true;
    if (this.#options.nanPolicy === 'skip') return false;
    throw new EngineError(
      'trainer.not-finite',
      `The gradient norm is ${value}. Lower the learning rate or max_grad_norm, or look for a division by zero or a logarithm of zero in training_step; nan_policy: skip leaves such steps out.`,
      { norm: value },
    );
  }

  dispose(): void {
    this.#accumulated.dispose();
  }
}
