import * as tf from '@tensorflow/tfjs';
import { EngineError } from '../../api/errors.ts';
import {
  type FrozenWeights,
  loadCheckpoint,
  type MatchOptions,
  type MatchReport,
  matchStateDict,
  openSafetensors,
  type ResolvedCheckpoint,
  type TensorData,
  toTensorValues,
} from '../../checkpoint/index.ts';

/** Weights on disk and what is known of them. */
export interface Weights {
  /** What errors and results call them. */
  readonly source: string;
  readonly tensors: ReadonlyMap<string, TensorData>;
  readonly configText: string | undefined;
  /** 0 for weights without a record. */
  readonly step: number;
  readonly epoch: number;
  /** Whether the checkpoint has averages (trainer.ema). */
  readonly hasAverages: boolean;
  /** Whether these are the averages rather than the last step's own. */
  readonly isAveraged: boolean;
  /** What the checkpoint leaves out (trainer.save_trainable_only). */
  readonly frozen: FrozenWeights | undefined;
}

/**
 * Reads a checkpoint's weights and its config. Of weights that were averaged in training (trainer.ema) the averages are
 * taken, unless `useEma` is false. Throws `checkpoint.*`.
 */
export async function readWeights(checkpoint: ResolvedCheckpoint, useEma = true): Promise<Weights> {
  if (checkpoint.type === 'file') return readFile(checkpoint.file);
  const parts = ['model', ...(useEma ? (['ema'] as const) : []), 'config'] as const;
  const { manifest, model, ema, configText } = await loadCheckpoint(checkpoint.folder, parts);
  return {
    source: checkpoint.folder,
    tensors: ema === undefined ? model : new Map([...model, ...ema]),
    configText,
    step: manifest.step,
    epoch: manifest.epoch,
    hasAverages: manifest.files['ema.safetensors'] !== undefined,
    isAveraged: ema !== undefined,
    frozen: manifest.frozen,
  };
}

async function readFile(file: string): Promise<Weights> {
  const opened = await openSafetensors(file);
  const nothing = {
    configText: undefined,
    step: 0,
    epoch: 0,
    hasAverages: false,
    isAveraged: false,
    frozen: undefined,
  };
  try {
    const tensors = new Map<string, TensorData>();
    for (const name of opened.header.tensors.keys()) tensors.set(name, await opened.read(name));
    return { source: file, tensors, ...nothing };
  } finally {
    await opened.close();
  }
}

/**
 * Copies weights into a model's variables. Throws `checkpoint.other-model`, which lists the tensors that differ, where
 * the mode does not allow it; nothing is copied then.
 */
export function assignWeights(
  model: { stateDict(): ReadonlyMap<string, tf.Tensor> },
  { tensors, source, frozen }: Pick<Weights, 'tensors' | 'source' | 'frozen'>,
  options: MatchOptions = {},
): MatchReport {
  const own = model.stateDict();
  const left = new Set(frozen?.names);
  const wanted = [...own].map(([name, { shape }]) => ({ name, shape, trainable: !left.has(name) }));
  const mode = frozen === undefined ? options : { mode: 'trainable_only' as const, ...options };
  const report = matchStateDict(wanted, tensors, mode, source);
  for (const { name, fileName } of report.matched) {
    const saved = tensors.get(fileName);
    const variable = own.get(name);
    if (saved === undefined || !(variable instanceof tf.Variable)) {
      throw new EngineError('model.state', `The model's stateDict gives no variable for '${name}'.`, { name });
    }
    const { values, shape, dtype } = toTensorValues(saved);
    tf.tidy(() => variable.assign(tf.tensor(values, shape, dtype).cast(variable.dtype)));
  }
  return report;
}
