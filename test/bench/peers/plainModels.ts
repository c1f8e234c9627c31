// The benchmark's models as a user of plain TensorFlow.js writes them: tf.layers, and layers of one's own for attention.
import * as tf from '@tensorflow/tfjs';
import { type ModelName, text } from './tasks.ts';

export function makePlainModel(name: ModelName): tf.LayersModel {
  const image = { inputShape: [28, 28, 1] };
  switch (name) {
    case 'cnn':
      return tf.sequential({
        layers: [
          tf.layers.conv2d({ ...image, filters: 8, kernelSize: 3, padding: 'same', activation: 'relu' }),
          tf.layers.maxPooling2d({ poolSize: 2 }),
          tf.layers.conv2d({ filters: 16, kernelSize: 3, padding: 'same', activation: 'relu' }),
          tf.layers.maxPooling2d({ poolSize: 2 }),
          tf.layers.flatten(),
          tf.layers.dense({ units: 10 }),
        ],
      });
    case 'mlp':
      return tf.sequential({
        layers: [
          tf.layers.flatten(image),
          tf.layers.dense({ units: 128, activation: 'relu' }),
          tf.layers.dense({ units: 10 }),
        ],
      });
    case 'heavy':
      return tf.sequential({
        layers: [
          tf.layers.conv2d({ ...image, filters: 32, kernelSize: 3, activation: 'relu' }),
          tf.layers.conv2d({ filters: 64, kernelSize: 3, activation: 'relu' }),
          tf.layers.maxPooling2d({ poolSize: 2 }),
          tf.layers.dropout({ rate: 0.25 }),
          tf.layers.flatten(),
          tf.layers.dense({ units: 128, activation: 'relu' }),
          tf.layers.dropout({ rate: 0.5 }),
          tf.layers.dense({ units: 10 }),
        ],
      });
    case 'char':
      return transformer();
  }
}

function transformer(): tf.LayersModel {
  const input = tf.input({ shape: [text.length] });
  const characters = tf.layers.embedding({ inputDim: text.vocabulary, outputDim: text.width }).apply(input);
  let value = new Places({}).apply(characters) as tf.SymbolicTensor;
  for (let layer = 0; layer < text.layers; layer++) {
    const seen = new Attention({}).apply(tf.layers.layerNormalization().apply(value)) as tf.SymbolicTensor;
    const sum = tf.layers.add().apply([value, seen]) as tf.SymbolicTensor;
    const wide = tf.layers
      .dense({ units: 4 * text.width, activation: 'gelu' as never })
      .apply(tf.layers.layerNormalization().apply(sum));
    value = tf.layers
      .add()
      .apply([sum, tf.layers.dense({ units: text.width }).apply(wide) as tf.SymbolicTensor]) as tf.SymbolicTensor;
  }
  const head = tf.layers.dense({ units: text.vocabulary }).apply(tf.layers.layerNormalization().apply(value));
  return tf.model({ inputs: input, outputs: head as tf.SymbolicTensor });
}

/** Learnt places added to the characters. */
class Places extends tf.layers.Layer {
  static className = 'Places';
  #places: tf.LayerVariable | undefined;

  override build(): void {
    this.#places = this.addWeight('places', [text.length, text.width], 'float32', tf.initializers.randomNormal({}));
    this.built = true;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.add(first(inputs), read(this.#places));
  }

  override computeOutputShape(shape: tf.Shape): tf.Shape {
    return shape;
  }
}

/** Causal attention in several heads. */
class Attention extends tf.layers.Layer {
  static className = 'Attention';
  #in: tf.LayerVariable | undefined;
  #out: tf.LayerVariable | undefined;
  #mask: tf.Tensor | undefined;

  override build(): void {
    const init = tf.initializers.glorotUniform({});
    this.#in = this.addWeight('in', [text.width, 3 * text.width], 'float32', init);
    this.#out = this.addWeight('out', [text.width, text.width], 'float32', init);
    this.#mask = tf.keep(
      tf.tidy(() => tf.mul(tf.sub(1, tf.linalg.bandPart(tf.ones([text.length, text.length]), -1, 0)), -1e9)),
    );
    this.built = true;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const x = first(inputs);
      const [batch = 1] = x.shape;
      const size = text.width / text.heads;
      const split = (part: tf.Tensor) => part.reshape([batch, text.length, text.heads, size]).transpose([0, 2, 1, 3]);
      const projected = tf
        .matMul(x.reshape([-1, text.width]), read(this.#in))
        .reshape([batch, text.length, 3 * text.width]);
      const [q, k, v] = tf.split(projected, 3, -1).map(split);
      const scores = tf.matMul(q as tf.Tensor, k as tf.Tensor, false, true).mul(1 / Math.sqrt(size));
      const weights = tf.softmax(scores.add(this.#mask as tf.Tensor));
      const joined = tf
        .matMul(weights, v as tf.Tensor)
        .transpose([0, 2, 1, 3])
        .reshape([-1, text.width]);
      return tf.matMul(joined, read(this.#out)).reshape([batch, text.length, text.width]);
    });
  }

  override computeOutputShape(shape: tf.Shape): tf.Shape {
    return shape;
  }
}

function first(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
  return Array.isArray(inputs) ? (inputs[0] as tf.Tensor) : inputs;
}

function read(variable: tf.LayerVariable | undefined): tf.Tensor {
  if (variable === undefined) throw new Error('the layer was not built');
  return variable.read();
}
