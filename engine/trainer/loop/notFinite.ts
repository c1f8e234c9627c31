import * as tf from '@tensorflow/tfjs';
import type { NamedVariable } from '../model/module.ts';

export interface NotFiniteEvidence {
  readonly batch: unknown;
  readonly parameters: readonly NamedVariable[];
}

/**
 * Where NaN or infinity came from, as far as the tensors show, in a sentence with what to do: the data, the weights, or
 * what training_step computed from good ones. Reads from the device: only for an error or a roll-back.
 */
export async function explainNotFinite({ batch, parameters }: NotFiniteEvidence): Promise<string> {
  const inBatch = await badTensors(tensorsIn(batch, ''));
  if (inBatch.length > 0) {
    return `The batch itself holds such values (${listed(inBatch)}): look at these samples, or at what prepares them.`;
  }
  const inWeights = await badTensors(parameters.map(({ name, variable }) => [name, variable]));
  if (inWeights.length > 0) {
    return `Weights hold such values already (${listed(inWeights)}): an earlier step was too large. Lower the learning rate or max_grad_norm, or begin with other weights.`;
  }
  return 'Batch and weights are finite, so training_step made it: look for a division by zero, a logarithm or a root of zero, or an exponential that is too large.';
}

async function badTensors(tensors: readonly (readonly [string, tf.Tensor])[]): Promise<string[]> {
  const bad: string[] = [];
  for (const [name, tensor] of tensors) {
    if (tensor.dtype !== 'float32' || tensor.isDisposed) continue;
    const finite = tf.tidy(() => tf.all(tf.isFinite(tensor)));
    const [flag] = await finite.data();
    finite.dispose();
    if (flag === 0) bad.push(name);
  }
  return bad;
}

/** Tensors of a batch with the way to each: `x`, `[0]`, `inputs.image`. */
function tensorsIn(value: unknown, path: string): [string, tf.Tensor][] {
  if (value instanceof tf.Tensor) return [[path === '' ? 'the tensor' : path, value]];
  if (typeof value !== 'object' || value === null) return [];
  if (Array.isArray(value)) return value.flatMap((item, i) => tensorsIn(item, `${path}[${i}]`));
  return Object.entries(value).flatMap(([key, item]) => tensorsIn(item, path === '' ? key : `${path}.${key}`));
}

function listed(names: readonly string[]): string {
  return names.slice(0, 5).join(', ') + (names.length > 5 ? ` and ${names.length - 5} more` : '');
}
