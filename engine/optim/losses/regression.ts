import * as tf from '@tensorflow/tfjs';
import { z } from 'zod';
import { EngineError } from '../../api/errors.ts';
import { parseOptions } from '../options.ts';
import { absolute, type Reduction, reduce, reduction, requireSameShape, toFloat, withGradient } from './loss.ts';

const plainSchema = z.object({ reduction });
const smoothSchema = z.object({
  reduction,
  beta: z.number().nonnegative().default(1).describe('width of the parabola'),
});
const huberSchema = z.object({ reduction, delta: z.number().positive().default(1).describe('width of the parabola') });

export type PlainLossOptions = z.input<typeof plainSchema>;

/** Input and target have any shape, the same for both. */
abstract class DifferenceLoss {
  readonly #reduction: Reduction;
  readonly #name: string;

  constructor(name: string, how: Reduction) {
    this.#name = name;
    this.#reduction = how;
  }

  call(input: tf.Tensor, target: tf.Tensor): tf.Tensor {
    requireSameShape(this.#name, input, target);
    return tf.tidy(() => reduce(this.elements(tf.sub(toFloat(input), toFloat(target))), this.#reduction));
  }

  protected abstract elements(difference: tf.Tensor): tf.Tensor;
}

/** |x - y| (torch.nn.L1Loss). */
export class L1Loss extends DifferenceLoss {
  static readonly optionsSchema = plainSchema;

  constructor(options: PlainLossOptions = {}) {
    super('L1Loss', parseOptions(plainSchema, options, 'accelhydra.nn.L1Loss').reduction);
  }

  protected override elements(difference: tf.Tensor): tf.Tensor {
    return absolute(difference);
  }
}

/** (x - y)² (torch.nn.MSELoss). */
export class MSELoss extends DifferenceLoss {
  static readonly optionsSchema = plainSchema;

  constructor(options: PlainLossOptions = {}) {
    super('MSELoss', parseOptions(plainSchema, options, 'accelhydra.nn.MSELoss').reduction);
  }

  protected override elements(difference: tf.Tensor): tf.Tensor {
    return tf.square(difference);
  }
}

/** A parabola within `beta`, a straight line of slope 1 outside (torch.nn.SmoothL1Loss). */
export class SmoothL1Loss extends DifferenceLoss {
  static readonly optionsSchema = smoothSchema;
  readonly #beta: number;

  constructor(options: z.input<typeof smoothSchema> = {}) {
    const parsed = parseOptions(smoothSchema, options, 'accelhydra.nn.SmoothL1Loss');
    super('SmoothL1Loss', parsed.reduction);
    this.#beta = parsed.beta;
  }

  protected override elements(difference: tf.Tensor): tf.Tensor {
    return this.#beta === 0 ? absolute(difference) : tf.div(huber(difference, this.#beta), this.#beta);
  }
}

/** A parabola within `delta`, a straight line of slope `delta` outside (torch.nn.HuberLoss). */
export class HuberLoss extends DifferenceLoss {
  static readonly optionsSchema = huberSchema;
  readonly #delta: number;

  constructor(options: z.input<typeof huberSchema> = {}) {
    const parsed = parseOptions(huberSchema, options, 'accelhydra.nn.HuberLoss');
    super('HuberLoss', parsed.reduction);
    this.#delta = parsed.delta;
  }

  protected override elements(difference: tf.Tensor): tf.Tensor {
    return huber(difference, this.#delta);
  }
}

/** With a = min(|d|, δ): a · (|d| - a/2), whose derivative is d clipped to ±δ. */
function huber(difference: tf.Tensor, delta: number): tf.Tensor {
  return withGradient(
    difference,
    [],
    (value) => {
      const size = tf.abs(value);
      const inside = tf.minimum(size, delta);
      return tf.mul(inside, tf.sub(size, tf.mul(inside, 0.5)));
    },
    (dy, value) => tf.mul(dy, tf.clipByValue(value, -delta, delta)),
  );
}

const poissonSchema = z.object({
  reduction,
  log_input: z.boolean().default(true).describe('the input is the logarithm of the rate'),
  full: z.boolean().default(false).describe("add Stirling's approximation of log(target!)"),
  eps: z.number().positive().default(1e-8),
});

/** Negative log likelihood of a Poisson distribution (torch.nn.PoissonNLLLoss). Shapes equal. */
export class PoissonNLLLoss {
  static readonly optionsSchema = poissonSchema;
  readonly #options: z.output<typeof poissonSchema>;

  constructor(options: z.input<typeof poissonSchema> = {}) {
    this.#options = parseOptions(poissonSchema, options, 'accelhydra.nn.PoissonNLLLoss');
  }

  call(input: tf.Tensor, target: tf.Tensor): tf.Tensor {
    requireSameShape('PoissonNLLLoss', input, target);
    return tf.tidy(() => {
      const { log_input: logarithmic, eps, full, reduction: how } = this.#options;
      const counts = toFloat(target);
      const loss = logarithmic
        ? tf.sub(tf.exp(input), tf.mul(counts, input))
        : tf.sub(input, tf.mul(counts, tf.log(tf.add(input, eps))));
      return reduce(full ? tf.add(loss, stirling(counts)) : loss, how);
    });
  }
}

function stirling(counts: tf.Tensor): tf.Tensor {
  const safe = tf.maximum(counts, 1);
  const term = tf.addN([tf.mul(safe, tf.log(safe)), tf.neg(safe), tf.mul(tf.log(tf.mul(safe, 2 * Math.PI)), 0.5)]);
  return tf.where(tf.greater(counts, 1), term, tf.zerosLike(term));
}

const gaussianSchema = z.object({
  reduction,
  full: z.boolean().default(false).describe('add the constant log(2π)/2'),
  eps: z.number().positive().default(1e-6).describe('least variance'),
});

/** Negative log likelihood of a normal distribution with given variance (torch.nn.GaussianNLLLoss). */
export class GaussianNLLLoss {
  static readonly optionsSchema = gaussianSchema;
  readonly #options: z.output<typeof gaussianSchema>;

  constructor(options: z.input<typeof gaussianSchema> = {}) {
    this.#options = parseOptions(gaussianSchema, options, 'accelhydra.nn.GaussianNLLLoss');
  }

  /**
   * The variance has the input's shape, that with a 1 in one place, or that without the last place.
   * @throws EngineError `loss.shape`
   */
  call(input: tf.Tensor, target: tf.Tensor, given: tf.Tensor): tf.Tensor {
    requireSameShape('GaussianNLLLoss', input, target);
    return tf.tidy(() => {
      const variance = varianceOf(given, input);
      const { eps, full, reduction: how } = this.#options;
      // Values below eps are lifted, but the gradient passes as if they were not, as in PyTorch.
      const lifted = withGradient(
        variance,
        [],
        (value) => tf.maximum(value, eps),
        (dy) => dy,
      );
      const distance = tf.square(tf.sub(input, toFloat(target)));
      const loss = tf.mul(tf.add(tf.log(lifted), tf.div(distance, lifted)), 0.5);
      return reduce(full ? tf.add(loss, 0.5 * Math.log(2 * Math.PI)) : loss, how);
    });
  }
}

/** The variance in a shape that broadcasts to the input's, by PyTorch's rules. */
function varianceOf(variance: tf.Tensor, input: tf.Tensor): tf.Tensor {
  const rows = input.shape.slice(0, -1);
  if (tf.util.arraysEqual(rows, variance.shape)) return tf.expandDims(variance, -1);
  const others = variance.shape.filter((size, axis) => size !== input.shape[axis]);
  if (variance.rank === input.rank && (others.length === 0 || (others.length === 1 && others[0] === 1)))
    return variance;
  throw new EngineError(
    'loss.shape',
    `GaussianNLLLoss: the input has shape [${input.shape}] and the variance [${variance.shape}]; it needs the input's, that with a 1 in one place, or [${rows}].`,
    { input: input.shape, variance: variance.shape },
  );
}
