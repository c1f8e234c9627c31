import * as tf from '@tensorflow/tfjs';
import { EngineError } from '../../../api/errors.ts';
import { attribute, type NativeBackend } from '../../../backend/index.ts';
import { checkOptions } from '../../../data/options.ts';
import { nativeBackend } from '../../../optim/index.ts';
import { Module } from '../module.ts';
import { noisePair, noiseUniform } from '../randomness.ts';

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

/** Zeros with chance p (to 23 bits), otherwise 1/(1−p). The native backend draws on the device, others on the host. */
export function dropoutMask(shape: number[], p: number): tf.Tensor {
  return tf.tidy(() => {
    const native = nativeBackend();
    const uniform =
      native === undefined
        ? tf.tensor(noiseUniform(tf.util.sizeFromShape(shape)), shape)
        : deviceUniform(native, shape);
    return tf.mul(tf.cast(tf.greaterEqual(uniform, p), 'float32'), 1 / (1 - p));
  });
}

function deviceUniform(native: NativeBackend, shape: number[]): tf.Tensor {
  const { binding } = native;
  return native.executeSingleOutput(
    'StatelessRandomUniform',
    [attribute.float32(binding, 'dtype'), attribute.int32(binding, 'T'), attribute.int32(binding, 'Tseed')],
    [tf.tensor1d(shape, 'int32'), noisePair()],
  );
}
