import * as tf from '@tensorflow/tfjs';
import { EngineError } from '../../api/errors.ts';
import {
  foreignError,
  listCheckpoints,
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
    const { manifest, model, optimizer, ema, state, configText } = await loadCheckpoint(await resumeFolder(target), [
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
  async refuseForeign({ project_dir: project, checkpoint_dir: inside, run }) {
    const entries = await listCheckpoints(project, { inside, owner: run });
    const others = entries.filter(({ foreign }) => foreign !== undefined);
    if (others.length > 0) throw foreignError(inside, others);
  },
  async latest({ project_dir: project, checkpoint_dir: inside, run }, onPassedOver) {
    const newest = await newestIntact(project, { inside, owner: run });
    if (newest.checkpoint === undefined && newest.damaged.length > 0) throw noneIntact(project, newest);
    const text = passedOver(newest);
    if (text !== undefined) onPassedOver?.(text);
    return newest.checkpoint?.folder;
  },
  async prune({ checkpoint_dir: folder, run }, keep, safe) {
    return (await pruneCheckpoints(folder, keep, safe, run)).map((entry) => entry.folder);
  },
  async metricsOf(folder, run) {
    const entry = await readEntry(folder, folder, run);
    return entry?.foreign === undefined ? entry?.manifest?.metrics : undefined;
  },
  promoteBest({ project_dir: project, checkpoint_dir: inside, run }, by) {
    return promoteBest(project, inside, by, run);
  },
  setLaterAside({ project_dir: project, checkpoint_dir: inside, run }, at) {
    return setLaterAside(project, at, inside, run);
  },
};

/** The checkpoint's folder that a training would go on from. Throws `checkpoint.…`, and `trainer.resume` for a file. */
export async function resumeFolder(target: string): Promise<string> {
  const resolved = await resolveCheckpoint(target, { useBest: false });
  if (resolved.type === 'folder') return resolved.folder;
  throw new EngineError(
    'trainer.resume',
    `${resolved.file} holds weights only; training can go on from a checkpoint's folder. To begin with these weights, start a new run with +load_pretrained=${resolved.file}`,
    { file: resolved.file },
  );
}

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
