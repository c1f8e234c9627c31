import * as tf from '@tensorflow/tfjs';
import { EngineError } from '../../api/errors.ts';
import {
  loadCheckpoint,
  newestIntact,
  noneIntact,
  passedOver,
  promoteBest,
  pruneCheckpoints,
  readEntry,
  resolveCheckpoint,
  saveCheckpoint,
  setLaterAside,
  type TensorData,
  tensorSource,
  toTensorValues,
} from '../../checkpoint/index.ts';
import type { CheckpointContent, CheckpointFiles } from './checkpointFiles.ts';

/** Checkpoints as the folders of engine/checkpoint. */
export const folderFiles: CheckpointFiles = {
  async write(folder, content, label) {
    const saved = await saveCheckpoint({
      folder,
      ...label,
      model: sources(content.model),
      optimizer: sources(content.optimizer),
      ema: content.ema.size === 0 ? undefined : sources(content.ema),
      state: content.state,
      frozen: content.frozen,
    });
    return saved.bytes;
  },
  async read(target) {
    const resolved = await resolveCheckpoint(target, { useBest: false });
    if (resolved.type === 'file') {
      throw new EngineError(
        'trainer.resume',
        `${resolved.file} holds weights only; training can go on from a checkpoint's folder. To begin with these weights, load them in the model.`,
        { file: resolved.file },
      );
    }
    const { manifest, model, optimizer, ema, state, configText } = await loadCheckpoint(resolved.folder, [
      'model',
      'optimizer',
      'ema',
      'state',
      'config',
    ]);
    return {
      model: tensors(model),
      frozen: manifest.frozen,
      optimizer: tensors(optimizer ?? new Map()),
      ema: tensors(ema ?? new Map()),
      state,
      configText,
    } satisfies CheckpointContent;
  },
  async latest({ project_dir: project, checkpoint_dir: inside }, onPassedOver) {
    const newest = await newestIntact(project, inside);
    if (newest.checkpoint === undefined && newest.damaged.length > 0) throw noneIntact(project, newest);
    const text = passedOver(newest);
    if (text !== undefined) onPassedOver?.(text);
    return newest.checkpoint?.folder;
  },
  async prune(folder, keep, safe) {
    return (await pruneCheckpoints(folder, keep, safe)).map((entry) => entry.folder);
  },
  async metricsOf(folder) {
    return (await readEntry(folder, folder))?.manifest?.metrics;
  },
  promoteBest({ project_dir: project, checkpoint_dir: inside }, by) {
    return promoteBest(project, inside, by);
  },
  setLaterAside({ project_dir: project, checkpoint_dir: inside }, at) {
    return setLaterAside(project, at, inside);
  },
};

function sources(content: ReadonlyMap<string, tf.Tensor>) {
  return [...content].map(([name, tensor]) => tensorSource(name, tensor));
}

function tensors(data: ReadonlyMap<string, TensorData>): Map<string, tf.Tensor> {
  return new Map(
    [...data].map(([name, item]) => {
      const { values, shape, dtype } = toTensorValues(item);
      return [name, tf.tensor(values, shape, dtype)];
    }),
  );
}
