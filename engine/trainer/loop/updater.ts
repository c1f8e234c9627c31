import * as tf from '@tensorflow/tfjs';
import type { Collective } from '../../api/training.ts';
import { clipGradNorm, clipGradValue, gradientNorm, type LossScaler, type WeightAverage } from '../../optim/index.ts';
import type { CompiledUpdate, GivenGradients } from '../compile/stepRequest.ts';
import { readScalar } from '../logging/metricLog.ts';
import type { NamedVariable } from '../model/module.ts';
import type { OptimizerLike } from '../ports.ts';
import type { StepResult } from './eagerStep.ts';
import {
  disposeGradients,
  type FlatLayout,
  flatLayout,
  flatten,
  GradientStore,
  gather,
  spread,
  unflatten,
} from './gradientStore.ts';
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

/** What a compiled update is given. */
interface Given {
  readonly update: CompiledUpdate;
  readonly gradients: GivenGradients;
  dispose(): void;
}

/** What the optimizer is to step with, and the norm of all of it before it was limited. */
interface Clipped {
  readonly gradients: Map<string, tf.Tensor>;
  readonly norm: tf.Scalar | undefined;
}

interface Reduced {
  /** Of the last micro-batch, and of all micro-batches, which is what is judged. */
  readonly loss: number | undefined;
  readonly judged: number | undefined;
  readonly isStopWanted: boolean;
  /** For the update one operation at a time. */
  gradients(): Map<string, tf.Tensor>;
  given(update: CompiledUpdate | undefined): Given | undefined;
}

/** A single process's gradients are the result as they are, and nothing has to be waited for. */
function unreduced(own: Map<string, tf.Tensor>, isStopWanted: boolean): Reduced {
  return {
    loss: undefined,
    judged: undefined,
    isStopWanted,
    gradients: () => own,
    given: (update) => update && { update, gradients: own, dispose: () => disposeGradients(own) },
  };
}

/** From gradients to new weights: accumulates, averages over the ranks, clips, steps the optimizer. */
export class Updater {
  readonly #options: UpdaterOptions;
  readonly #layout: FlatLayout;
  readonly #accumulated = new GradientStore();
  /** Of the micro-steps so far, where the guard judges the loss. */
  #losses: { readonly sum: tf.Scalar; readonly count: number } | undefined;

  constructor(options: UpdaterOptions) {
    this.#options = options;
    this.#layout = flatLayout(options.parameters);
  }

  /** Takes over a micro-step's gradients; with one process they never leave the device. */
  accumulate(result: StepResult): void {
    if (result.areTotals === true) this.#accumulated.replace(result.gradients);
    else this.#accumulated.add(result.gradients);
    if (this.#options.guard.wantsLoss) this.#addLoss(result.loss);
  }

  // a spike may be in any of the micro-batches
  #addLoss(loss: tf.Scalar, count = 1): void {
    const before = this.#losses;
    const sum = before === undefined ? loss.clone() : tf.add<tf.Scalar>(before.sum, loss);
    before?.sum.dispose();
    this.#losses = { sum, count: (before?.count ?? 0) + count };
  }

