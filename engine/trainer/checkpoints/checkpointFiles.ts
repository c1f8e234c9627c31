import type * as tf from '@tensorflow/tfjs';
import type { CheckpointKind, CheckpointNotice } from '../../api/training.ts';
import type { BestBy, FrozenWeights, SetAside } from '../../checkpoint/index.ts';

/** What a checkpoint holds, as the trainer sees it. */
export interface CheckpointContent {
  readonly model: ReadonlyMap<string, tf.Tensor>;
  /** What `model` leaves out (trainer.save_trainable_only). */
  readonly frozen?: FrozenWeights | undefined;
  /** Optimizer slots, and each rank's gradients of an unfinished accumulation, flat, under `accumulated.rank{n}`. */
  readonly optimizer: ReadonlyMap<string, tf.Tensor>;
  /** Averaged weights, by parameter name; empty without averaging. */
  readonly ema: ReadonlyMap<string, tf.Tensor>;
  /** Everything else, plain values. */
  readonly state: unknown;
  /** The config that it was trained with, YAML; read only. */
  readonly configText?: string | undefined;
}

export interface CheckpointLabel {
  readonly kind: CheckpointKind;
  readonly epoch: number;
  readonly step: number;
  readonly metrics: Readonly<Record<string, number>>;
  /** Milliseconds since the epoch. */
  readonly time: number;
  /** The run's folder. */
  readonly run: string;
  /** The config that objects can be rebuilt from, YAML. */
  readonly configText: string | undefined;
}

/** Folders of a training: permanent checkpoints lie in the project's, the others in the checkpoints'. */
export interface CheckpointPlace {
  readonly project_dir: string;
  readonly checkpoint_dir: string;
  /** The run's folder: in a folder that several runs share, only its checkpoints are meant. */
  readonly run: string;
}

/** Checkpoint folders on disk. */
export interface CheckpointFiles {
  /** Writes the folder as a whole or not at all, replacing an older one of that name. Gives its size in bytes. */
  write(folder: string, content: CheckpointContent, label: CheckpointLabel): Promise<number>;
  /** Checks and reads a folder. The tensors are the caller's to dispose. */
  read(folder: string): Promise<CheckpointContent>;
  /** Throws `checkpoint.foreign` where checkpoints of another run are in the way of this one's. */
  refuseForeign(place: CheckpointPlace): Promise<void>;
  /**
   * The newest intact checkpoint of a run, by step; told when a newer one was passed over because it is damaged. Throws
   * `checkpoint.corrupt` when all are.
   */
  latest(place: CheckpointPlace, onPassedOver?: (text: string) => void): Promise<string | undefined>;
  /** Removes all but the newest `keep` epoch and step checkpoints, never `safe`. Gives the removed folders. */
  prune(place: CheckpointPlace, keep: number | null, safe: string): Promise<readonly string[]>;
  /** Metrics that a checkpoint of the run was saved with; undefined where there is none. */
  metricsOf(folder: string, run: string): Promise<Readonly<Record<string, number>> | undefined>;
  /** Makes the best of the checkpoints that are left the `best` one, and gives it. */
  promoteBest(place: CheckpointPlace, by: BestBy): Promise<CheckpointNotice | undefined>;
  /** Moves checkpoints of later steps out of the way of a training that begins or goes on at `at`. */
  setLaterAside(place: CheckpointPlace, at: { readonly epoch: number; readonly step: number }): Promise<SetAside>;
}
