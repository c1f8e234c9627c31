import { deriveSeed, Random } from '../../base/random.ts';
import type { PassKey } from './passKey.ts';

/**
 * What a sample may depend on besides its number. `random` is a stream that belongs to (seed, pass, sample) alone:
 * an augmentation that draws from it is the same whichever process or worker thread reads the sample, in whatever order,
 * and after a resume.
 */
export interface SampleContext {
  /** The loader's seed. */
  readonly seed: number;
  /** Which pass over the data, from 0. */
  readonly pass: number;
  /** Number of the sample in the dataset that the loader reads. */
  readonly index: number;
  readonly random: Random;
}

export function sampleContext(key: PassKey, index: number): SampleContext {
  return new LazyContext(key, index);
}

/** The stream is made when it is first asked for: most datasets draw nothing. */
class LazyContext implements SampleContext {
  readonly seed: number;
  readonly pass: number;
  readonly index: number;
  #random: Random | undefined;

  constructor(key: PassKey, index: number) {
    this.seed = key.seed;
    this.pass = key.pass;
    this.index = index;
  }

  get random(): Random {
    this.#random ??= new Random(deriveSeed(this.seed, 'sample', this.index), this.pass);
    return this.#random;
  }
}
