import * as tf from '@tensorflow/tfjs';
import { z } from 'zod';
import { EngineError } from '../../api/errors.ts';
import { parseOptions, refuseOptions } from '../options.ts';
import { type ClassRows, labelRows, toRows } from './classRows.ts';
import { type Reduction, reduce, reduction, toFloat, weights, weightTensor, withGradient } from './loss.ts';
import { softRows, sparseRows } from './softmaxRows.ts';

const classAxis = z
  .number()
  .int()
  .default(1)
  .describe("axis of the classes: 1 as in PyTorch's (N, C, d1, …), -1 for (N, d1, …, C)");

const schema = z.object({
  weight: weights.describe('weight of each class'),
  ignore_index: z.number().int().default(-100).describe('label that is left out of loss and mean'),
  reduction,
  label_smoothing: z.number().min(0).max(1).default(0).describe('share spread evenly over all classes'),
  class_axis: classAxis,
});
export type CrossEntropyOptions = z.input<typeof schema>;

/**
 * Softmax and cross entropy in one, stable for logits of any size (torch.nn.CrossEntropyLoss).
 *
 * Input: logits (N, C), (N, C, d1, …) or (C). Target: class numbers of the input's shape without C, or probabilities of
 * the input's shape. Tensors with the classes last, as layers of TensorFlow.js give them, need `class_axis: -1`.
 * Result: a scalar, or with reduction none the target's shape without C.
 * @throws EngineError `loss.shape` | `loss.label-out-of-range`
 */
export class CrossEntropyLoss {
  static readonly optionsSchema = schema;
  readonly #options: z.output<typeof schema>;

  constructor(options: CrossEntropyOptions = {}) {
    this.#options = parseOptions(schema, options, 'accelhydra.nn.CrossEntropyLoss');
  }

  call(input: tf.Tensor, target: tf.Tensor): tf.Tensor {
    return tf.tidy(() => {
      const rows = toRows(input, this.#options.class_axis, 'CrossEntropyLoss');
      const weight = classWeights(this.#options.weight, rows.classes, 'CrossEntropyLoss');
      const isProbability = tf.util.arraysEqual(input.shape, target.shape) && input.rank > 0;
      return isProbability ? this.#probabilities(rows, target, weight) : this.#labels(input, rows, target, weight);
    });
  }

  #labels(input: tf.Tensor, rows: ClassRows, target: tf.Tensor, weight: tf.Tensor | undefined): tf.Tensor {
    const { ignore_index: ignored, label_smoothing: smoothing, reduction: how } = this.#options;
    const labels = labelRows(input, target, rows, ignored, 'CrossEntropyLoss');
    const kept = isKept(labels, ignored);
    const safe = tf.mul(labels, tf.cast(kept, 'int32')).as1D();
    const share = rowWeights(kept, safe, weight);
    if (smoothing === 0) return finishShared(sparseRows(rows.rows, safe, 'CrossEntropyLoss'), share, how, rows.outer);
    const hard = tf.mul(tf.cast(tf.oneHot(safe, rows.classes), 'float32'), 1 - smoothing);
    const spread = tf.add(hard, smoothing / rows.classes);
    const wanted = weight === undefined ? spread : tf.mul(spread, weight);
    const losses = softRows(rows.rows, tf.mul(wanted, tf.expandDims(tf.cast(kept, 'float32'), 1)));
    return finish(losses, share, how, rows.outer);
  }

  #probabilities(rows: ClassRows, target: tf.Tensor, weight: tf.Tensor | undefined): tf.Tensor {
    const { label_smoothing: smoothing, class_axis: axis, reduction: how } = this.#options;
    const given = toRows(toFloat(target), axis, 'CrossEntropyLoss').rows;
    const smooth = smoothing === 0 ? given : tf.add(tf.mul(given, 1 - smoothing), smoothing / rows.classes);
    const losses = softRows(rows.rows, weight === undefined ? smooth : tf.mul(smooth, weight));
    return how === 'none' ? tf.reshape(losses, [...rows.outer]) : reduce(losses, how);
  }
}

const nllSchema = z.object({
  weight: weights.describe('weight of each class'),
  ignore_index: z.number().int().default(-100).describe('label that is left out of loss and mean'),
  reduction,
  class_axis: classAxis,
});

/** Negative log likelihood of log-probabilities (N, C, …) at class numbers (N, …) (torch.nn.NLLLoss). */
export class NLLLoss {
  static readonly optionsSchema = nllSchema;
  readonly #options: z.output<typeof nllSchema>;

  constructor(options: z.input<typeof nllSchema> = {}) {
    this.#options = parseOptions(nllSchema, options, 'accelhydra.nn.NLLLoss');
  }

