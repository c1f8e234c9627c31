import type * as tf from '@tensorflow/tfjs';
import { deriveSeed, philoxBlock, Random } from '../../base/random.ts';
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
let noiseOf: { readonly seed: number; readonly rank: number } | undefined;
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
  if (noiseOf?.seed !== key.seed || noiseOf.rank !== key.rank) {
    noiseOf = key;
    noiseSeed = deriveSeed(key.seed, 'noise', key.rank);
  }
  noiseStep = key.step;
  noiseDraws = 0;
}

/** The seed of the step's next draw for TensorFlow's stateless random operations, which draw on the device: int32 [2]. */
export function noisePair(): tf.Tensor1D {
  const draw = noiseDraws++ % drawsPerStep;
  return stepPair(() => pairOf(draw));
}

/**
 * The step's next draw on the host: what TensorFlow's StatelessRandomUniform gives for `noisePair`, number for number,
 * so that a training goes the same way on every backend (tensorflow/core/kernels/stateless_random_ops.cc: the seed is
 * enciphered once into key and counter; each Philox word gives the 23 bits of a float in [0, 1)).
 */
export function noiseUniform(size: number): Float32Array {
  const words = new Uint32Array(4);
  const pair = pairOf(noiseDraws++ % drawsPerStep);
  const counter = pair.flatMap((half) => [half >>> 0, half < 0 ? 0xffffffff : 0]);
  philoxBlock(counter, [0x3ec8f720, 0x02461e29], words);
  const [key0 = 0, key1 = 0, high0 = 0, high1 = 0] = words;
  const values = new Float32Array(size);
  for (let i = 0; i < size; i++) {
    if (i % 4 === 0) philoxBlock([i / 4, 0, high0, high1], [key0, key1], words);
    values[i] = ((words[i % 4] ?? 0) & 0x7fffff) / 2 ** 23;
  }
  return values;
}

function pairOf(draw: number): [number, number] {
  const seed = deriveSeed(noiseSeed, noiseStep, draw);
  return [Math.floor(seed / 2 ** 32), seed | 0];
}
