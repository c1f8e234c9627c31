import * as tf from '@tensorflow/tfjs';
import { EngineError } from '../api/errors.ts';
import type { ModelSignature, PredictInput, Prediction } from '../api/inferenceModel.ts';
import { sizeOf } from '../data/hostTensor.ts';
import type { InferenceArguments, InferenceModel, ModelInput, PredictionOutput } from './modelContract.ts';
import type { SampleSource } from './samples.ts';

/** A model that answers by itself, or one whose `call` maps one tensor to one. */
export interface AnsweringModel extends InferenceModel {
  call(...inputs: never[]): unknown;
}

type NamedProbability = Extract<PredictionOutput, { type: 'labels' }>['labels'][number];

/** How far from one the sum of a softmax may be told: people round to two digits. */
const ROUNDING = 0.02;

type GivenInput = Exclude<PredictInput, { type: 'sample' }>;

/**
 * Asks a model one question. Without a `predict` of its own the model is called with the tensor, and for classes the
 * softmax of its output gives the probabilities, for labels the sigmoid or the output itself. Throws 'inference.input' for an input the signature does not take.
 */
export async function predictOnce(
  model: AnsweringModel,
  signature: ModelSignature,
  input: PredictInput,
  options: InferenceArguments,
  samples: SampleSource,
): Promise<Prediction> {
  const { given, expected } = input.type === 'sample' ? await fromSample(input, signature, samples) : { given: input };
  const started = performance.now();
  const engine = tf.engine();
  engine.startScope('predict');
  try {
    const modelInput = toModelInput(given, signature);
    const answer = model.predict?.(modelInput, options) ?? callModel(model, modelInput, signature);
    const output = asLabels(await answer, signature);
    return { output, ...(expected === undefined ? {} : { expected }), elapsedMs: performance.now() - started };
  } finally {
    engine.endScope();
  }
}

async function fromSample(
  { split, index }: Extract<PredictInput, { type: 'sample' }>,
  signature: ModelSignature,
  samples: SampleSource,
): Promise<{ given: GivenInput; expected: string | undefined }> {
  const { pixels, text, tensor, label } = await samples.view(split, index);
  if (signature.input.type === 'image' && pixels !== undefined)
    return { given: { type: 'image', pixels }, expected: label };
  if (signature.input.type === 'text' && text !== undefined) return { given: { type: 'text', text }, expected: label };
  if (signature.input.type === 'tensor' && tensor !== undefined) {
    const values = Float64Array.from(tensor.data);
    return { given: { type: 'tensor', shape: [1, ...tensor.shape], values }, expected: label };
  }
  throw new EngineError(
    'inference.input',
    `Sample ${index} of '${split}' cannot be given to this model, which takes ${signature.input.type}. A method describe_sample(sample) of the model can say how.`,
    { split, index },
  );
}

function toModelInput(given: GivenInput, signature: ModelSignature): ModelInput {
  const wanted = signature.input;
  if (given.type !== wanted.type) {
    throw new EngineError('inference.input', `The model takes ${wanted.type}, not ${given.type}.`, {
      wanted: wanted.type,
      given: given.type,
    });
  }
  if (given.type === 'text') return { type: 'text', text: given.text };
  if (given.type === 'tensor' && wanted.type === 'tensor') return { type: 'tensor', tensor: toTensor(given, wanted) };
  if (given.type === 'tensor' || wanted.type !== 'image') throw new Error('Internal error: an image for no image');
  const shape: [number, number, number, number] = [1, wanted.height, wanted.width, wanted.channels];
  const size = wanted.height * wanted.width * wanted.channels;
  if (given.pixels.length !== size) {
    throw new EngineError(
      'inference.input',
      `The model takes images of ${wanted.height} × ${wanted.width} × ${wanted.channels}, which is ${size} values, not ${given.pixels.length}.`,
      { wanted: size, given: given.pixels.length },
    );
  }
  return { type: 'image', image: tf.tensor4d(Float32Array.from(given.pixels), shape) };
}

function toTensor(
  { shape, values }: Extract<GivenInput, { type: 'tensor' }>,
  wanted: Extract<ModelSignature['input'], { type: 'tensor' }>,
): tf.Tensor {
  const isLike =
    shape.length === wanted.shape.length && wanted.shape.every((size, axis) => size === null || size === shape[axis]);
  if (!isLike || sizeOf(shape) !== values.length) {
    const text = wanted.shape.map((size) => size ?? '?').join(', ');
    throw new EngineError(
      'inference.input',
      `The model takes a tensor of shape [${text}], the batch first, not ${values.length} values as [${shape.join(', ')}].`,
      { wanted: wanted.shape, given: shape },
    );
  }
  if (wanted.dtype === 'int32' || wanted.dtype === 'bool')
    return tf.tensor(Int32Array.from(values), shape, wanted.dtype);
  return tf.tensor(Float32Array.from(values), shape);
}

async function callModel(
  model: AnsweringModel,
  input: ModelInput,
  signature: ModelSignature,
): Promise<PredictionOutput> {
  if (input.type === 'text') {
    throw new EngineError(
      'inference.input',
      'A model that takes text must answer by itself: give it a method predict(input, options).',
    );
  }
  const tensor = input.type === 'image' ? input.image : input.tensor;
  const output: unknown = Reflect.apply(model.call, model, [tensor]);
  if (!(output instanceof tf.Tensor)) {
    throw new EngineError(
      'inference.output',
      "The model's call gives no tensor; give it a method predict(input, options).",
    );
  }
  const { output: wanted } = signature;
  if (wanted.type === 'classes') {
    return { type: 'classes', classes: await byProbability(tf.softmax(output.flatten()), wanted.names) };
  }
  if (wanted.type === 'labels') {
    const given = output.flatten();
    const probabilities = wanted.fromLogits === false ? given : tf.sigmoid(given);
    return { type: 'labels', labels: await byProbability(probabilities, wanted.names) };
  }
  return { type: 'tensor', shape: output.shape, values: Array.from(await output.data()) };
}

async function byProbability(tensor: tf.Tensor, names: readonly string[]): Promise<NamedProbability[]> {
  const probabilities = await tensor.data();
  if (probabilities.length !== names.length) {
    throw new EngineError(
      'inference.output',
      `The signature names ${names.length} classes, the model gives ${probabilities.length} values.`,
      { names: names.length, values: probabilities.length },
    );
  }
  const named = names.map((name, index) => ({ name, probability: probabilities[index] ?? 0 }));
  return named.sort((a, b) => b.probability - a.probability);
}

/**
 * What a `predict` calls classes, but are labels: by the signature, or because the probabilities are no distribution. Less
 * than one in all says so only where every class is told: a model may name its likeliest few.
 */
function asLabels(output: PredictionOutput, { output: stated }: ModelSignature): PredictionOutput {
  if (output.type !== 'classes') return output;
  const labels = { type: 'labels', labels: output.classes } as const;
  if (stated.type === 'labels') return labels;
  const sum = output.classes.reduce((total, { probability }) => total + probability, 0);
  const isWhole = stated.type === 'classes' && output.classes.length === stated.names.length;
  return sum > 1 + ROUNDING || (isWhole && sum < 1 - ROUNDING) ? labels : output;
}
