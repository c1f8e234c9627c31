import * as tf from '@tensorflow/tfjs';
import { type BatchInference, Dropout, Linear, type ModelSignature, Module } from 'accelhydra-studio';

/** What turns images into features; the classifier asks it how many. */
export type Backbone = Module & { readonly out_features: number };

export interface DigitClassifierOptions {
  readonly backbone: Backbone;
  readonly num_classes?: number;
  readonly dropout?: number;
  /** Pixels (0 … 1) become (pixel − mean) / std before the backbone sees them. */
  readonly mean?: number;
  readonly std?: number;
}

/** Images [batch, 28, 28, 1] with values 0 … 1 → logits [batch, num_classes]. */
export class DigitClassifier extends Module {
  readonly backbone: Backbone;
  readonly dropout: Dropout;
  readonly head: Linear;
  readonly num_classes: number;
  readonly mean: number;
  readonly std: number;

  constructor(options: DigitClassifierOptions) {
    super();
    const { backbone, num_classes = 10, dropout = 0, mean = 0, std = 1 } = options;
    if (typeof backbone?.out_features !== 'number') {
      throw new TypeError('backbone must be one for images, with out_features: choose model/backbone=cnn or mlp');
    }
    this.backbone = backbone;
    this.dropout = new Dropout({ p: dropout });
    this.head = new Linear({ in_features: backbone.out_features, out_features: num_classes });
    this.num_classes = num_classes;
    this.mean = mean;
    this.std = std;
  }

  call(images: tf.Tensor): tf.Tensor {
    if (images.rank !== 4) {
      throw new RangeError(
        `a digit classifier takes images [batch, 28, 28, 1], not a tensor of shape [${images.shape}]`,
      );
    }
    const features = this.backbone.call(images.sub(this.mean).div(this.std));
    return this.head.call(this.dropout.call(features));
  }

  /** What the inference page draws: a canvas for a digit, a bar for each class. */
  get inference_signature(): ModelSignature {
    const names = Array.from({ length: this.num_classes }, (_, label) => String(label));
    return {
      input: { type: 'image', height: 28, width: 28, channels: 1 },
      output: { type: 'classes', names },
      arguments: [],
    };
  }

  /** One batch of a test set: what was predicted for each digit, and how often that was right. */
  infer_batch(batch: unknown): BatchInference {
    const [images, labels] = batch as readonly [tf.Tensor, tf.Tensor];
    const probabilities = tf.tidy(() => tf.softmax(this.call(images)).arraySync()) as number[][];
    const expected = Array.from(labels.dataSync());
    const predictions = probabilities.map((row, index) => {
      const predicted = row.indexOf(Math.max(...row));
      return { predicted, expected: expected[index] ?? null, probability: row[predicted] ?? 0 };
    });
    const right = predictions.filter((item) => item.predicted === item.expected).length;
    const surprise = probabilities.map((row, index) => -Math.log(Math.max(row[expected[index] ?? 0] ?? 0, 1e-12)));
    return {
      predictions,
      totals: {
        accuracy: { sum: right, count: predictions.length },
        loss: { sum: surprise.reduce((sum, value) => sum + value, 0), count: predictions.length },
      },
    };
  }
}
