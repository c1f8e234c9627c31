import type * as tf from '@tensorflow/tfjs';
import { Trainer } from 'accelhydra-studio';

/** images float32 [batch, 28, 28, 1], labels int32 [batch] */
type DigitBatch = readonly [tf.Tensor, tf.Tensor];

/** Trains a model that gives logits [batch, classes]; watches loss and accuracy on the validation set. */
export class ClassifierTrainer extends Trainer<DigitBatch> {
  training_step([images, labels]: DigitBatch): tf.Tensor {
    return this.loss_fn.call(this.model.call(images), labels);
  }

  validation_step([images, labels]: DigitBatch): void {
    const logits = this.model.call(images);
    const isRight = logits.argMax(-1).equal(labels);
    this.accumulate({ loss: this.loss_fn.call(logits, labels), accuracy: isRight.toFloat().mean() });
  }
}
