import { EngineError } from '../../api/errors.ts';
import { deriveSeed, Random } from '../../base/random.ts';
import type { PassKey } from '../dataset/passKey.ts';
import { checkOptions, requireWhole } from '../options.ts';
import { requireSource, type Sampler, type SizedSource } from './sampler.ts';

export interface SequentialSamplerOptions {
  readonly data_source: SizedSource;
}

/** 0, 1, 2, … */
export class SequentialSampler implements Sampler {
  readonly #source: SizedSource;

  constructor(options: SequentialSamplerOptions) {
    checkOptions('SequentialSampler', options, ['data_source']);
    this.#source = requireSource('SequentialSampler', options.data_source);
  }

  get length(): number {
    return this.#source.length;
  }

  order(): ArrayLike<number> {
    const order = new Int32Array(this.length);
    for (let i = 0; i < order.length; i++) order[i] = i;
    return order;
  }
}

export interface RandomSamplerOptions {
  readonly data_source: SizedSource;
  readonly replacement?: boolean;
  /** How many to draw; the dataset's length when absent. */
  readonly num_samples?: number | null;
  /** Joined with the loader's seed, so that two samplers of one run can differ. */
  readonly seed?: number | null;
}

/** A random order without repetition, or draws with it (torch.utils.data.RandomSampler). */
export class RandomSampler implements Sampler {
  readonly #source: SizedSource;
  readonly #replacement: boolean;
  readonly #count: number | undefined;
  readonly #seed: number;

  constructor(options: RandomSamplerOptions) {
    checkOptions('RandomSampler', options, ['data_source', 'replacement', 'num_samples', 'seed']);
    this.#source = requireSource('RandomSampler', options.data_source);
    this.#replacement = options.replacement ?? false;
    this.#count =
      options.num_samples == null ? undefined : requireWhole('RandomSampler', 'num_samples', options.num_samples, 1);
    this.#seed = options.seed ?? 0;
  }

  get length(): number {
    return this.#count ?? this.#source.length;
  }

  order(key: PassKey): ArrayLike<number> {
    const random = passRandom('random', key, this.#seed);
    const size = this.#source.length;
    if (this.#replacement) return Int32Array.from({ length: this.length }, () => random.integer(size));
    const order = new Int32Array(this.length);
    for (let start = 0; start < order.length; start += size) {
      order.set(random.permutation(size).subarray(0, order.length - start), start);
    }
    return order;
  }
}

export interface WeightedRandomSamplerOptions {
  readonly weights: ArrayLike<number>;
  readonly num_samples: number;
  readonly replacement?: boolean;
  readonly seed?: number | null;
  readonly data_source?: SizedSource;
}

/** Draws sample i with a chance proportional to weights[i] (torch.utils.data.WeightedRandomSampler). */
export class WeightedRandomSampler implements Sampler {
  readonly length: number;
  readonly #weights: Float64Array;
  readonly #replacement: boolean;
  readonly #seed: number;

  constructor(options: WeightedRandomSamplerOptions) {
    checkOptions('WeightedRandomSampler', options, ['weights', 'num_samples', 'replacement', 'seed', 'data_source']);
    this.length = requireWhole('WeightedRandomSampler', 'num_samples', options.num_samples, 1);
    this.#weights = Float64Array.from(options.weights);
    this.#replacement = options.replacement ?? true;
    this.#seed = options.seed ?? 0;
    const usable = this.#weights.filter((weight) => weight > 0).length;
    if (this.#weights.some((weight) => !(weight >= 0) || !Number.isFinite(weight)) || usable === 0) {
      throw new EngineError(
        'options.invalid',
        `WeightedRandomSampler: 'weights' must be finite, none negative and not all zero.`,
        {},
      );
    }
    const size = options.data_source?.length ?? this.#weights.length;
    if (this.#weights.length > size) {
      throw new EngineError(
        'options.invalid',
        `WeightedRandomSampler: there are ${this.#weights.length} weights, but only ${size} samples. Give one weight for each sample.`,
        { weights: this.#weights.length, samples: size },
      );
    }
    if (!this.#replacement && usable < this.length) {
      throw new EngineError(
        'options.invalid',
        `WeightedRandomSampler cannot draw ${this.length} different samples: only ${usable} have a weight above zero. Lower num_samples or set replacement: true.`,
        { num_samples: this.length, usable },
      );
    }
  }

  order(key: PassKey): ArrayLike<number> {
    const random = passRandom('weighted', key, this.#seed);
    return this.#replacement ? this.#draw(random) : this.#drawDistinct(random);
  }

  #draw(random: Random): Int32Array {
    const sums = new Float64Array(this.#weights.length);
    let total = 0;
    this.#weights.forEach((weight, i) => {
      total += weight;
      sums[i] = total;
    });
    return Int32Array.from({ length: this.length }, () => firstAbove(sums, random.uniform() * total));
  }

  /** Efraimidis and Spirakis: the largest u^(1/w) are a weighted draw without replacement. */
  #drawDistinct(random: Random): Int32Array {
    const keys = Array.from(this.#weights, (weight, index) => {
      const draw = Math.log(1 - random.uniform());
      return { index, key: weight > 0 ? draw / weight : Number.NEGATIVE_INFINITY };
    });
    keys.sort((a, b) => b.key - a.key);
    return Int32Array.from(keys.slice(0, this.length), (entry) => entry.index);
  }
}

function firstAbove(sums: Float64Array, value: number): number {
  let low = 0;
  let high = sums.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sums[middle] ?? 0) > value) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The stream of one pass: equal for equal (purpose, seed, pass, own seed). */
export function passRandom(purpose: string, key: PassKey, ownSeed = 0): Random {
  return new Random(deriveSeed(key.seed, purpose, ownSeed), key.pass);
}
