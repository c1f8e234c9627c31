import * as tf from '@tensorflow/tfjs';
import { Linear, Module } from 'accelhydra-studio';

export interface MLPOptions {
  /** Values of an image. */
  readonly in_features?: number;
  readonly hidden?: readonly number[];
}

/** Fully connected layers with ReLU: [batch, ...] → [batch, last hidden]. */
export class MLP extends Module {
  readonly out_features: number;
  readonly layers: readonly Linear[];

  constructor(options: MLPOptions = {}) {
    super();
    const { in_features = 784, hidden = [256, 128] } = options;
    const sizes = [in_features, ...hidden];
    this.layers = hidden.map(
      (out, index) => new Linear({ in_features: sizes[index] ?? in_features, out_features: out }),
    );
    this.out_features = hidden.at(-1) ?? in_features;
  }

  call(images: tf.Tensor): tf.Tensor {
    const flat = images.reshape([images.shape[0] ?? 1, -1]);
    return this.layers.reduce((values, layer) => tf.relu(layer.call(values)), flat);
  }
}
