import { join } from 'node:path';
import type { CheckpointKind } from '../api/training.ts';

/** Files of a checkpoint folder. */
export const checkpointFiles = {
  model: 'model.safetensors',
  optimizer: 'optimizer.safetensors',
  /** Averaged weights, where the trainer keeps them. */
  ema: 'ema.safetensors',
  state: 'state.json',
  config: 'config.yaml',
} as const;

/** Folder within a run that holds all but the permanent checkpoints. */
export const CHECKPOINTS = 'checkpoints';

export interface CheckpointName {
  readonly kind: CheckpointKind;
  /** Epoch or step; `best` has none. */
  readonly number: number | undefined;
}

/** What a folder's name says, or undefined when it is no checkpoint's. */
export function parseCheckpointName(name: string): CheckpointName | undefined {
  if (name === 'best') return { kind: 'best', number: undefined };
  const match = /^(epoch|step|ckpt_step)_(\d+)$/.exec(name);
  const number = Number(match?.[2]);
  switch (match?.[1]) {
    case 'epoch':
      return { kind: 'epoch', number };
    case 'step':
      return { kind: 'step', number };
    case 'ckpt_step':
      return { kind: 'permanent', number };
    default:
      return undefined;
  }
}

/** Where a checkpoint belongs: `best`, `epoch_n` and `step_n` in the checkpoint folder, permanent ones in the run's. */
export function checkpointFolder(
  place: { readonly projectDir: string; readonly checkpointDir?: string | undefined },
  kind: CheckpointKind,
  at: { readonly epoch: number; readonly step: number },
): string {
  const inside = place.checkpointDir ?? join(place.projectDir, CHECKPOINTS);
  switch (kind) {
    case 'best':
      return join(inside, 'best');
    case 'epoch':
      return join(inside, `epoch_${at.epoch}`);
    case 'step':
      return join(inside, `step_${at.step}`);
    case 'permanent':
      return join(place.projectDir, `ckpt_step_${at.step}`);
  }
}
