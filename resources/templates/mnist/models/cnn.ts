import * as tf from '@tensorflow/tfjs';
import { Conv2d, Linear, Module } from 'accelhydra-studio';

export interface DigitCNNOptions {
  /** Feature maps of the two convolutions. */
  readonly channels?: readonly [number, number];
  readonly out_features?: number;
  /** Height and width of the images. */
  readonly image_size?: number;
}

/** Two convolutions, each halving the image, and a linear layer: images [batch, size, size, 1] → [batch, out_features]. */
export class DigitCNN extends Module {
  readonly out_features: number;
  readonly first: Conv2d;
  readonly second: Conv2d;
  readonly project: Linear;

  constructor(options: DigitCNNOptions = {}) {
    super();
    const { channels = [16, 32], out_features = 64, image_size = 28 } = options;
    const [narrow, wide] = channels;
    this.out_features = out_features;
    // strides halve the image where others pool: a third of the work, and as good on digits
    this.first = new Conv2d({ in_channels: 1, out_channels: narrow, kernel_size: 5, stride: 2, padding: 2 });
    this.second = new Conv2d({ in_channels: narrow, out_channels: wide, kernel_size: 3, stride: 2, padding: 1 });
    const side = Math.ceil(Math.ceil(image_size / 2) / 2);
    this.project = new Linear({ in_features: side * side * wide, out_features });
  }

  call(images: tf.Tensor): tf.Tensor {
    const features = tf.relu(this.second.call(tf.relu(this.first.call(images))));
    return tf.relu(this.project.call(features.reshape([features.shape[0] ?? 1, -1])));
  }
}
