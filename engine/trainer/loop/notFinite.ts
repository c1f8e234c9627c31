import * as tf from '@tensorflow/tfjs';
import type { Collective } from '../../api/training.ts';
import type { LoadedBatch } from '../../data/index.ts';
import type { NamedVariable } from '../model/module.ts';
import { listSamples } from './hookCall.ts';

export interface NotFiniteEvidence {
  /** The last micro-batch. */
  readonly loaded: Pick<LoadedBatch, 'batch' | 'indices'>;
  readonly parameters: readonly NamedVariable[];
  /** Micro-batches of an optimizer step; 1 where the loss of a single one is judged. */
  readonly accumulation: number;
  /** The ranks that all ask now; absent where one asks for itself. */
  readonly collective?: Collective | undefined;
}

/**
 * Where NaN or infinity came from, as far as the tensors show, in a sentence with what to do: the data, the weights, or
 * what training_step computed from good ones. Reads from the device: only for an error or a roll-back.
 */
export async function explainNotFinite(evidence: NotFiniteEvidence): Promise<string> {
  const { loaded, parameters, accumulation, collective } = evidence;
  const own = { names: await badTensors(tensorsIn(loaded.batch, '')), samples: loaded.indices };
  // gradients are averaged over the ranks: the batch that spoils them may be another's
  const all = collective === undefined || collective.worldSize === 1 ? [own] : await collective.allGather(own);
  const rank = all.findIndex(({ names }) => names.length > 0);
  const bad = all[rank];
  if (bad !== undefined) {
    const whose = all.length === 1 ? 'The batch itself' : `The batch of rank ${rank}${samplesText(bad.samples)}`;
    return `${whose} holds such values (${listed(bad.names)}): look at these samples, or at what prepares them.`;
  }
  const inWeights = await badTensors(parameters.map(({ name, variable }) => [name, variable]));
  if (inWeights.length > 0) {
    return `Weights hold such values already (${listed(inWeights)}): an earlier step was too large. Lower the learning rate or max_grad_norm, or begin with other weights.`;
  }
  const inStep = 'look for a division by zero, a logarithm or a root of zero, or an exponential that is too large';
  if (accumulation > 1) {
    return `The last micro-batch and the weights are finite: an earlier one of the ${accumulation} whose gradients are summed may hold such values, or training_step made them: ${inStep}.`;
  }
  return `Batch and weights are finite, so training_step made it: ${inStep}.`;
}

function samplesText(samples: readonly number[]): string {
  return samples.length === 0 ? '' : ` (samples ${listSamples(samples)})`;
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
