import type * as tf from '@tensorflow/tfjs';
import { Trainer } from 'accelhydra-studio';

/** characters int32 [batch, length], and the same text one character later */
type TextBatch = readonly [tf.Tensor, tf.Tensor];

/** Trains a model that gives logits [batch, length, characters] to predict each next character. */
export class LanguageModelTrainer extends Trainer<TextBatch> {
  training_step(batch: TextBatch): tf.Tensor {
    return this.#loss(batch);
  }

  validation_step(batch: TextBatch): void {
    this.accumulate({ loss: this.#loss(batch) });
  }

  override get_val_metrics(): Readonly<Record<string, number>> {
    const { loss = Number.NaN } = this.accumulated;
    return { loss, perplexity: Math.exp(loss) };
  }

  /** Every position of every text is a sample of its own. */
  #loss([characters, next]: TextBatch): tf.Tensor {
    const logits = this.model.call(characters);
    return this.loss_fn.call(logits.reshape([-1, logits.shape[2] ?? 1]), next.reshape([-1]));
  }
}
