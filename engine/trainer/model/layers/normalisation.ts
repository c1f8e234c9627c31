import * as tf from '@tensorflow/tfjs';
import { EngineError } from '../../../api/errors.ts';
import { sizeOf } from '../../../data/hostTensor.ts';
import { checkOptions, requireWhole } from '../../../data/options.ts';
import { constantParameter } from '../initialise.ts';
import { Module } from '../module.ts';
import { nativeBatchNorm } from '../native/batchNorm.ts';
import { nativeLayerNorm } from '../native/layerNorm.ts';
import { asImages } from './image.ts';

export interface LayerNormOptions {
  readonly normalized_shape: number | readonly number[];
  readonly eps?: number;
  readonly elementwise_affine?: boolean;
  readonly bias?: boolean;
  /** False computes from single operations, which have second derivatives. */
  readonly fused?: boolean;
}

/** Normalises over the last axes: (x − mean) / √(variance + eps) · weight + bias, with the biased variance. */
export class LayerNorm extends Module {
  readonly weight: tf.Variable | undefined;
  readonly bias: tf.Variable | undefined;
  readonly #shape: readonly number[];
  readonly #eps: number;
  readonly #fused: boolean;

  constructor(options: LayerNormOptions) {
    super();
    checkOptions('LayerNorm', options, ['normalized_shape', 'eps', 'elementwise_affine', 'bias', 'fused']);
    const shape = options.normalized_shape;
    this.#shape = typeof shape === 'number' ? [requireWhole('LayerNorm', 'normalized_shape', shape, 1)] : shape;
    this.#eps = options.eps ?? 1e-5;
    this.#fused = options.fused ?? true;
    const affine = options.elementwise_affine ?? true;
    this.weight = affine ? constantParameter(this.#shape, 1) : undefined;
    this.bias = affine && (options.bias ?? true) ? constantParameter(this.#shape, 0) : undefined;
  }

  call(input: tf.Tensor): tf.Tensor {
    const axes = this.#shape.map((_, i) => input.rank - this.#shape.length + i);
    if (sizeOf(input.shape.slice(-this.#shape.length)) !== sizeOf(this.#shape) || (axes[0] ?? 0) < 0) {
      throw new EngineError('model.shape', `LayerNorm over [${this.#shape}] got a tensor of shape [${input.shape}].`, {
        shape: input.shape,
      });
    }
    if (this.#fused && axes.length === 1 && this.weight !== undefined && this.bias !== undefined) {
      const whole = nativeLayerNorm(input, this.weight, this.bias, this.#eps);
      if (whole !== undefined) return whole;
    }
    const centred = input.sub(input.mean(axes, true));
    const variance = centred.square().mean(axes, true);
    const normal = centred.mul(variance.add(this.#eps).rsqrt());
    const scaled = this.weight === undefined ? normal : normal.mul(this.weight);
    return this.bias === undefined ? scaled : scaled.add(this.bias);
  }
}

export interface BatchNorm2dOptions {
  readonly num_features: number;
  readonly eps?: number;
  /** Weight of the newest batch in the running statistics. */
  readonly momentum?: number;
  readonly affine?: boolean;
  readonly track_running_stats?: boolean;
  /** False computes from single operations, which have second derivatives. */
  readonly fused?: boolean;
}

/**
 * Batch normalisation of images [batch, height, width, num_features]. Training normalises with the batch's biased
 * variance and moves `running_mean` and `running_var` (unbiased, as PyTorch) by `momentum`; eval mode uses them.
 */
export class BatchNorm2d extends Module {
  readonly weight: tf.Variable | undefined;
  readonly bias: tf.Variable | undefined;
  readonly running_mean: tf.Variable | undefined;
  readonly running_var: tf.Variable | undefined;
  readonly #eps: number;
  readonly #momentum: number;
  readonly #fused: boolean;

  constructor(options: BatchNorm2dOptions) {
    super();
    checkOptions('BatchNorm2d', options, ['num_features', 'eps', 'momentum', 'affine', 'track_running_stats', 'fused']);
    const shape = [requireWhole('BatchNorm2d', 'num_features', options.num_features, 1)];
    this.#eps = options.eps ?? 1e-5;
    this.#momentum = options.momentum ?? 0.1;
    this.#fused = options.fused ?? true;
    const affine = options.affine ?? true;
    this.weight = affine ? constantParameter(shape, 1) : undefined;
    this.bias = affine ? constantParameter(shape, 0) : undefined;
    const tracks = options.track_running_stats ?? true;
    this.running_mean = tracks ? this.buffer(tf.zeros(shape)) : undefined;
    this.running_var = tracks ? this.buffer(tf.ones(shape)) : undefined;
  }

  call(input: tf.Tensor): tf.Tensor {
    const images = asImages('BatchNorm2d', input);
    const { running_mean: mean, running_var: variance } = this;
    if (!this.training && mean !== undefined && variance !== undefined) return this.#normalise(images, mean, variance);
    const whole = this.#fused ? this.#fusedNormalise(images) : undefined;
    if (whole !== undefined) return whole;
    const batchMean = images.mean([0, 1, 2]);
    const batchVariance = images.sub(batchMean).square().mean([0, 1, 2]);
    if (this.training) {
      const count = images.size / batchMean.size;
      this.#track(batchMean, batchVariance.mul(count > 1 ? count / (count - 1) : 1));
    }
    return this.#normalise(images, batchMean, batchVariance);
  }

  #normalise(images: tf.Tensor4D, mean: tf.Tensor, variance: tf.Tensor): tf.Tensor {
    const normal = images.sub(mean).mul(variance.add(this.#eps).rsqrt());
    const scaled = this.weight === undefined ? normal : normal.mul(this.weight);
    return this.bias === undefined ? scaled : scaled.add(this.bias);
  }

  #fusedNormalise(images: tf.Tensor4D): tf.Tensor | undefined {
    const { weight = tf.ones([images.shape[3]]), bias = tf.zeros([images.shape[3]]) } = this;
    return nativeBatchNorm(images, weight, bias, this.#eps, (mean, variance) => {
      if (this.training) this.#track(mean, variance);
    });
  }

  /** Moves the running statistics; the variance is the unbiased one. */
  #track(mean: tf.Tensor, variance: tf.Tensor): void {
    const keep = 1 - this.#momentum;
    tf.tidy(() => {
      this.running_mean?.assign(this.running_mean.mul(keep).add(mean.mul(this.#momentum)));
      this.running_var?.assign(this.running_var.mul(keep).add(variance.mul(this.#momentum)));
    });
  }
}
