import * as tf from '@tensorflow/tfjs';
import type { Collective } from '../../api/training.ts';
import { clipGradNorm, clipGradValue, gradientNorm, type LossScaler, type WeightAverage } from '../../optim/index.ts';
import { readScalar } from '../logging/metricLog.ts';
import type { NamedVariable } from '../model/module.ts';
import type { OptimizerLike } from '../ports.ts';
import type { StepResult } from './eagerStep.ts';
import { disposeGradients, type FlatLayout, flatLayout, flatten, GradientStore, unflatten } from './gradientStore.ts';
import type { StepGuard, StepProblem } from './stepGuard.ts';

export interface UpdaterOptions {
  readonly parameters: readonly NamedVariable[];
  readonly optimizer: OptimizerLike;
  readonly collective: Collective;
  readonly maxGradNorm: number | null;
  readonly clipGradValue: number | null;
  readonly guard: StepGuard;
  /** With fp16: what the loss, and so the gradients, are multiplied by. */
  readonly scaler: LossScaler | undefined;
  /** Follows the weights after each optimizer step, where they are averaged. */
  readonly average: WeightAverage | undefined;
}

/** What came of the optimizer step at the end of an accumulation. */
export interface Update {
  /** False when the guard found a problem whose policy is not to continue; weights and optimizer are then untouched. */
  readonly isApplied: boolean;
  readonly problem: StepProblem | undefined;
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

  /** Gradients that wait for the end of their accumulation. */
  get waiting(): number {
    return this.#accumulated.peek().size;
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
    const { gradients, norm } = this.clip(this.#unscale(reduced.gradients), wantsNorm);
    try {
      const { guard, optimizer, average } = this.#options;
      const problem = await guard.judge(norm, loss, reduced.loss);
      const isApplied = problem === undefined || problem.policy === 'continue';
      if (isApplied) {
        optimizer.step(gradients);
        average?.update();
      }
      return { isApplied, problem, gradNorm: norm, loss: reduced.loss, isStopWanted: reduced.isStopWanted };
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

  #unscale(gradients: Map<string, tf.Tensor>): Map<string, tf.Tensor> {
    const { scaler } = this.#options;
    if (scaler === undefined) return gradients;
    const factor = tf.scalar(1 / scaler.scale, 'float32');
    const unscaled = new Map([...gradients].map(([name, gradient]) => [name, tf.mul(gradient, factor)]));
    factor.dispose();
    disposeGradients(gradients);
    return unscaled;
  }

  /**
   * Limits gradients as the settings say and takes them over; the results are the caller's. Measuring the norm costs an
   * operation for each parameter: only when it clips, decides or is to be logged.
   */
  clip(raw: Map<string, tf.Tensor>, wantsNorm: boolean) {
    const { maxGradNorm, clipGradValue: limit, guard } = this.#options;
    const isMeasured = wantsNorm || guard.wantsNorm;
    if (limit === null && maxGradNorm === null) {
      return { gradients: raw, norm: isMeasured ? gradientNorm(raw) : undefined };
    }
    if (limit === null) {
      const { gradients, totalNorm } = clipGradNorm(raw, maxGradNorm);
      disposeGradients(raw);
      return { gradients, norm: totalNorm };
    }
    // what is logged and judged is the norm before any clipping
    const norm = isMeasured ? gradientNorm(raw) : undefined;
    const limited = clipGradValue(raw, limit);
    disposeGradients(raw);
    if (maxGradNorm === null) return { gradients: limited, norm };
    const { gradients, totalNorm } = clipGradNorm(limited, maxGradNorm);
    totalNorm.dispose();
    disposeGradients(limited);
    return { gradients, norm };
  }

  dispose(): void {
    this.#accumulated.dispose();
  }
}
