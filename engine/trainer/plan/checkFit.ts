import { join } from 'node:path';
import { checkpointFiles, loadCheckpoint, openSafetensors } from '../../checkpoint/index.ts';
import { fittingModel, fittingOptimizer, resetsOptimizer } from '../checkpoints/fit.ts';
import { resumeFolder } from '../checkpoints/folderFiles.ts';
import type { TrainerSubject } from '../hooks.ts';
import { compareState } from '../model/loadState.ts';
import { checkObjects } from '../state/checkpointable.ts';
import { readSavedState } from '../state/savedState.ts';

/**
 * Whether a training that is built but not begun could go on from a checkpoint: by names and shapes, no weight is
 * read. Throws `trainer.other-model`, `trainer.other-optimizer` and `trainer.resume`, saying what differs and what to do;
 * frozen weights that the checkpoint leaves out are not compared.
 */
export async function checkFit(subject: TrainerSubject, target: string): Promise<void> {
  const folder = await resumeFolder(target);
  const { manifest, state } = await loadCheckpoint(folder, ['state']);
  const saved = readSavedState(state, folder);
  const shapes = await shapesIn(join(folder, checkpointFiles.model));
  const frozen = new Set(manifest.frozen?.names);
  const { model, optimizer, checkpoint_objects: objects } = subject;
  fittingModel(folder, () => compareState(model.stateDict(), shapes, { optional: frozen }));
  checkObjects(folder, objects, saved.custom);
  if (resetsOptimizer(subject, folder)) return;
  const tensors = await shapesIn(join(folder, checkpointFiles.optimizer));
  fittingOptimizer(folder, () => optimizer.checkStateDict?.({ tensors, scalars: saved.optimizer }));
}

async function shapesIn(file: string): Promise<ReadonlyMap<string, { readonly shape: readonly number[] }>> {
  const opened = await openSafetensors(file);
  await opened.close();
  return opened.header.tensors;
}
