import * as tf from '@tensorflow/tfjs';
import { attribute, type NativeBackend } from '../../../backend/index.ts';

/**
 * Float32 ops called straight on the native backend, past the gradient tape and its bookkeeping. Results belong to the
 * tidy around them.
 */
export class RawOps {
  readonly backend: NativeBackend;
  readonly #float32;

  constructor(backend: NativeBackend) {
    this.backend = backend;
    this.#float32 = [attribute.float32(backend.binding)];
  }

  one(name: 'Erf' | 'Exp' | 'Neg' | 'Square' | 'Rsqrt' | 'Tanh', x: tf.Tensor): tf.Tensor {
    return this.backend.executeSingleOutput(name, this.#float32, [x]);
  }

  two(name: 'AddV2' | 'Sub' | 'Mul', a: tf.Tensor, b: tf.Tensor): tf.Tensor {
    return this.backend.executeSingleOutput(name, this.#float32, [a, b]);
  }

  scale(x: tf.Tensor, factor: number): tf.Tensor {
    return this.two('Mul', x, tf.scalar(factor));
  }

  /** The mean over the last axis, which stays with length 1. */
  mean(x: tf.Tensor): tf.Tensor {
    const { binding } = this.backend;
    const attributes = [
      attribute.bool(binding, 'keep_dims', true),
      attribute.float32(binding),
      attribute.int32(binding, 'Tidx'),
    ];
    return this.backend.executeSingleOutput('Mean', attributes, [x, tf.tensor1d([x.rank - 1], 'int32')]);
  }
}
