import * as tf from '@tensorflow/tfjs';
import { z } from 'zod';
import { parseOptions } from '../options.ts';
import { reduce, reduction, requireSameShape, softplus, toFloat, weights, weightTensor, withGradient } from './loss.ts';

const bceSchema = z.object({ reduction, weight: weights.describe('weight of each element, broadcast to the input') });

/** Cross entropy of probabilities in [0, 1] with targets in [0, 1], shapes equal (torch.nn.BCELoss). */
export class BCELoss {
  static readonly optionsSchema = bceSchema;
  readonly #options: z.output<typeof bceSchema>;

  constructor(options: z.input<typeof bceSchema> = {}) {
    this.#options = parseOptions(bceSchema, options, 'accelhydra.nn.BCELoss');
  }

  call(input: tf.Tensor, target: tf.Tensor): tf.Tensor {
    requireSameShape('BCELoss', input, target);
    return tf.tidy(() => {
      const loss = withGradient(input, [toFloat(target)], bceForward, bceBackward);
      const weight = weightTensor(this.#options.weight);
      return reduce(weight === undefined ? loss : tf.mul(loss, weight), this.#options.reduction);
    });
  }
}

/** Logarithms are held at -100 or above, so a probability of exactly 0 or 1 gives a finite loss. */
function bceForward(x: tf.Tensor, [target]: readonly tf.Tensor[]): tf.Tensor {
  const y = target ?? x;
  const hit = tf.maximum(tf.log(x), -100);
  const miss = tf.maximum(tf.log(tf.sub(1, x)), -100);
  return tf.neg(tf.add(tf.mul(y, hit), tf.mul(tf.sub(1, y), miss)));
}

function bceBackward(dy: tf.Tensor, x: tf.Tensor, [target]: readonly tf.Tensor[]): tf.Tensor {
  const slope = tf.div(tf.sub(x, target ?? x), tf.maximum(tf.mul(x, tf.sub(1, x)), 1e-12));
  return tf.mul(dy, slope);
}

const logitsSchema = z.object({
  reduction,
  weight: weights.describe('weight of each element, broadcast to the input'),
  pos_weight: weights.describe('weight of positive examples for each class (last axis)'),
});

/** Sigmoid and binary cross entropy in one, stable for logits of any size (torch.nn.BCEWithLogitsLoss). */
export class BCEWithLogitsLoss {
  static readonly optionsSchema = logitsSchema;
  readonly #options: z.output<typeof logitsSchema>;

  constructor(options: z.input<typeof logitsSchema> = {}) {
    this.#options = parseOptions(logitsSchema, options, 'accelhydra.nn.BCEWithLogitsLoss');
  }

  call(input: tf.Tensor, target: tf.Tensor): tf.Tensor {
    requireSameShape('BCEWithLogitsLoss', input, target);
    return tf.tidy(() => {
      const y = toFloat(target);
      const positive = weightTensor(this.#options.pos_weight);
      const scale = positive === undefined ? undefined : tf.add(tf.mul(tf.sub(positive, 1), y), 1);
      const loss = withGradient(input, scale === undefined ? [y] : [y, scale], logitsForward, logitsBackward);
      const weight = weightTensor(this.#options.weight);
      return reduce(weight === undefined ? loss : tf.mul(loss, weight), this.#options.reduction);
    });
  }
}

/** (1 - y) · x + scale · softplus(-x), where scale is 1 without pos_weight. */
function logitsForward(x: tf.Tensor, [y, scale]: readonly tf.Tensor[]): tf.Tensor {
  const tail = tf.add(tf.maximum(tf.neg(x), 0), tf.log1p(tf.exp(tf.neg(tf.abs(x)))));
  return tf.add(tf.mul(tf.sub(1, y ?? x), x), scale === undefined ? tail : tf.mul(scale, tail));
}

function logitsBackward(dy: tf.Tensor, x: tf.Tensor, [y, scale]: readonly tf.Tensor[]): tf.Tensor {
  const target = y ?? x;
  const probability = tf.sigmoid(x);
  if (scale === undefined) return tf.mul(dy, tf.sub(probability, target));
  return tf.mul(dy, tf.sub(tf.sub(1, target), tf.mul(scale, tf.sub(1, probability))));
}

const multiLabelSchema = z.object({ reduction, weight: weights.describe('weight of each class') });

/** Binary cross entropy of logits averaged over the classes (last axis) of each example (MultiLabelSoftMarginLoss). */
export class MultiLabelSoftMarginLoss {
  static readonly optionsSchema = multiLabelSchema;
  readonly #options: z.output<typeof multiLabelSchema>;

  constructor(options: z.input<typeof multiLabelSchema> = {}) {
    this.#options = parseOptions(multiLabelSchema, options, 'accelhydra.nn.MultiLabelSoftMarginLoss');
  }

  /** Both have shape (N, C); a loss for each example when not reduced. */
  call(input: tf.Tensor, target: tf.Tensor): tf.Tensor {
    requireSameShape('MultiLabelSoftMarginLoss', input, target);
    return tf.tidy(() => {
      const loss = withGradient(input, [toFloat(target)], logitsForward, logitsBackward);
      const weight = weightTensor(this.#options.weight);
      const perExample = tf.mean(weight === undefined ? loss : tf.mul(loss, weight), -1);
      return reduce(perExample, this.#options.reduction);
    });
  }
}

const softMarginSchema = z.object({ reduction });

/** log(1 + exp(-y·x)) for targets of ±1, shapes equal (torch.nn.SoftMarginLoss). */
export class SoftMarginLoss {
  static readonly optionsSchema = softMarginSchema;
  readonly #options: z.output<typeof softMarginSchema>;

  constructor(options: z.input<typeof softMarginSchema> = {}) {
    this.#options = parseOptions(softMarginSchema, options, 'accelhydra.nn.SoftMarginLoss');
  }

  call(input: tf.Tensor, target: tf.Tensor): tf.Tensor {
    requireSameShape('SoftMarginLoss', input, target);
    return tf.tidy(() => reduce(softplus(tf.neg(tf.mul(toFloat(target), input))), this.#options.reduction));
  }
}
