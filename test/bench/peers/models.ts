// The benchmark's models made of our layers.
import * as tf from '@tensorflow/tfjs';
import {
  Conv2d,
  Dropout,
  Embedding,
  Flatten,
  GELU,
  LayerNorm,
  Linear,
  MaxPool2d,
  Module,
  MultiheadAttention,
  ReLU,
  Sequential,
} from '../../../engine/index.ts';
import { smallCnn, smallMlp } from './smallNets.ts';
import { type ModelName, text } from './tasks.ts';

/** `fused` false makes every layer from single operations of TensorFlow.js. */
export function makeModel(name: ModelName, fused: boolean): Module {
  switch (name) {
    case 'cnn':
      return smallCnn();
    case 'mlp':
      return smallMlp();
    case 'heavy':
      return new Sequential(
        new Conv2d({ in_channels: 1, out_channels: 32, kernel_size: 3 }),
        new ReLU(),
        new Conv2d({ in_channels: 32, out_channels: 64, kernel_size: 3 }),
        new ReLU(),
        new MaxPool2d({ kernel_size: 2 }),
        new Dropout({ p: 0.25 }),
        new Flatten(),
        new Linear({ in_features: 9216, out_features: 128 }),
        new ReLU(),
        new Dropout({ p: 0.5 }),
        new Linear({ in_features: 128, out_features: 10 }),
      );
    case 'char':
      return new CharTransformer(fused);
  }
}

class Block extends Module {
  readonly norm1: LayerNorm;
  readonly attention = new MultiheadAttention({ embed_dim: text.width, num_heads: text.heads });
  readonly norm2: LayerNorm;
  readonly wide = new Linear({ in_features: text.width, out_features: 4 * text.width });
  readonly gelu: GELU;
  readonly narrow = new Linear({ in_features: 4 * text.width, out_features: text.width });

  constructor(fused: boolean) {
    super();
    this.norm1 = new LayerNorm({ normalized_shape: text.width, fused });
    this.norm2 = new LayerNorm({ normalized_shape: text.width, fused });
    this.gelu = new GELU({ fused });
  }

  call(input: tf.Tensor): tf.Tensor {
    const seen = input.add(this.attention.call(this.norm1.call(input), { is_causal: true }));
    return seen.add(this.narrow.call(this.gelu.call(this.wide.call(this.norm2.call(seen)))));
  }
}

class CharTransformer extends Module {
  readonly characters = new Embedding({ num_embeddings: text.vocabulary, embedding_dim: text.width });
  readonly places = new Embedding({ num_embeddings: text.length, embedding_dim: text.width });
  readonly blocks: readonly Block[];
  readonly norm: LayerNorm;
  readonly head = new Linear({ in_features: text.width, out_features: text.vocabulary });

  constructor(fused: boolean) {
    super();
    this.blocks = Array.from({ length: text.layers }, () => new Block(fused));
    this.norm = new LayerNorm({ normalized_shape: text.width, fused });
  }

  call(input: tf.Tensor): tf.Tensor {
    const places = this.places.call(tf.range(0, text.length, 1, 'int32'));
    const start = this.characters.call(input).add(places);
    return this.head.call(this.norm.call(this.blocks.reduce((value, block) => block.call(value), start)));
  }
}
