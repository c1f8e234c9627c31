import { join } from 'node:path';
import type { CheckpointKind } from '../../api/training.ts';
import type { TrainerSettings } from '../settings.ts';

/** A checkpoint that is to be written. */
export interface PlannedSave {
  readonly kind: CheckpointKind;
  readonly folder: string;
}

type SaveSettings = Pick<
  TrainerSettings,
  'project_dir' | 'checkpoint_dir' | 'save_every_n_steps' | 'permanent_save_every_n_steps' | 'save_every_n_epochs'
>;

/** What is due after a step was counted. */
export function savesAfterStep(settings: SaveSettings, step: number): PlannedSave[] {
  const saves: PlannedSave[] = [];
  // first: of two for one step the second is lost for good when the process dies between them, as who goes on does so after it
  if (isDue(step, settings.permanent_save_every_n_steps)) {
    saves.push({ kind: 'permanent', folder: join(settings.project_dir, `ckpt_step_${step}`) });
  }
  if (isDue(step, settings.save_every_n_steps)) saves.push(stepSave(settings, step));
  return saves;
}

/** What is due after an epoch was counted. */
export function savesAfterEpoch(settings: SaveSettings, epoch: number): PlannedSave[] {
  return isDue(epoch, settings.save_every_n_epochs)
    ? [{ kind: 'epoch', folder: join(settings.checkpoint_dir, `epoch_${epoch}`) }]
    : [];
}

export function stepSave(settings: SaveSettings, step: number): PlannedSave {
  return { kind: 'step', folder: join(settings.checkpoint_dir, `step_${step}`) };
}

export function bestSave(settings: SaveSettings): PlannedSave {
  return { kind: 'best', folder: join(settings.checkpoint_dir, 'best') };
}

function isDue(count: number, every: number | null): boolean {
  return every !== null && count % every === 0;
}
