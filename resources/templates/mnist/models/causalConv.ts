import * as tf from '@tensorflow/tfjs';
import { LayerNorm, Linear, Module } from 'accelhydra-studio';

export interface CausalConvOptions {
  readonly dim: number;
  readonly depth?: number;
  readonly kernel_size?: number;
}

/** Dilated convolutions that look back only, each twice as far as the one before: [batch, length, dim] → the same. */
export class CausalConv extends Module {
  readonly dim: number;
  readonly layers: readonly CausalLayer[];

  constructor({ dim, depth = 4, kernel_size = 3 }: CausalConvOptions) {
    super();
    this.dim = dim;
    this.layers = Array.from({ length: depth }, (_, index) => new CausalLayer(dim, kernel_size, 2 ** index));
  }

  call(input: tf.Tensor): tf.Tensor {
    return this.layers.reduce((values, layer) => layer.call(values), input);
  }
}

/** A convolution written as a linear layer over each position and those before it: TensorFlow.js cannot train a dilated one. */
class CausalLayer extends Module {
  readonly norm: LayerNorm;
  readonly taps: Linear;
  readonly #distances: readonly number[];

  constructor(dim: number, kernelSize: number, dilation: number) {
    super();
    this.norm = new LayerNorm({ normalized_shape: dim });
    this.taps = new Linear({ in_features: dim * kernelSize, out_features: dim });
    this.#distances = Array.from({ length: kernelSize }, (_, tap) => tap * dilation);
  }

  call(input: tf.Tensor): tf.Tensor {
    const values = this.norm.call(input);
    const seen = this.#distances.map((distance) => earlier(values, distance));
    return input.add(tf.relu(this.taps.call(tf.concat(seen, -1))));
  }
}

/** [batch, length, dim] moved back by `distance` positions, with zeros before the beginning. */
function earlier(values: tf.Tensor, distance: number): tf.Tensor {
  const [batch = 1, length = 1, dim = 1] = values.shape;
  if (distance === 0) return values;
  if (distance >= length) return tf.zerosLike(values);
  return tf.concat([tf.zeros([batch, distance, dim]), values.slice([0, 0, 0], [batch, length - distance, dim])], 1);
}
