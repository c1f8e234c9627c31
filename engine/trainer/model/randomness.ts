import type * as tf from '@tensorflow/tfjs';
import { deriveSeed, Random } from '../../base/random.ts';
import { stepPair } from './stepInputs.ts';

/** Which step the noise belongs to: with the number of the draw inside the step, all that it depends on. */
export interface NoiseKey {
  readonly seed: number;
  readonly rank: number;
  readonly step: number;
}

const drawsPerStep = 2 ** 16;
let initialSeed = 0;
let initialDraws = 0;
let noiseSeed = 0;
let noiseStep = 0;
let noiseDraws = 0;

/** Seeds the weights of modules built from here on (torch.manual_seed). All ranks seed alike. */
export function manualSeed(seed: number): void {
  initialSeed = deriveSeed(seed, 'initial');
  initialDraws = 0;
}

/** The numbers for one initialiser; each call is a stream of its own. */
export function initialRandom(): Random {
  return new Random(initialSeed, initialDraws++);
}

/**
 * Begins a step for layers that draw noise (dropout). The k-th draw of a step is the same whenever the step is run
 * again, so a resumed run needs no saved state for it.
 */
export function beginNoise(key: NoiseKey): void {
  noiseSeed = deriveSeed(key.seed, 'noise', key.rank);
  noiseStep = key.step;
  noiseDraws = 0;
}

export function noiseRandom(): Random {
  return new Random(noiseSeed, noiseStep * drawsPerStep + (noiseDraws++ % drawsPerStep));
}

/** The seed of the step's next draw for TensorFlow's stateless random operations, which draw on the device: int32 [2]. */
export function noisePair(): tf.Tensor1D {
  const draw = noiseDraws++ % drawsPerStep;
  return stepPair(() => {
    const seed = deriveSeed(noiseSeed, noiseStep, draw);
    return [Math.floor(seed / 2 ** 32), seed | 0];
  });
}
