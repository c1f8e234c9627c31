import type { LossSpikeSettings } from '../settingSections.ts';

/** Makes the median absolute deviation of normal numbers their standard deviation: 1 / Φ⁻¹(3/4). */
const consistency = 1.4826;
/** Losses that barely differ are no reason to call a slightly larger one a spike: 1 % of the median counts as deviation. */
const leastRelativeDeviation = 0.01;
/** After so many spikes in a row the higher level is the new normal: a judge that never relents would stop all learning. */
const mostInARow = 10;

export interface Spike {
  readonly loss: number;
  readonly median: number;
  /** Robust standard deviation of the recent losses. */
  readonly deviation: number;
}

export interface SpikeState {
  readonly recent: readonly number[];
  readonly in_a_row: number;
}

/** Finds losses that jump above the recent ones, by median and median absolute deviation: outliers do not move those. */
export class SpikeDetector {
  readonly #settings: LossSpikeSettings;
  #recent: number[] = [];
  #inARow = 0;

  constructor(settings: LossSpikeSettings) {
    this.#settings = settings;
  }

  /** Takes the next loss; the spike that it is, or undefined. A loss that is not finite is not this judge's. */
  take(loss: number): Spike | undefined {
    if (!Number.isFinite(loss)) return undefined;
    const spike = this.#judge(loss);
    if (spike !== undefined && ++this.#inARow < mostInARow) return spike;
    if (spike !== undefined) this.#recent = [];
    this.#inARow = 0;
    this.#recent.push(loss);
    if (this.#recent.length > this.#settings.window) this.#recent.shift();
    return spike;
  }

  #judge(loss: number): Spike | undefined {
    const { threshold, min_history: least } = this.#settings;
    if (this.#recent.length < least) return undefined;
    const centre = median(this.#recent);
    const spread = consistency * median(this.#recent.map((value) => Math.abs(value - centre)));
    const deviation = Math.max(spread, leastRelativeDeviation * Math.abs(centre), Number.EPSILON);
    return loss > centre + threshold * deviation ? { loss, median: centre, deviation } : undefined;
  }

  /** For a checkpoint. */
  state(): SpikeState {
    return { recent: [...this.#recent], in_a_row: this.#inARow };
  }

  restore(state: SpikeState): void {
    this.#recent = state.recent.slice(-this.#settings.window);
    this.#inARow = state.in_a_row;
  }
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}
