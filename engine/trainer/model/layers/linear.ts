import * as tf from '@tensorflow/tfjs';
import { checkOptions, requireWhole } from '../../../data/options.ts';
import { fanInBound, uniformParameter } from '../initialise.ts';
import { Module } from '../module.ts';
import { addBias } from '../native/convolve.ts';

export interface LinearOptions {
  readonly in_features: number;
  readonly out_features: number;
  readonly bias?: boolean;
}

/**
 * y = x Wᵀ + b over the last axis. `weight` is [out_features, in_features] and `bias` [out_features], PyTorch's layout,
 * so that its weights load unchanged.
 */
export class Linear extends Module {
  readonly in_features: number;
  readonly out_features: number;
  readonly weight: tf.Variable;
  readonly bias: tf.Variable | undefined;

  constructor(options: LinearOptions) {
    super();
    checkOptions('Linear', options, ['in_features', 'out_features', 'bias']);
    this.in_features = requireWhole('Linear', 'in_features', options.in_features, 1);
    this.out_features = requireWhole('Linear', 'out_features', options.out_features, 1);
    const bound = fanInBound(this.in_features);
    this.weight = uniformParameter([this.out_features, this.in_features], bound);
    this.bias = (options.bias ?? true) ? uniformParameter([this.out_features], bound) : undefined;
  }

  call(input: tf.Tensor): tf.Tensor {
    return linear(input, this.weight, this.bias);
  }
}

/** x [..., in] times weight [out, in] transposed, plus bias [out]. */
export function linear(input: tf.Tensor, weight: tf.Tensor, bias?: tf.Tensor): tf.Tensor {
  const rows = input.rank === 2 ? input : input.reshape([-1, input.shape[input.rank - 1] ?? 1]);
  const product = tf.matMul(rows, weight, false, true);
  const result = bias === undefined ? product : addBias(product, bias);
  return input.rank === 2 ? result : result.reshape([...input.shape.slice(0, -1), weight.shape[0] ?? 1]);
}
