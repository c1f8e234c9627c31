import type * as tf from '@tensorflow/tfjs';
import { Trainer } from 'accelhydra-studio';

/** images float32 [batch, 28, 28, 1], labels int32 [batch] */
type DigitBatch = readonly [tf.Tensor, tf.Tensor];

/** Digits shown after each epoch, with what the model takes them for. */
const shown = 24;

/** Trains a model that gives logits [batch, classes]; watches loss and accuracy on the validation set. */
export class ClassifierTrainer extends Trainer<DigitBatch> {
  training_step([images, labels]: DigitBatch): tf.Tensor {
    return this.loss_fn.call(this.model.call(images), labels);
  }

  validation_step([images, labels]: DigitBatch, batch_idx: number): void {
    const logits = this.model.call(images);
    const isRight = logits.argMax(-1).equal(labels);
    this.accumulate({ loss: this.loss_fn.call(logits, labels), accuracy: isRight.toFloat().mean() });
    if (batch_idx === 0 && this.is_main_process) this.#show(images, labels, logits);
  }

  /** Weights as histograms: a layer that does not learn, or that runs away, shows here first. */
  override on_validation_end(): void {
    for (const { name, variable } of this.model.namedParameters()) {
      if (variable.rank > 1) this.log_histogram(`weights/${name}`, variable);
    }
  }

  #show(images: tf.Tensor, labels: tf.Tensor, logits: tf.Tensor): void {
    const count = Math.min(shown, images.shape[0] ?? 0);
    const taken = logits.argMax(-1).slice(0, count).dataSync();
    const truth = labels.slice(0, count).dataSync();
    const caption = Array.from(truth, (digit, i) =>
      taken[i] === digit ? `${digit}` : `${digit}, taken for ${taken[i]}`,
    );
    this.log_image('val/digits', images.slice(0, count), { caption });
  }
}
