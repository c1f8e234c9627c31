import * as tf from '@tensorflow/tfjs';
import { EngineError } from '../../../api/errors.ts';
import { checkOptions } from '../../../data/options.ts';
import { Module } from '../module.ts';
import { nativeGelu } from '../native/gelu.ts';

export class ReLU extends Module {
  call(input: tf.Tensor): tf.Tensor {
    return tf.relu(input);
  }
}

export interface GELUOptions {
  readonly approximate?: 'none' | 'tanh';
  /** False computes from single operations, which have second derivatives. */
  readonly fused?: boolean;
}

/** x · Φ(x), exact by erf or by the tanh formula of Hendrycks and Gimpel (2016). */
export class GELU extends Module {
  readonly #tanh: boolean;
  readonly #fused: boolean;

  constructor(options: GELUOptions = {}) {
    super();
    checkOptions('GELU', options, ['approximate', 'fused']);
    this.#tanh = options.approximate === 'tanh';
    this.#fused = options.fused ?? true;
  }

  call(input: tf.Tensor): tf.Tensor {
    const whole = this.#fused ? nativeGelu(input, this.#tanh) : undefined;
    if (whole !== undefined) return whole;
    if (!this.#tanh) return input.mul(0.5).mul(tf.erf(input.mul(Math.SQRT1_2)).add(1));
    // x + 0.044715x³ without pow, which is slow on every backend
    const inner = input.mul(input.square().mul(0.044715).add(1)).mul(Math.sqrt(2 / Math.PI));
    return input.mul(0.5).mul(inner.tanh().add(1));
  }
}

/** x · sigmoid(x). */
export class SiLU extends Module {
  call(input: tf.Tensor): tf.Tensor {
    return input.mul(input.sigmoid());
  }
}

export class Tanh extends Module {
  call(input: tf.Tensor): tf.Tensor {
    return tf.tanh(input);
  }
}

export class Sigmoid extends Module {
  call(input: tf.Tensor): tf.Tensor {
    return tf.sigmoid(input);
  }
}

export interface SoftmaxOptions {
  /** Only the last axis. */
  readonly dim?: number;
}

export class Softmax extends Module {
  constructor(options: SoftmaxOptions = {}) {
    super();
    checkOptions('Softmax', options, ['dim']);
    if ((options.dim ?? -1) !== -1) {
      throw new EngineError('options.invalid', `Softmax: only dim -1, the last axis, is possible.`, {
        dim: options.dim,
      });
    }
  }

  call(input: tf.Tensor): tf.Tensor {
    return tf.softmax(input);
  }
}

export class Identity extends Module {
  call(input: tf.Tensor): tf.Tensor {
    return input;
  }
}

export interface FlattenOptions {
  readonly start_dim?: number;
}

/** Joins the axes from start_dim (1 when absent) on. */
export class Flatten extends Module {
  readonly #start: number;

  constructor(options: FlattenOptions = {}) {
    super();
    checkOptions('Flatten', options, ['start_dim']);
    this.#start = options.start_dim ?? 1;
  }

  call(input: tf.Tensor): tf.Tensor {
    const kept = input.shape.slice(0, this.#start);
    return input.reshape([...kept, input.shape.slice(this.#start).reduce((product, size) => product * size, 1)]);
  }
}
