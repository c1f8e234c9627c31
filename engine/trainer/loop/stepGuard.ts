import * as tf from '@tensorflow/tfjs';
import type { LossScaler } from '../../optim/index.ts';
import { SpikeDetector, type SpikeState } from '../monitor/spikeDetector.ts';
import type { LossSpikeSettings, StepPolicy } from '../settingSections.ts';

export interface StepGuardOptions {
  /** null: not set, which is `continue`. */
  readonly nanPolicy: StepPolicy | null;
  readonly lossSpike: LossSpikeSettings | null;
  /** With fp16: told of each step whether its gradients overflowed. */
  readonly scaler?: LossScaler | undefined;
}

/** Why an optimizer step would harm, and what is to be done about it. */
export interface StepProblem {
  /** `overflow`: in half precision, which a smaller loss scale cures. */
  readonly kind: 'not-finite' | 'spike' | 'overflow';
  readonly policy: StepPolicy;
  /** The start of a sentence for a person. */
  readonly text: string;
}

/** So many optimizer steps left out in a row mean that no later one will be better. */
export const mostSkipsInARow = 50;

/** Judges each optimizer step before it is taken. Ranks judge the same reduced numbers, so they agree. */
export class StepGuard {
  readonly #nanPolicy: StepPolicy;
  readonly #spikePolicy: StepPolicy;
  readonly #spikes: SpikeDetector | undefined;
  readonly #scaler: LossScaler | undefined;

  constructor({ nanPolicy, lossSpike, scaler }: StepGuardOptions) {
    this.#scaler = scaler;
    // overflow in half precision is no reason to spoil the weights
    this.#nanPolicy = nanPolicy ?? (scaler === undefined ? 'continue' : 'skip');
    this.#spikePolicy = lossSpike?.policy ?? 'continue';
    this.#spikes = lossSpike === null ? undefined : new SpikeDetector(lossSpike);
  }

  /** Whether it looks at the gradient norm; nothing is read from the device for a guard that looks at nothing. */
  get wantsNorm(): boolean {
    return this.#nanPolicy !== 'continue' || this.#scaler !== undefined;
  }

  /** Whether there is anything to judge at all. */
  get looks(): boolean {
    return this.wantsNorm || this.wantsLoss;
  }

  get wantsLoss(): boolean {
    return this.#spikes !== undefined;
  }

  /** Reads what it needs in one go. `reduced` is the ranks' mean loss, where they have one already. */
  async judge(
    norm: tf.Scalar | undefined,
    loss: tf.Scalar,
    reduced: number | undefined,
  ): Promise<StepProblem | undefined> {
    const readsNorm = this.wantsNorm && norm !== undefined;
    const readsLoss = this.wantsLoss && reduced === undefined;
    if (!readsNorm && !this.wantsLoss) return undefined;
    const numbers = await readScalars([...(readsNorm ? [norm] : []), ...(readsLoss ? [loss] : [])]);
    const lossValue = reduced ?? numbers[readsNorm ? 1 : 0];
    return (readsNorm ? this.#judgeNorm(numbers[0]) : undefined) ?? this.#judgeLoss(lossValue);
  }

  #judgeNorm(norm = Number.NaN): StepProblem | undefined {
    if (Number.isFinite(norm)) {
      this.#scaler?.succeeded();
      return undefined;
    }
    if (this.#scaler?.overflowed() === true) {
      const text = `The gradients overflowed in half precision; the loss scale is ${this.#scaler.scale} now.`;
      return { kind: 'overflow', policy: 'skip', text };
    }
    return { kind: 'not-finite', policy: this.#nanPolicy, text: `The gradient norm is ${norm}.` };
  }

  #judgeLoss(loss = Number.NaN): StepProblem | undefined {
    const spike = this.#spikes?.take(loss);
    if (spike === undefined) return undefined;
    const times = (spike.loss - spike.median) / spike.deviation;
    const text = `The loss jumped to ${short(spike.loss)}, ${short(times)} robust deviations above the recent median of ${short(spike.median)}.`;
    return { kind: 'spike', policy: this.#spikePolicy, text };
  }

  /** Recent losses, for a checkpoint; null when none are kept. */
  state(): SpikeState | null {
    return this.#spikes?.state() ?? null;
  }

  restore(state: SpikeState): void {
    this.#spikes?.restore(state);
  }
}

async function readScalars(scalars: readonly tf.Scalar[]): Promise<readonly number[]> {
  if (scalars.length === 0) return [];
  // one wait for the device, however many numbers
  const stacked = scalars.length === 1 ? undefined : tf.stack([...scalars]);
  const values = await (stacked ?? scalars[0])?.data();
  stacked?.dispose();
  return [...(values ?? [])];
}

function short(value: number): string {
  return String(Number(value.toPrecision(4)));
}
