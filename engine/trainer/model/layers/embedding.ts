import * as tf from '@tensorflow/tfjs';
import { checkOptions, requireWhole } from '../../../data/options.ts';
import { normalParameter } from '../initialise.ts';
import { Module } from '../module.ts';

export interface EmbeddingOptions {
  readonly num_embeddings: number;
  readonly embedding_dim: number;
}

/** Rows of `weight` [num_embeddings, embedding_dim] by number: int32 [...] → float32 [..., embedding_dim]. */
export class Embedding extends Module {
  readonly weight: tf.Variable;

  constructor(options: EmbeddingOptions) {
    super();
    checkOptions('Embedding', options, ['num_embeddings', 'embedding_dim']);
    this.weight = normalParameter([
      requireWhole('Embedding', 'num_embeddings', options.num_embeddings, 1),
      requireWhole('Embedding', 'embedding_dim', options.embedding_dim, 1),
    ]);
  }

  call(input: tf.Tensor): tf.Tensor {
    return tf.gather(this.weight, input.dtype === 'int32' ? input : input.toInt());
  }
}
