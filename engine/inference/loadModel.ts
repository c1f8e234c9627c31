import * as tf from '@tensorflow/tfjs';
import { EngineError } from '../api/errors.ts';
import {
  type LoadedCheckpoint,
  loadCheckpoint,
  matchStateDict,
  openSafetensors,
  type ResolvedCheckpoint,
  type TensorData,
  toTensorValues,
} from '../checkpoint/index.ts';
import type { ContainerNode } from '../config/index.ts';
import type { ProjectRuntime } from '../instantiate/index.ts';
import { asModule } from '../trainer/index.ts';
import type { AnsweringModel } from './predictOnce.ts';

/** A Module as far as inference needs it. */
export interface LoadableModel extends AnsweringModel {
  eval(): unknown;
  countParams(): { readonly total: number };
  /** The live variables, by name. */
  stateDict(): ReadonlyMap<string, tf.Tensor>;
}

/** Weights on disk and what is known of them. */
export interface Weights {
  /** What errors and results call them. */
  readonly source: string;
  readonly tensors: ReadonlyMap<string, TensorData>;
  readonly configText: string | undefined;
  /** 0 for weights without a record. */
  readonly step: number;
  readonly epoch: number;
  /** Whether they are the averages (trainer.ema) rather than the last step's own. */
  readonly isAveraged: boolean;
}

/**
 * Reads a checkpoint's weights and its config. Of weights that were averaged in training (trainer.ema) the averages are
 * taken, unless `useEma` is false. Throws `checkpoint.*`.
 */
export async function readWeights(checkpoint: ResolvedCheckpoint, useEma = true): Promise<Weights> {
  if (checkpoint.type === 'file') return readFile(checkpoint.file);
  const parts = ['model', ...(useEma ? (['ema'] as const) : []), 'config'] as const;
  const loaded: LoadedCheckpoint = await loadCheckpoint(checkpoint.folder, parts);
  const { step, epoch } = loaded.manifest;
  const isAveraged = loaded.ema !== undefined;
  const tensors = loaded.ema === undefined ? loaded.model : new Map([...loaded.model, ...loaded.ema]);
  return { source: checkpoint.folder, tensors, configText: loaded.configText, step, epoch, isAveraged };
}

async function readFile(file: string): Promise<Weights> {
  const opened = await openSafetensors(file);
  try {
    const tensors = new Map<string, TensorData>();
    for (const name of opened.header.tensors.keys()) tensors.set(name, await opened.read(name));
    return { source: file, tensors, configText: undefined, step: 0, epoch: 0, isAveraged: false };
  } finally {
    await opened.close();
  }
}

/** The model that the run's config describes, with these weights. Throws what building and loading throw. */
export async function buildModel(
  runtime: ProjectRuntime,
  runConfig: ContainerNode,
  weights: Weights,
): Promise<LoadableModel> {
  const model: LoadableModel = asModule(await runtime.builder(runConfig).instantiate('model'));
  loadWeights(model, weights);
  return model;
}

/**
 * Copies weights into a model built from a config and puts it into eval mode. Throws 'checkpoint.other-model', which
 * lists the tensors that differ; nothing is copied then.
 */
export function loadWeights(model: LoadableModel, weights: Weights): void {
  const own = model.stateDict();
  const wanted = [...own].map(([name, tensor]) => ({ name, shape: tensor.shape, trainable: true }));
  const { matched } = matchStateDict(wanted, weights.tensors, {}, weights.source);
  for (const { name, fileName } of matched) {
    const saved = weights.tensors.get(fileName);
    const variable = own.get(name);
    if (saved === undefined || !(variable instanceof tf.Variable)) throw notVariable(name);
    assign(variable, saved);
  }
  model.eval();
}

function assign(variable: tf.Variable, saved: TensorData): void {
  const { values, shape, dtype } = toTensorValues(saved);
  tf.tidy(() => variable.assign(tf.tensor(values, shape, dtype).cast(variable.dtype)));
}

function notVariable(name: string): EngineError {
  return new EngineError('inference.bad-model', `The model's stateDict gives no variable for '${name}'.`, { name });
}
