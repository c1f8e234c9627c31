import type * as tf from '@tensorflow/tfjs';
import type { CheckpointKind } from '../../api/training.ts';
import type { KeptCheckpoint } from './policy.ts';

/** What a checkpoint holds, as the trainer sees it. */
export interface CheckpointContent {
  readonly model: ReadonlyMap<string, tf.Tensor>;
  /** Optimizer slots, and gradients accumulated so far under `accumulated.{parameter}`. */
  readonly optimizer: ReadonlyMap<string, tf.Tensor>;
  /** Everything else, JSON. */
  readonly state: unknown;
}

export interface CheckpointLabel {
  readonly kind: CheckpointKind;
  readonly epoch: number;
  readonly step: number;
  readonly metrics: Readonly<Record<string, number>>;
}

/** Checkpoint folders on disk. */
export interface CheckpointFiles {
  /** Writes the folder as a whole or not at all, replacing an older one of that name. Gives its size in bytes. */
  write(folder: string, content: CheckpointContent, label: CheckpointLabel): Promise<number>;
  /** Checks and reads a folder. The tensors are the caller's to dispose. */
  read(folder: string): Promise<CheckpointContent>;
  /** The epoch and step checkpoints in a folder. */
  list(folder: string): Promise<readonly KeptCheckpoint[]>;
  remove(folder: string): Promise<void>;
}
