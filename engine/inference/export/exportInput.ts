import * as tf from '@tensorflow/tfjs';
import { EngineError } from '../../api/errors.ts';
import { ModelSignature } from '../../api/inferenceModel.ts';
import { type InferenceModel, nameOf } from '../modelContract.ts';

/** What the model's `call` takes: one tensor [batch, …shape]. */
export interface ExportInput {
  readonly shape: readonly number[];
  readonly dtype: 'float32' | 'int32';
}

export interface GivenInput {
  readonly inputShape?: readonly number[] | undefined;
  readonly inputType?: 'float32' | 'int32' | undefined;
}

/**
 * What was asked for, else what the model's signature says of its input: an image's height, width and channels, or a
 * tensor's shape without its first dimension. Throws 'export.input' where that leaves it open.
 */
export function exportInput(model: InferenceModel & object, given: GivenInput): ExportInput {
  const { input } = ModelSignature.safeParse(model.inference_signature).data ?? {};
  if (given.inputShape !== undefined) {
    const stated =
      input?.type === 'text' || (input?.type === 'tensor' && input.dtype === 'int32') ? 'int32' : 'float32';
    return { shape: given.inputShape, dtype: given.inputType ?? stated };
  }
  if (input?.type === 'image')
    return { shape: [input.height, input.width, input.channels], dtype: given.inputType ?? 'float32' };
  if (input?.type === 'tensor') {
    const sizes = input.shape.slice(1);
    const shape = sizes.filter((size) => size !== null);
    if (shape.length < sizes.length) {
      const text = sizes.map((size) => size ?? '?').join(',');
      throw open(model, `its signature leaves sizes open ([batch,${text}])`);
    }
    return { shape, dtype: given.inputType ?? (input.dtype === 'int32' ? 'int32' : 'float32') };
  }
  if (input?.type === 'text')
    throw open(model, 'it takes text; the graph takes what its call takes, numbers of characters or tokens');
  throw open(model, 'it has no inference_signature');
}

function open(model: object, why: string): EngineError {
  return new EngineError(
    'export.input',
    `Say what one sample of ${nameOf(model)} looks like with --input_shape (28,28,1 say) and --input_dtype: ${why}.`,
    {},
  );
}

/** A batch of numbers that differ: standard normal, or small whole numbers, which are valid for any embedding of some. */
export function sampleBatch({ shape, dtype }: ExportInput, batch: number): tf.Tensor {
  const full = [batch, ...shape];
  return dtype === 'int32' ? tf.randomUniform(full, 0, 2, 'int32', 1) : tf.randomNormal(full, 0, 1, 'float32', 1);
}