  call(input: tf.Tensor, target: tf.Tensor): tf.Tensor {
    return tf.tidy(() => {
      const { ignore_index: ignored, reduction: how, class_axis: axis } = this.#options;
      const rows = toRows(input, axis, 'NLLLoss');
      const labels = labelRows(input, target, rows, ignored, 'NLLLoss');
      const kept = isKept(labels, ignored);
      const safe = tf.mul(labels, tf.cast(kept, 'int32')).as1D();
      const share = rowWeights(kept, safe, classWeights(this.#options.weight, rows.classes, 'NLLLoss'));
      // Not a boolean oneHot: WebAssembly's writes whole numbers beyond the end of a boolean tensor.
      const chosen = tf.equal(tf.expandDims(safe, 1), tf.range(0, rows.classes, 1, 'int32'));
      const picked = tf.sum(tf.where(chosen, rows.rows, tf.zerosLike(rows.rows)), -1);
      return finishShared(tf.neg(picked), share, how, rows.outer);
    });
  }
}

function classWeights(given: z.output<typeof weights>, classes: number, loss: string): tf.Tensor | undefined {
  const weight = weightTensor(given);
  if (weight === undefined || (weight.rank === 1 && weight.shape[0] === classes)) return weight;
  return refuseOptions(
    `accelhydra.nn.${loss}`,
    `weight has shape [${weight.shape}], but there are ${classes} classes.`,
    {
      option: 'weight',
    },
  );
}

// compared as whole numbers: a JavaScript number would be taken for a float, and the labels cast to it
function isKept(labels: tf.Tensor1D, ignored: number): tf.Tensor {
  return tf.notEqual(labels, tf.scalar(ignored, 'int32'));
}

/** The weight of each row's class, 0 where the label is ignored. */
function rowWeights(kept: tf.Tensor, labels: tf.Tensor1D, weight: tf.Tensor | undefined): tf.Tensor {
  const mask = tf.cast(kept, 'float32');
  return weight === undefined ? mask : tf.mul(mask, tf.gather(weight, labels));
}

/**
 * `finish` for losses (rows) that have not been multiplied by their share (rows) yet. The gradient is the share over the sum of
 * all shares: two operations, where multiplying, summing and dividing give five of their own.
 */
function finishShared(losses: tf.Tensor, share: tf.Tensor, how: Reduction, outer: readonly number[]): tf.Tensor {
  if (how === 'none') return tf.reshape(tf.mul(losses, share), [...outer]);
  return withGradient(
    losses,
    [share, ...(how === 'mean' ? [tf.sum(share)] : [])],
    (values, [part = share, all]) => {
      const total = tf.sum(tf.mul(values, part));
      return all === undefined ? total : tf.div(total, all);
    },
    // a batch of ignored labels alone must not turn the weights into NaN
    (dy, _values, [part = share, all]) => tf.mul(part, all === undefined ? dy : tf.divNoNan(dy, all)),
  );
}

/** A mean is weighted by `share`; with every row ignored it is NaN and its gradient 0, as in PyTorch. */
function finish(losses: tf.Tensor, share: tf.Tensor, how: Reduction, outer: readonly number[]): tf.Tensor {
  if (how === 'none') return tf.reshape(losses, [...outer]);
  const total = tf.sum(losses);
  if (how === 'sum') return total;
  return withGradient(
    total,
    [tf.sum(share)],
    (sum, [shares]) => tf.div(sum, shares ?? sum),
    (dy, _sum, [shares]) => tf.divNoNan(dy, shares ?? dy),
  );
}

const divergenceSchema = z.object({
  reduction: z
    .enum(['mean', 'batchmean', 'sum', 'none'])
    .default('mean')
    .describe('batchmean divides the sum by the size of the first axis, which is the divergence itself'),
  log_target: z.boolean().default(false).describe('the target is given as logarithms'),
});

/** Kullback-Leibler divergence of log-probabilities from a target distribution, shapes equal (torch.nn.KLDivLoss). */
export class KLDivLoss {
  static readonly optionsSchema = divergenceSchema;
  readonly #options: z.output<typeof divergenceSchema>;

  constructor(options: z.input<typeof divergenceSchema> = {}) {
    this.#options = parseOptions(divergenceSchema, options, 'accelhydra.nn.KLDivLoss');
  }

  call(input: tf.Tensor, target: tf.Tensor): tf.Tensor {
    if (!tf.util.arraysEqual(input.shape, target.shape)) {
      throw new EngineError(
        'loss.shape',
        `KLDivLoss needs equal shapes, but the input has [${input.shape}] and the target [${target.shape}].`,
        { input: input.shape, target: target.shape },
      );
    }
    return tf.tidy(() => {
      const { reduction: how, log_target: logarithmic } = this.#options;
      const y = toFloat(target);
      const losses = logarithmic ? tf.mul(tf.exp(y), tf.sub(y, input)) : tf.sub(entropyTerm(y), tf.mul(y, input));
      if (how === 'batchmean') return tf.div(tf.sum(losses), input.shape[0] ?? 1);
      return reduce(losses, how);
    });
  }
}

/** y · log y, and 0 at 0. */
function entropyTerm(y: tf.Tensor): tf.Tensor {
  const positive = tf.notEqual(y, 0);
  return tf.where(positive, tf.mul(y, tf.log(tf.where(positive, y, tf.onesLike(y)))), tf.zerosLike(y));
}
