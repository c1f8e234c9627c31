import * as tf from '@tensorflow/tfjs';
import {
  type BatchInference,
  Embedding,
  type HostTensor,
  type InferenceArguments,
  Linear,
  type ModelInput,
  type ModelSignature,
  Module,
  type PredictionOutput,
  type SampleView,
} from 'accelhydra-studio';

/** Texts that are written on are padded to multiples of this. */
const LENGTHS = 16;

/** What mixes the positions of a text: [batch, length, dim] → the same shape. */
export type TextBackbone = Module & { readonly dim: number };

export interface CharLanguageModelOptions {
  readonly backbone: TextBackbone;
  /** The alphabet: a character's place in it is its number. */
  readonly characters: string;
  /** The longest text that the model sees at once. */
  readonly context_length: number;
}

/** Predicts the next character: int32 [batch, length] → logits [batch, length, characters]. */
export class CharLanguageModel extends Module {
  readonly characters: readonly string[];
  readonly context_length: number;
  readonly token: Embedding;
  readonly position: Embedding;
  readonly backbone: TextBackbone;
  readonly head: Linear;

  constructor({ backbone, characters, context_length }: CharLanguageModelOptions) {
    super();
    if (typeof backbone?.dim !== 'number') {
      throw new TypeError('backbone must be one for text, with dim: choose model/backbone=transformer or causal_conv');
    }
    this.characters = [...characters];
    this.context_length = context_length;
    this.token = new Embedding({ num_embeddings: this.characters.length, embedding_dim: backbone.dim });
    this.position = new Embedding({ num_embeddings: context_length, embedding_dim: backbone.dim });
    this.backbone = backbone;
    this.head = new Linear({ in_features: backbone.dim, out_features: this.characters.length });
  }

  call(text: tf.Tensor): tf.Tensor {
    const length = text.shape[1] ?? 1;
    if (text.rank !== 2 || length > this.context_length) {
      throw new RangeError(
        `a language model takes texts [batch, up to ${this.context_length}], not a tensor of shape [${text.shape}]; is data@data_dict=sonnets set?`,
      );
    }
    const places = this.position.call(tf.range(0, length, 1, 'int32'));
    return this.head.call(this.backbone.call(this.token.call(text).add(places)));
  }

  get inference_signature(): ModelSignature {
    return {
      input: { type: 'text', placeholder: 'Shall I compare thee' },
      output: { type: 'text' },
      arguments: [
        {
          name: 'length',
          type: 'integer',
          default: 200,
          minimum: 1,
          maximum: 2000,
          description: 'Characters to write',
        },
        {
          name: 'temperature',
          type: 'number',
          default: 0.7,
          minimum: 0,
          maximum: 2,
          description: '0 always takes the likeliest character',
        },
        { name: 'seed', type: 'integer', default: 0, minimum: 0, description: 'Same seed, same text' },
      ],
    };
  }

  /** Goes on writing where the given text ends. */
  async predict(input: ModelInput, options: InferenceArguments): Promise<PredictionOutput> {
    if (input.type !== 'text') throw new TypeError('a language model takes a text');
    const { length = 200, temperature = 0.7, seed = 0 } = options;
    const known = this.encode(input.text === '' ? '\n' : input.text);
    let state = Number(seed) >>> 0;
    for (let written = 0; written < Number(length); written++) {
      const logits = await this.#nextLogits(known);
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      known.push(pick(logits, Number(temperature), state / 2 ** 32));
    }
    const start = known.length - Number(length);
    return { type: 'text', text: this.decode(known.slice(start)) };
  }

  /** Numbers of the characters; one that the alphabet lacks is read as a space. */
  encode(text: string): number[] {
    const blank = Math.max(0, this.characters.indexOf(' '));
    return [...text].map((character) => {
      const number = this.characters.indexOf(character);
      return number < 0 ? blank : number;
    });
  }

  decode(numbers: Iterable<number>): string {
    return Array.from(numbers, (number) => this.characters[number] ?? '').join('');
  }

  async #nextLogits(known: readonly number[]): Promise<Float32Array> {
    const seen = known.slice(-this.context_length);
    // the backbone looks back only, so what follows changes nothing: few lengths need few graphs
    const length = Math.min(this.context_length, Math.ceil(seen.length / LENGTHS) * LENGTHS);
    const padded = Int32Array.from({ length }, (_, place) => seen[place] ?? 0);
    const last = tf.tidy(() => {
      const logits = this.call(tf.tensor2d(padded, [1, length], 'int32'));
      return logits.slice([0, seen.length - 1, 0], [1, 1, -1]).flatten();
    });
    // waiting here lets the process hear that nobody wants the text any more
    const values = await last.data<'float32'>();
    last.dispose();
    return values;
  }

  /** One batch of a test set: how surprising each window was, in nats per character. */
  infer_batch(batch: unknown): BatchInference {
    const [inputs, targets] = batch as readonly [tf.Tensor, tf.Tensor];
    const losses = tf.tidy(() => {
      const logProbabilities = tf.logSoftmax(this.call(inputs));
      const chosen = tf.oneHot(targets.toInt(), this.characters.length).mul(logProbabilities).sum(-1);
      return Array.from(chosen.neg().mean(-1).dataSync());
    });
    const texts = targets.arraySync() as number[][];
    const predictions = losses.map((loss, index) => ({ text: this.decode(texts[index] ?? []), loss }));
    return {
      predictions,
      totals: { loss: { sum: losses.reduce((sum, loss) => sum + loss, 0), count: losses.length } },
    };
  }

  finish_metrics({ loss = Number.NaN }: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
    return { perplexity: Math.exp(loss) };
  }

  /** The inference page shows a window of the text, and prompts with it. */
  describe_sample(sample: unknown): SampleView {
    const [characters] = sample as readonly [HostTensor, HostTensor];
    return { text: this.decode(characters.data) };
  }
}

function pick(logits: Float32Array, temperature: number, random: number): number {
  const best = logits.indexOf(Math.max(...logits));
  if (temperature <= 0) return best;
  const highest = logits[best] ?? 0;
  const weights = Array.from(logits, (logit) => Math.exp((logit - highest) / temperature));
  let left = random * weights.reduce((sum, weight) => sum + weight, 0);
  for (const [number, weight] of weights.entries()) {
    left -= weight;
    if (left < 0) return number;
  }
  return best;
}
