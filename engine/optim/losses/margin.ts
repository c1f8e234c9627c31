import * as tf from '@tensorflow/tfjs';
import { z } from 'zod';
import { parseOptions } from '../options.ts';
import { labelRows, toRows } from './classRows.ts';
import { clampAtZero, reduce, reduction, requireSameShape, toFloat, weights, weightTensor } from './loss.ts';

const hingeSchema = z.object({ reduction, margin: z.number().default(1) });

/** x where the target is 1, max(0, margin - x) where it is -1; shapes equal (torch.nn.HingeEmbeddingLoss). */
export class HingeEmbeddingLoss {
  static readonly optionsSchema = hingeSchema;
  readonly #options: z.output<typeof hingeSchema>;

  constructor(options: z.input<typeof hingeSchema> = {}) {
    this.#options = parseOptions(hingeSchema, options, 'accelhydra.nn.HingeEmbeddingLoss');
  }

  call(input: tf.Tensor, target: tf.Tensor): tf.Tensor {
    requireSameShape('HingeEmbeddingLoss', input, target);
    return tf.tidy(() => {
      const far = clampAtZero(tf.sub(this.#options.margin, input));
      return reduce(tf.where(tf.equal(toFloat(target), 1), input, far), this.#options.reduction);
    });
  }
}

const rankingSchema = z.object({ reduction, margin: z.number().default(0) });

/** max(0, -y · (first - second) + margin), all of one shape (torch.nn.MarginRankingLoss). */
export class MarginRankingLoss {
  static readonly optionsSchema = rankingSchema;
  readonly #options: z.output<typeof rankingSchema>;

  constructor(options: z.input<typeof rankingSchema> = {}) {
    this.#options = parseOptions(rankingSchema, options, 'accelhydra.nn.MarginRankingLoss');
  }

  call(first: tf.Tensor, second: tf.Tensor, target: tf.Tensor): tf.Tensor {
    requireSameShape('MarginRankingLoss', first, second);
    return tf.tidy(() => {
      const ordered = tf.mul(tf.neg(toFloat(target)), tf.sub(first, second));
      return reduce(clampAtZero(tf.add(ordered, this.#options.margin)), this.#options.reduction);
    });
  }
}

/** 1 - cos for targets of 1, max(0, cos - margin) for -1. Inputs (N, D), target (N) (torch.nn.CosineEmbeddingLoss). */
export class CosineEmbeddingLoss {
  static readonly optionsSchema = rankingSchema;
  readonly #options: z.output<typeof rankingSchema>;

  constructor(options: z.input<typeof rankingSchema> = {}) {
    this.#options = parseOptions(rankingSchema, options, 'accelhydra.nn.CosineEmbeddingLoss');
  }

  call(first: tf.Tensor, second: tf.Tensor, target: tf.Tensor): tf.Tensor {
    requireSameShape('CosineEmbeddingLoss', first, second);
    return tf.tidy(() => {
      const stabiliser = 1e-12;
      const lengths = tf.mul(
        tf.add(tf.sum(tf.square(first), -1), stabiliser),
        tf.add(tf.sum(tf.square(second), -1), stabiliser),
      );
      const cosine = tf.div(tf.sum(tf.mul(first, second), -1), tf.sqrt(lengths));
      const apart = clampAtZero(tf.sub(cosine, this.#options.margin));
      const loss = tf.where(tf.equal(toFloat(target), 1), tf.sub(1, cosine), apart);
      return reduce(loss, this.#options.reduction);
    });
  }
}

const tripletSchema = z.object({
  reduction,
  margin: z.number().positive().default(1),
  p: z.number().positive().default(2).describe('norm of the distance'),
  eps: z.number().default(1e-6),
  swap: z.boolean().default(false).describe('take the nearer of anchor and positive to the negative'),
});

/** max(0, d(anchor, positive) - d(anchor, negative) + margin), all (N, D) (torch.nn.TripletMarginLoss). */
export class TripletMarginLoss {
  static readonly optionsSchema = tripletSchema;
  readonly #options: z.output<typeof tripletSchema>;

  constructor(options: z.input<typeof tripletSchema> = {}) {
    this.#options = parseOptions(tripletSchema, options, 'accelhydra.nn.TripletMarginLoss');
  }

  call(anchor: tf.Tensor, positive: tf.Tensor, negative: tf.Tensor): tf.Tensor {
    requireSameShape('TripletMarginLoss', anchor, positive);
    requireSameShape('TripletMarginLoss', anchor, negative);
    return tf.tidy(() => {
      const { p, eps, swap, margin, reduction: how } = this.#options;
      const near = distance(anchor, positive, p, eps);
      const anchored = distance(anchor, negative, p, eps);
      const far = swap ? tf.minimum(anchored, distance(positive, negative, p, eps)) : anchored;
      return reduce(clampAtZero(tf.add(tf.sub(near, far), margin)), how);
    });
  }
}

function distance(first: tf.Tensor, second: tf.Tensor, p: number, eps: number): tf.Tensor {
  const difference = tf.add(tf.sub(first, second), eps);
  if (p === 2) return tf.sqrt(tf.sum(tf.square(difference), -1));
  return tf.pow(tf.sum(tf.pow(tf.abs(difference), p), -1), 1 / p);
}

const multiSchema = z.object({
  reduction,
  p: z
    .union([z.literal(1), z.literal(2)])
    .default(1)
    .describe('power of each margin'),
  margin: z.number().default(1),
  weight: weights.describe('weight of each class'),
});

/** Hinge over all wrong classes. Input (N, C), target class numbers (N) (torch.nn.MultiMarginLoss). */
export class MultiMarginLoss {
  static readonly optionsSchema = multiSchema;
  readonly #options: z.output<typeof multiSchema>;

  constructor(options: z.input<typeof multiSchema> = {}) {
    this.#options = parseOptions(multiSchema, options, 'accelhydra.nn.MultiMarginLoss');
  }

  call(input: tf.Tensor, target: tf.Tensor): tf.Tensor {
    return tf.tidy(() => {
      const { p, margin, reduction: how } = this.#options;
      const rows = toRows(input, 1, 'MultiMarginLoss');
      const labels = labelRows(input, target, rows, Number.NaN, 'MultiMarginLoss');
      const chosen = tf.cast(tf.oneHot(labels, rows.classes), 'float32');
      const right = tf.sum(tf.mul(rows.rows, chosen), -1, true);
      const gaps = clampAtZero(tf.add(tf.sub(rows.rows, right), margin));
      const wrong = tf.mul(p === 2 ? tf.square(gaps) : gaps, tf.sub(1, chosen));
      const loss = tf.mean(wrong, -1);
      const weight = weightTensor(this.#options.weight);
      const weighted = weight === undefined ? loss : tf.mul(loss, tf.gather(weight, labels));
      return how === 'none' ? tf.reshape(weighted, [...rows.outer]) : reduce(weighted, how);
    });
  }
}
