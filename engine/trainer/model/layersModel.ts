import * as tf from '@tensorflow/tfjs';
import { EngineError } from '../../api/errors.ts';
import { Module, type NamedVariable } from './module.ts';

/**
 * A tf.LayersModel (tf.sequential, tf.model) as a Module. Weights are named by the layer's number and their own name
 * (`0.kernel`), since the names that TensorFlow.js makes up differ from one process to the next.
 */
export class LayersModelModule extends Module {
  readonly #model: tf.LayersModel;
  readonly #weights: readonly NamedVariable[];

  constructor(model: tf.LayersModel) {
    super();
    this.#model = model;
    this.#weights = nameWeights(model);
  }

  call(input: tf.Tensor): tf.Tensor {
    const output = this.#model.apply(input, { training: this.training });
    if (output instanceof tf.Tensor) return output;
    throw new EngineError('model.layers', 'The tf model gives several outputs; wrap it in a Module of your own.', {});
  }

  override namedParameters(): NamedVariable[] {
    return [...this.#weights];
  }

  override dispose(): void {
    this.#model.dispose();
  }
}

function nameWeights(model: tf.LayersModel): NamedVariable[] {
  const trainable = new Set(model.trainableWeights);
  const names = new Set<string>();
  const found: NamedVariable[] = [];
  model.layers.forEach((layer, number) => {
    for (const weight of layer.weights) {
      // the layers API keeps its variable in `val`, without a public way to it
      const variable: unknown = Reflect.get(weight, 'val');
      if (!(variable instanceof tf.Variable)) continue;
      if (!trainable.has(weight)) variable.trainable = false;
      const path = `${number}.${weight.originalName.split('/').at(-1)}`;
      const name = names.has(path) ? `${path}_${found.length}` : path;
      names.add(name);
      found.push({ name, variable });
    }
  });
  if (found.length > 0) return found;
  throw new EngineError('model.layers', 'The tf model has no weights yet. Give its first layer an inputShape.', {});
}

/** What may stand in the `model` section: a Module, or a tf.LayersModel, which is wrapped. Throws `model.kind`. */
export function asModule(value: unknown): Module<never[], unknown> {
  if (value instanceof Module) return value;
  if (value instanceof tf.LayersModel) return new LayersModelModule(value);
  const kind = typeof value === 'object' && value !== null ? `a ${value.constructor.name}` : typeof value;
  throw new EngineError(
    'model.kind',
    `'model' must be a Module (import { Module } from 'accelhydra-studio') or a tf.LayersModel; it is ${kind}.`,
    { kind },
  );
}
