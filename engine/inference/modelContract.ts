import type * as tf from '@tensorflow/tfjs';
import { EngineError } from '../api/errors.ts';
import { ModelSignature, type Prediction } from '../api/inferenceModel.ts';
import type { HostTensor } from '../data/hostTensor.ts';

/** What a person gave, as the model's `predict` gets it. The caller disposes tensors. */
export type ModelInput =
  /** float32 [1, height, width, channels], values 0 … 1. */
  | { readonly type: 'image'; readonly image: tf.Tensor4D }
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'tensor'; readonly tensor: tf.Tensor };

/** The answer, in the form that the signature's output announces. */
export type PredictionOutput = Prediction['output'];

/** Values of the signature's arguments, defaults filled in. */
export type InferenceArguments = Readonly<Record<string, number | boolean>>;

/** A sum over samples and how many: means over a whole data set stay right when batches differ in size. */
export interface MetricTotal {
  readonly sum: number;
  readonly count: number;
}

export interface BatchInference {
  /** One JSON value a sample, in the order of the batch. */
  readonly predictions: readonly object[];
  readonly totals: Readonly<Record<string, MetricTotal>>;
}

/** One sample of a data set, for people: pixels row-major with values 0 … 1. */
export interface SampleView {
  readonly label?: string;
  readonly pixels?: Float64Array<ArrayBuffer>;
  readonly text?: string;
  /** What a model that takes tensors is asked with, without the batch's dimension. */
  readonly tensor?: HostTensor;
}

/**
 * What a model may offer beside `call`, so that it can be asked questions. All of it is optional: without a signature a
 * model cannot be drawn for, without `infer_batch` it cannot be run over a data set.
 */
export interface InferenceModel {
  readonly inference_signature?: ModelSignature;
  predict?(input: ModelInput, options: InferenceArguments): PredictionOutput | Promise<PredictionOutput>;
  infer_batch?(batch: unknown, options: Readonly<Record<string, unknown>>): BatchInference | Promise<BatchInference>;
  /** What a person sees of a sample of the run's data sets; images and tensors with a number as label need no such method. */
  describe_sample?(sample: unknown): SampleView;
  /** Metrics made from the means of the totals: a perplexity from a loss. */
  finish_metrics?(means: Readonly<Record<string, number>>): Readonly<Record<string, number>>;
}

/** The signature that a model states. Throws 'inference.no-signature' or 'inference.bad-signature'. */
export function readSignature(model: InferenceModel & object): ModelSignature {
  const stated = model.inference_signature;
  if (stated === undefined) {
    throw new EngineError(
      'inference.no-signature',
      `${nameOf(model)} does not say what it takes. Give it a getter 'inference_signature' that returns {input, output, arguments}.`,
      { model: nameOf(model) },
    );
  }
  const parsed = ModelSignature.safeParse(stated);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new EngineError(
    'inference.bad-signature',
    `The inference_signature of ${nameOf(model)} is wrong at '${issue?.path.join('.')}': ${issue?.message}.`,
    { model: nameOf(model), issues: parsed.error.issues },
    { cause: parsed.error },
  );
}

/**
 * The arguments with the signature's defaults; whole numbers where integers are wanted. Throws 'inference.argument' for
 * a name the signature lacks, a wrong type or a value outside its range.
 */
export function readArguments(signature: ModelSignature, given: InferenceArguments): InferenceArguments {
  const known = new Map(signature.arguments.map((argument) => [argument.name, argument]));
  for (const name of Object.keys(given)) {
    if (known.has(name)) continue;
    const listed = known.size === 0 ? 'It takes none' : `It takes ${[...known.keys()].join(', ')}`;
    throw argumentError(name, `the model takes no argument '${name}'. ${listed}.`);
  }
  return Object.fromEntries(
    signature.arguments.map((argument) => [argument.name, checkArgument(argument, given[argument.name])]),
  );
}

function checkArgument(argument: ModelSignature['arguments'][number], value: number | boolean | undefined) {
  if (value === undefined) return argument.default;
  const { name, type, minimum = Number.NEGATIVE_INFINITY, maximum = Number.POSITIVE_INFINITY } = argument;
  if (type === 'boolean') {
    if (typeof value === 'boolean') return value;
    throw argumentError(name, `'${name}' must be true or false, not ${value}.`);
  }
  if (typeof value !== 'number' || Number.isNaN(value) || (type === 'integer' && !Number.isInteger(value))) {
    throw argumentError(name, `'${name}' must be ${type === 'integer' ? 'a whole number' : 'a number'}, not ${value}.`);
  }
  if (value < minimum || value > maximum) {
    throw argumentError(name, `'${name}' must be from ${minimum} to ${maximum}, not ${value}.`);
  }
  return value;
}

function argumentError(name: string, reason: string): EngineError {
  return new EngineError('inference.argument', `The prediction cannot run: ${reason}`, { argument: name });
}

export function nameOf(value: object): string {
  return value.constructor?.name ?? 'The model';
}
