import * as tf from '@tensorflow/tfjs';
import { EngineError } from '../api/errors.ts';
import type { NamedParameter } from './parameter.ts';

export interface WeightAverageOptions {
  /** Share of the old average that an update keeps, from 0 up to below 1; 0.999 averages over about 1,000 updates. */
  readonly decay: number;
  /** Begin with a small decay that rises to `decay`: min(decay, (1 + n) / (10 + n)) at the n-th update. */
  readonly warmup: boolean;
}

/** The half of an average's state that is no tensor. */
export interface WeightAverageScalars {
  readonly decay: number;
  readonly updates: number;
}

/**
 * Exponential moving average of a model's weights (Polyak and Juditsky, 1992): average ← average + (1 − d)·(weight −
 * average) after each optimizer step, d being `decay`, or below it in the warm-up of TensorFlow's
 * ExponentialMovingAverage. Frozen weights and buffers are not averaged. Everything stays on the device; the one number
 * that changes from step to step, 1 − d, enters as a scalar.
 */
export class WeightAverage {
  readonly #options: WeightAverageOptions;
  readonly #parameters: readonly NamedParameter[];
  readonly #shadows = new Map<string, tf.Variable>();
  #updates = 0;
  #isExchanged = false;

  constructor(parameters: readonly NamedParameter[], options: WeightAverageOptions) {
    this.#parameters = parameters;
    this.#options = options;
  }

  /** Starts from the weights as they are now, unless it already holds averages. Call it before the first step. */
  begin(): void {
    if (this.#shadows.size > 0) return;
    for (const { name, variable } of this.#parameters) this.#shadows.set(name, tf.variable(variable, false));
  }

  /** Counts an update and gives its 1 − d. Follow with `apply`; `update` does both. */
  nextWeight(): number {
    const { decay, warmup } = this.#options;
    const count = this.#updates++;
    return 1 - (warmup ? Math.min(decay, (1 + count) / (10 + count)) : decay);
  }

  /** Undoes `nextWeight`, when no `apply` followed. */
  takeBackWeight(): void {
    this.#updates--;
  }

  /** The tensor half of an update. Call it inside `tf.tidy`. */
  apply(weight: tf.Scalar): void {
    for (const { name, variable } of this.#parameters) {
      const shadow = this.#shadow(name);
      shadow.assign(tf.add(shadow, tf.mul(tf.sub(variable, shadow), weight)));
    }
  }

  /** One update, after an optimizer step. */
  update(): void {
    const weight = this.nextWeight();
    tf.tidy(() => this.apply(tf.scalar(weight, 'float32')));
  }

  /** Lets the model show its averages, or its own weights again. Nothing is copied. */
  exchange(wanted: boolean): void {
    if (wanted === this.#isExchanged) return;
    for (const { name, variable } of this.#parameters) {
      const shadow = this.#shadow(name);
      const own = variable.clone();
      variable.assign(shadow);
      shadow.assign(own);
      own.dispose();
    }
    this.#isExchanged = wanted;
  }

  /** The live averages, by parameter name. Copy what you keep. */
  tensors(): ReadonlyMap<string, tf.Tensor> {
    return this.#shadows;
  }

  get scalars(): WeightAverageScalars {
    return { decay: this.#options.decay, updates: this.#updates };
  }

  /** Puts saved averages back. @throws EngineError `optim.average.state` when they are another model's */
  load(tensors: ReadonlyMap<string, tf.Tensor>, scalars: WeightAverageScalars): void {
    for (const { name, variable } of this.#parameters) {
      const saved = tensors.get(name);
      if (saved !== undefined && tf.util.arraysEqual(saved.shape, variable.shape)) continue;
      const found = saved === undefined ? 'is missing' : `has shape [${saved.shape}] instead of [${variable.shape}]`;
      throw new EngineError('optim.average.state', `In the saved averages of the weights, '${name}' ${found}.`, {
        parameter: name,
      });
    }
    this.begin();
    for (const { name } of this.#parameters) {
      const saved = tensors.get(name);
      if (saved !== undefined) this.#shadow(name).assign(saved);
    }
    this.#updates = scalars.updates;
  }

  dispose(): void {
    for (const shadow of this.#shadows.values()) shadow.dispose();
    this.#shadows.clear();
  }

  #shadow(name: string): tf.Variable {
    const found = this.#shadows.get(name);
    if (found === undefined) throw new Error(`Internal error: no average of '${name}'`);
    return found;
  }
}
