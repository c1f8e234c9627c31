import { EngineError } from '../../api/errors.ts';
import type { PassKey } from '../dataset/passKey.ts';
import { checkOptions, requireWhole } from '../options.ts';
import { passRandom, RandomSampler, SequentialSampler } from './basic.ts';
import { requireSource, type Sampler, type SizedSource } from './sampler.ts';

export interface SubsetRandomSamplerOptions {
  /** Numbers of the samples to give, each once a pass, in random order. */
  readonly indices: readonly number[];
  readonly data_source?: SizedSource;
  readonly seed?: number | null;
}

/**
 * Chosen samples in a random order without repetition (torch.utils.data.SubsetRandomSampler). Throws `options.invalid`
 * for a number that is no sample of the dataset.
 */
export class SubsetRandomSampler implements Sampler {
  readonly #indices: readonly number[];
  readonly #seed: number;

  constructor(options: SubsetRandomSamplerOptions) {
    checkOptions('SubsetRandomSampler', options, ['indices', 'data_source', 'seed']);
    this.#indices = options.indices;
    this.#seed = options.seed ?? 0;
    const size = options.data_source?.length ?? Number.POSITIVE_INFINITY;
    const wrong = Array.isArray(options.indices)
      ? options.indices.find((index) => !Number.isInteger(index) || index < 0 || index >= size)
      : options.indices;
    if (wrong === undefined && Array.isArray(options.indices)) return;
    throw new EngineError(
      'options.invalid',
      `SubsetRandomSampler: 'indices' must be a list of sample numbers from 0 to ${size - 1}; ${JSON.stringify(wrong)} is none.`,
      { indices: wrong },
    );
  }

  get length(): number {
    return this.#indices.length;
  }

  order(key: PassKey): ArrayLike<number> {
    const order = passRandom('subset', key, this.#seed).permutation(this.#indices.length);
    return Int32Array.from(order, (place) => this.#indices[place] ?? 0);
  }
}

export interface DistributedSamplerOptions {
  readonly data_source: SizedSource;
  /** 1 and 0 unless given: the loader itself deals its batches out to the processes of a training. */
  readonly num_replicas?: number | null;
  readonly rank?: number | null;
  readonly shuffle?: boolean;
  readonly seed?: number | null;
  readonly drop_last?: boolean;
}

/**
 * Every num_replicas-th sample from `rank` on, wrapped to the start so that all have equally many, or cut with
 * `drop_last` (torch.utils.data.DistributedSampler). A training with several processes needs none: its loader deals
 * batches out itself, so that here both default to one process.
 */
export class DistributedSampler implements Sampler {
  readonly length: number;
  readonly #inner: Sampler;
  readonly #replicas: number;
  readonly #rank: number;

  constructor(options: DistributedSamplerOptions) {
    const owner = 'DistributedSampler';
    checkOptions(owner, options, ['data_source', 'num_replicas', 'rank', 'shuffle', 'seed', 'drop_last']);
    const data_source = requireSource(owner, options.data_source);
    this.#replicas = requireWhole(owner, 'num_replicas', options.num_replicas ?? 1, 1);
    this.#rank = requireWhole(owner, 'rank', options.rank ?? 0, 0);
    if (this.#rank >= this.#replicas) {
      throw new EngineError(
        'options.invalid',
        `${owner}: 'rank' ${this.#rank} must be below num_replicas ${this.#replicas}.`,
        { rank: this.#rank, num_replicas: this.#replicas },
      );
    }
    this.#inner =
      (options.shuffle ?? true)
        ? new RandomSampler({ data_source, seed: options.seed ?? 0 })
        : new SequentialSampler({ data_source });
    const share = data_source.length / this.#replicas;
    this.length = options.drop_last === true ? Math.floor(share) : Math.ceil(share);
  }

  order(key: PassKey): ArrayLike<number> {
    const all = this.#inner.order(key);
    return Int32Array.from({ length: this.length }, (_, i) => all[(i * this.#replicas + this.#rank) % all.length] ?? 0);
  }
}
