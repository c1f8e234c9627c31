import * as tf from '@tensorflow/tfjs';
import { EngineError } from '../../../api/errors.ts';
import { attribute, type NativeBackend } from '../../../backend/index.ts';
import { checkOptions } from '../../../data/options.ts';
import { nativeBackend } from '../../../optim/index.ts';
import { Module } from '../module.ts';
import { noisePair, noiseRandom } from '../randomness.ts';

export interface DropoutOptions {
  readonly p?: number;
}

/** In training, sets a share p of the values to zero and scales the rest by 1/(1−p). The mask depends on (seed, step). */
export class Dropout extends Module {
  readonly p: number;

  constructor(options: DropoutOptions = {}) {
    super();
    checkOptions('Dropout', options, ['p']);
    this.p = options.p ?? 0.5;
    if (!(this.p >= 0 && this.p < 1)) {
      throw new EngineError('options.invalid', `Dropout: 'p' must be at least 0 and below 1, but it is ${this.p}.`, {
        p: this.p,
      });
    }
  }

  call(input: tf.Tensor): tf.Tensor {
    return this.training && this.p > 0 ? input.mul(dropoutMask(input.shape, this.p)) : input;
  }
}

/**
 * Zeros with chance p, otherwise 1/(1−p). The native backend draws on the device (chance to 23 bits), others on the host
 * (to 16 bits): masks are the same from run to run, not from backend to backend.
 */
export function dropoutMask(shape: number[], p: number): tf.Tensor {
  const native = nativeBackend();
  return native === undefined ? hostMask(shape, p) : deviceMask(native, shape, p);
}

function deviceMask(native: NativeBackend, shape: number[], p: number): tf.Tensor {
  return tf.tidy(() => {
    const { binding } = native;
    const uniform = native.executeSingleOutput(
      'StatelessRandomUniform',
      [attribute.float32(binding, 'dtype'), attribute.int32(binding, 'T'), attribute.int32(binding, 'Tseed')],
      [tf.tensor1d(shape, 'int32'), noisePair()],
    );
    return tf.mul(tf.cast(tf.greaterEqual(uniform, p), 'float32'), 1 / (1 - p));
  });
}

function hostMask(shape: number[], p: number): tf.Tensor {
  const mask = new Float32Array(tf.util.sizeFromShape(shape));
  const words = new Uint32Array(Math.ceil(mask.length / 2));
  noiseRandom().fill(words);
  const limit = Math.round(p * 2 ** 16);
  const scale = 1 / (1 - p);
  // two values of 16 bits from each word: on the host this is the costly part
  for (let i = 0; i < mask.length; i++) {
    const word = words[i >> 1] ?? 0;
    mask[i] = (i & 1 ? word >>> 16 : word & 0xffff) < limit ? 0 : scale;
  }
  return tf.tensor(mask, shape);
}
