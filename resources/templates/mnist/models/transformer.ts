import * as tf from '@tensorflow/tfjs';
import { Dropout, LayerNorm, Linear, Module, MultiheadAttention } from 'accelhydra-studio';

export interface TransformerOptions {
  readonly dim: number;
  readonly depth?: number;
  readonly heads?: number;
  /** Width of the feed-forward part, as a multiple of dim. */
  readonly ff_mult?: number;
  readonly dropout?: number;
}

/** Pre-norm transformer blocks that look back only: [batch, length, dim] → the same shape. */
export class CausalTransformer extends Module {
  readonly dim: number;
  readonly blocks: readonly TransformerBlock[];
  readonly norm: LayerNorm;

  constructor(options: TransformerOptions) {
    super();
    this.dim = options.dim;
    this.blocks = Array.from({ length: options.depth ?? 2 }, () => new TransformerBlock(options));
    this.norm = new LayerNorm({ normalized_shape: options.dim });
  }

  call(input: tf.Tensor): tf.Tensor {
    return this.norm.call(this.blocks.reduce((values, block) => block.call(values), input));
  }
}

class TransformerBlock extends Module {
  readonly attention: MultiheadAttention;
  readonly attention_norm: LayerNorm;
  readonly widen: Linear;
  readonly narrow: Linear;
  readonly feed_forward_norm: LayerNorm;
  readonly dropout: Dropout;

  constructor({ dim, heads = 4, ff_mult = 4, dropout = 0 }: TransformerOptions) {
    super();
    this.attention = new MultiheadAttention({ embed_dim: dim, num_heads: heads, dropout });
    this.attention_norm = new LayerNorm({ normalized_shape: dim });
    this.widen = new Linear({ in_features: dim, out_features: dim * ff_mult });
    this.narrow = new Linear({ in_features: dim * ff_mult, out_features: dim });
    this.feed_forward_norm = new LayerNorm({ normalized_shape: dim });
    this.dropout = new Dropout({ p: dropout });
  }

  call(input: tf.Tensor): tf.Tensor {
    const seen = this.attention.call(this.attention_norm.call(input), { is_causal: true });
    const attended = input.add(this.dropout.call(seen));
    const wide = tf.relu(this.widen.call(this.feed_forward_norm.call(attended)));
    return attended.add(this.dropout.call(this.narrow.call(wide)));
  }
}