  /** The mean loss of the micro-steps that end here, the caller's to dispose. */
  #takeLoss(): tf.Scalar | undefined {
    const losses = this.#losses;
    this.#losses = undefined;
    if (losses === undefined || losses.count === 1) return losses?.sum;
    const mean = tf.tidy(() => losses.sum.div<tf.Scalar>(losses.count));
    losses.sum.dispose();
    return mean;
  }

  /** Sums of the micro-steps so far; they stay the updater's. */
  get sums(): ReadonlyMap<string, tf.Tensor> {
    return this.#accumulated.peek();
  }

  /** Lets go of sums that went into weights. */
  drop(): void {
    this.#accumulated.dispose();
    this.#takeLoss()?.dispose();
  }

  /** Gradients that wait for the end of their accumulation. */
  get waiting(): number {
    return this.#accumulated.peek().size + (this.#losses === undefined ? 0 : 1);
  }

  /** This rank's gradients (and losses, where they are judged) of an unfinished accumulation as one array, for a checkpoint. */
  async exportAccumulated(): Promise<Float32Array | undefined> {
    const gradients = this.#accumulated.peek();
    const losses = this.#losses;
    if (gradients.size === 0) return undefined;
    return flatten(gradients, this.#layout, losses === undefined ? [] : [await readScalar(losses.sum), losses.count]);
  }

  /** Puts back what `exportAccumulated` gave. */
  importAccumulated(values: Float32Array): void {
    this.drop();
    const { gradients, extra } = unflatten(values, this.#layout);
    this.#accumulated.add(gradients);
    const [sum, count] = extra;
    if (sum === undefined || count === undefined || !this.#options.guard.wantsLoss) return;
    const loss = tf.scalar(sum);
    this.#addLoss(loss, count);
    loss.dispose();
  }

  /**
   * Ends an accumulation. `loss` is the last micro-batch's, `wantsStop` this rank's own wish. With `compiled` the rest of
   * the step is one graph; `flat` are then this rank's gradients where ranks exchange them. A promise only where ranks,
   * or the device, have to be waited for.
   */
  update(
    loss: tf.Scalar,
    wantsStop: boolean,
    wantsNorm: boolean,
    compiled?: { readonly update: CompiledUpdate; readonly flat: tf.Tensor | undefined },
  ): Update | Promise<Update> {
    const own = this.#accumulated.take();
    const mean = this.#takeLoss();
    const judged = mean ?? loss;
    const apply = (): Update | Promise<Update> =>
      this.#options.collective.worldSize > 1
        ? this.#reduce(own, { loss, judged }, wantsStop, compiled).then((reduced) =>
            this.#apply(reduced, judged, wantsNorm, compiled?.update),
          )
        : this.#apply(unreduced(own, wantsStop), judged, wantsNorm, compiled?.update);
    if (mean === undefined) return apply();
    // async: what is thrown at once frees the mean, too
    return (async () => apply())().finally(() => mean.dispose());
  }

  #apply(
    reduced: Reduced,
    judged: tf.Scalar,
    wantsNorm: boolean,
    compiled: CompiledUpdate | undefined,
  ): Update | Promise<Update> {
    const given = reduced.given(compiled);
    if (given === undefined) return this.#applyEager(reduced, judged, wantsNorm);
    return this.#applyCompiled(given, judged, reduced.judged, wantsNorm).then((applied) =>
      applied === undefined
        ? this.#applyEager(reduced, judged, wantsNorm)
        : { ...applied, loss: reduced.loss, isStopWanted: reduced.isStopWanted },
    );
  }

  /** One operation at a time. */
  #applyEager(reduced: Reduced, judged: tf.Scalar, wantsNorm: boolean): Update | Promise<Update> {
    const { guard } = this.#options;
    const clipped = this.clip(this.#unscale(reduced.gradients()), wantsNorm);
    if (!guard.looks) return this.#step(clipped, reduced, undefined);
    return guard.judge(clipped.norm, judged, reduced.judged).then(
      (problem) => this.#step(clipped, reduced, problem),
      (error: unknown) => {
        clipped.norm?.dispose();
        disposeGradients(clipped.gradients);
        throw error;
      },
    );
  }

  /** Steps the optimizer, unless the problem is one not to be lived with; frees the gradients. */
  #step(
    { gradients, norm }: Clipped,
    { loss, isStopWanted }: Pick<Reduced, 'loss' | 'isStopWanted'>,
    problem: StepProblem | undefined,
  ): Update {
    const { optimizer, average } = this.#options;
    const isApplied = problem === undefined || problem.policy === 'continue';
    try {
      if (isApplied) {
        optimizer.step(gradients);
        average?.update();
      }
      return { isApplied, problem, gradNorm: norm, loss, isStopWanted };
    } catch (error) {
      norm?.dispose();
      throw error;
    } finally {
      disposeGradients(gradients);
    }
  }

  /** Undefined when the graph failed, with nothing changed. */
  async #applyCompiled(
    { update, gradients, dispose }: Given,
    judged: tf.Scalar,
    reduced: number | undefined,
    wantsNorm: boolean,
  ): Promise<Pick<Update, 'isApplied' | 'problem' | 'gradNorm'> | undefined> {
    const { guard } = this.#options;
    const isMeasured = wantsNorm || guard.wantsNorm;
    const gradNorm = isMeasured ? update.norm(gradients) : undefined;
    if (isMeasured && gradNorm === undefined) return undefined;
    try {
      const problem = guard.looks ? await guard.judge(gradNorm, judged, reduced) : undefined;
      const isApplied = problem === undefined || problem.policy === 'continue';
      if (isApplied && !update.step(gradients)) {
        gradNorm?.dispose();
        return undefined;
      }
      dispose();
      return { isApplied, problem, gradNorm };
    } catch (error) {
      gradNorm?.dispose();
      throw error;
    }
  }

  async #reduce(
    own: Map<string, tf.Tensor>,
    { loss, judged }: { readonly loss: tf.Scalar; readonly judged: tf.Scalar },
    wantsStop: boolean,
    compiled: { readonly update: CompiledUpdate; readonly flat: tf.Tensor | undefined } | undefined,
  ): Promise<Reduced> {
    const { collective } = this.#options;
    const extra = [await readScalar(loss), wantsStop ? 1 : 0, ...(judged === loss ? [] : [await readScalar(judged)])];
    const flat = compiled?.flat;
    const names = new Set(compiled?.update.names);
    const buffer =
      flat === undefined
        ? await flatten(own, this.#layout, extra)
        : spread(await flat.data<'float32'>(), names, this.#layout, extra);
    flat?.dispose();
    disposeGradients(own);
    await collective.allReduce(buffer, 'mean');
    const [meanLoss, stop = 0, meanJudged = meanLoss] = buffer.subarray(buffer.length - extra.length);
    return {
      loss: meanLoss,
      judged: meanJudged,
      isStopWanted: stop > 0,
      gradients: () => unflatten(buffer, this.#layout).gradients,
      given: (update) => {
        // another rank may have had gradients of other parameters
        const values = update === undefined ? undefined : gather(buffer, names, this.#layout);
        if (update === undefined || values === undefined) return undefined;
        const gradients = tf.tensor1d(values);
        return { update, gradients, dispose: () => gradients.dispose() };
      },
    };
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
  clip(raw: Map<string, tf.Tensor>, wantsNorm: boolean): Clipped {
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
    this.drop();
  }
}
