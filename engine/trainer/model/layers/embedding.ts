import * as tf from '@tensorflow/tfjs';
import { EngineError } from '../../../api/errors.ts';
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

  /** @throws EngineError `embedding.out-of-range` for a number without a row, on the CPU; a GPU gives zeros for it. */
  call(input: tf.Tensor): tf.Tensor {
    try {
      return tf.gather(this.weight, input.dtype === 'int32' ? input : input.toInt());
    } catch (error) {
      throw readable(error, this.weight.shape[0] ?? 0);
    }
  }
}

function readable(error: unknown, rows: number): unknown {
  const [, wrong] = /index value (-?\d+) is not in/.exec(error instanceof Error ? error.message : '') ?? [];
  if (wrong === undefined) return error;
  return new EngineError(
    'embedding.out-of-range',
    `Embedding got the number ${wrong} outside 0 … ${rows - 1}: num_embeddings is ${rows}. Check the data's numbers and the size of the vocabulary.`,
    { wrong: Number(wrong), num_embeddings: rows },
    { cause: error },
  );
}
