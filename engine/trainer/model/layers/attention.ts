import * as tf from '@tensorflow/tfjs';
import { EngineError } from '../../../api/errors.ts';
import { checkOptions, requireWhole } from '../../../data/options.ts';
import { constantParameter, uniformParameter } from '../initialise.ts';
import { Module } from '../module.ts';
import { nativeSelfAttention } from '../native/selfAttention.ts';
import { dropoutMask } from './dropout.ts';
import { Linear, linear } from './linear.ts';

export interface MultiheadAttentionOptions {
  readonly embed_dim: number;
  readonly num_heads: number;
  /** Share of the attention weights that is dropped in training. */
  readonly dropout?: number;
  readonly bias?: boolean;
  /** Only true: inputs are [batch, length, embed_dim]. */
  readonly batch_first?: boolean;
  /** False computes from single operations, which have second derivatives. */
  readonly fused?: boolean;
}

export interface AttentionCall {
  /** The query when absent (self-attention). */
  readonly key?: tf.Tensor;
  /** The key when absent. */
  readonly value?: tf.Tensor;
  /** Position i sees positions up to i. */
  readonly is_causal?: boolean;
  /** Added to the scores [batch, heads, queries, keys] (broadcast); −1e9 hides a position. */
  readonly attn_mask?: tf.Tensor;
}

/** Queries, keys and values. */
type Projections = [tf.Tensor, tf.Tensor, tf.Tensor];

/**
 * Scaled dot-product attention in several heads, with PyTorch's parameter names: `in_proj_weight` [3·embed_dim,
 * embed_dim], `in_proj_bias`, `out_proj.weight`, `out_proj.bias`. Input and output are [batch, length, embed_dim].
 */
export class MultiheadAttention extends Module<readonly [tf.Tensor, AttentionCall?]> {
  readonly in_proj_weight: tf.Variable;
  readonly in_proj_bias: tf.Variable | undefined;
  readonly out_proj: Linear;
  readonly #width: number;
  readonly #heads: number;
  readonly #dropout: number;
  readonly #fused: boolean;

  constructor(options: MultiheadAttentionOptions) {
    super();
    checkOptions('MultiheadAttention', options, ['embed_dim', 'num_heads', 'dropout', 'bias', 'batch_first', 'fused']);
    this.#width = requireWhole('MultiheadAttention', 'embed_dim', options.embed_dim, 1);
    this.#heads = requireWhole('MultiheadAttention', 'num_heads', options.num_heads, 1);
    this.#dropout = options.dropout ?? 0;
    this.#fused = options.fused ?? true;
    if (this.#width % this.#heads !== 0 || options.batch_first === false) {
      const reason =
        options.batch_first === false
          ? 'batch_first must be true'
          : `embed_dim ${this.#width} is no multiple of num_heads ${this.#heads}`;
      throw new EngineError('options.invalid', `MultiheadAttention: ${reason}.`, {});
    }
    const bias = options.bias ?? true;
    // xavier_uniform over the whole projection, as PyTorch initialises it
    this.in_proj_weight = uniformParameter([3 * this.#width, this.#width], Math.sqrt(6 / (4 * this.#width)));
    this.in_proj_bias = bias ? constantParameter([3 * this.#width], 0) : undefined;
    this.out_proj = new Linear({ in_features: this.#width, out_features: this.#width, bias });
    tf.tidy(() => this.out_proj.bias?.assign(tf.zeros([this.#width])));
  }

  call(query: tf.Tensor, options: AttentionCall = {}): tf.Tensor {
    const { key = query, value = key, is_causal = false, attn_mask } = options;
    const kept = this.#dropoutMask(query, key);
    if (key !== query || value !== query) {
      return this.out_proj.call(this.#attend(this.#projectApart(query, key, value), options, kept));
    }
    const joined = linear(query, this.in_proj_weight, this.in_proj_bias);
    const whole =
      this.#fused && attn_mask === undefined
        ? nativeSelfAttention(joined, { heads: this.#heads, causal: is_causal, kept })
        : undefined;
    return this.out_proj.call(whole ?? this.#attend(this.#splitJoined(joined), options, kept));
  }

  /** What the attention weights [batch, heads, queries, keys] are multiplied with, where some are dropped. */
  #dropoutMask({ shape: [batch = 1, queries = 1] }: tf.Tensor, { shape: [, keys = 1] }: tf.Tensor) {
    if (!this.training || this.#dropout === 0) return undefined;
    return dropoutMask([batch, this.#heads, queries, keys], this.#dropout);
  }

  /** From queries, keys and values [batch, heads, length, width / heads] to [batch, length, width]. */
  #attend([q, k, v]: Projections, { attn_mask, is_causal }: AttentionCall, kept: tf.Tensor | undefined): tf.Tensor {
    const scores = tf.matMul(q.mul(1 / Math.sqrt(this.#width / this.#heads)), k, false, true);
    const masked = attn_mask === undefined ? scores : scores.add(attn_mask);
    const weights = tf.softmax(is_causal === true ? masked.add(causalMask(q.shape[2] ?? 1, k.shape[2] ?? 1)) : masked);
    const joined = tf.matMul(kept === undefined ? weights : weights.mul(kept), v).transpose([0, 2, 1, 3]);
    return joined.reshape([joined.shape[0] ?? 1, joined.shape[1] ?? 1, this.#width]);
  }

  #projectApart(...inputs: Projections): Projections {
    const [q, k, v] = inputs.map((input, index) => {
      const weight = this.in_proj_weight.slice([index * this.#width, 0], [this.#width, this.#width]);
      return this.#split(linear(input, weight, this.in_proj_bias?.slice(index * this.#width, this.#width)));
    });
    return [q, k, v] as Projections;
  }

  /** All three at once, put in order by one transposition: their slices along the first axis need no copying. */
  #splitJoined(joined: tf.Tensor): Projections {
    const [batch = 1, length = 1] = joined.shape;
    const ordered = joined
      .reshape([batch, length, 3, this.#heads, this.#width / this.#heads])
      .transpose([2, 0, 3, 1, 4]);
    return tf.unstack(ordered) as Projections;
  }

  /** [batch, length, width] → [batch, heads, length, width / heads]. */
  #split(input: tf.Tensor): tf.Tensor {
    const [batch = 1, length = 1] = input.shape;
    return input.reshape([batch, length, this.#heads, this.#width / this.#heads]).transpose([0, 2, 1, 3]);
  }
}

/** [queries, keys] with −1e9 where a key lies after the query; the last query sees all keys. */
export function causalMask(queries: number, keys: number): tf.Tensor2D {
  const mask = new Float32Array(queries * keys);
  for (let row = 0; row < queries; row++) mask.fill(-1e9, row * keys + row + 1 + keys - queries, (row + 1) * keys);
  return tf.tensor2d(mask, [queries, keys]);
}
