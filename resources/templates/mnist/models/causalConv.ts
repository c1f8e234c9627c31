import * as tf from '@tensorflow/tfjs';
import { Conv2d, LayerNorm, Module } from 'accelhydra-studio';

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

class CausalLayer extends Module {
  readonly norm: LayerNorm;
  readonly convolution: Conv2d;
  readonly #reach: number;

  constructor(dim: number, kernelSize: number, dilation: number) {
    super();
    this.#reach = (kernelSize - 1) * dilation;
    this.norm = new LayerNorm({ normalized_shape: dim });
    this.convolution = new Conv2d({
      in_channels: dim,
      out_channels: dim,
      kernel_size: [kernelSize, 1],
      dilation: [dilation, 1],
    });
  }

  call(input: tf.Tensor): tf.Tensor {
    const [batch = 1, length = 1, dim = 1] = input.shape;
    // zeros before the text: no position sees a later one
    const padded = tf.pad3d(this.norm.call(input) as tf.Tensor3D, [
      [0, 0],
      [this.#reach, 0],
      [0, 0],
    ]);
    const seen = this.convolution.call(padded.reshape([batch, length + this.#reach, 1, dim]));
    return input.add(tf.relu(seen.reshape([batch, length, dim])));
  }
}
