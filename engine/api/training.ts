import { z } from 'zod';
import { MediaNotice } from './media.ts';
import { MeasuredNumber } from './number.ts';

/**
 * What a worker tells its launcher, one message a line of the channel. The trainer produces them through a `Reporter`,
 * the launcher stores them and the store's readers see them. No tensors, no bytes of checkpoints: paths and numbers only.
 */

export const MetricPoint = z.object({
  /** e.g. `train/loss`, `val/accuracy`, `train/lr`, `system/rss_bytes`. */
  key: z.string(),
  /** Micro-batch steps since the start of the run (AccelHydra's `step`). */
  step: z.number().int().nonnegative(),
  epoch: z.number().int().nonnegative(),
  /** Milliseconds since the epoch. */
  time: z.number(),
  /** May be NaN or infinite: a diverging loss is data, not an error. */
  value: MeasuredNumber,
});
export type MetricPoint = z.infer<typeof MetricPoint>;

export const TrainPhase = z.enum(['starting', 'training', 'validating', 'saving', 'finishing']);
export type TrainPhase = z.infer<typeof TrainPhase>;

/** How training steps run: as one graph, as one with their JavaScript beside it, or operation by operation. */
export const StepForm = z.enum(['graph', 'graph-beside-script', 'single-operations']);
export type StepForm = z.infer<typeof StepForm>;

export const Progress = z.object({
  phase: TrainPhase,
  epoch: z.number().int().nonnegative(),
  epochs: z.number().int().nonnegative(),
  step: z.number().int().nonnegative(),
  totalSteps: z.number().int().nonnegative(),
  /** Step within the epoch and the epoch's length, for the inner bar. */
  epochStep: z.number().int().nonnegative(),
  epochLength: z.number().int().nonnegative(),
  /** Over all ranks, moving average; 0 until known. */
  samplesPerSecond: z.number().nonnegative(),
  /** Estimated milliseconds left, undefined until known. */
  etaMs: z.number().nonnegative().optional(),
  loss: MeasuredNumber.optional(),
  /** Undefined until it is known, and where steps are not compiled at all. */
  steps: StepForm.optional(),
});
export type Progress = z.infer<typeof Progress>;

export const CheckpointKind = z.enum(['epoch', 'step', 'best', 'permanent']);
export type CheckpointKind = z.infer<typeof CheckpointKind>;

export const CheckpointNotice = z.object({
  kind: CheckpointKind,
  /** Folder, relative to the run's folder, with forward slashes: `checkpoints/epoch_3`. */
  path: z.string(),
  step: z.number().int().nonnegative(),
  epoch: z.number().int().nonnegative(),
  bytes: z.number().int().nonnegative(),
  metrics: z.record(z.string(), MeasuredNumber),
  time: z.number(),
});
export type CheckpointNotice = z.infer<typeof CheckpointNotice>;

export const LogLevel = z.enum(['debug', 'info', 'warning', 'error']);
export type LogLevel = z.infer<typeof LogLevel>;

export const WorkerReport = z.discriminatedUnion('type', [
  z.object({ type: z.literal('metrics'), points: z.array(MetricPoint) }),
  z.object({ type: z.literal('progress'), progress: Progress }),
  z.object({ type: z.literal('checkpoint-saved'), checkpoint: CheckpointNotice }),
  z.object({ type: z.literal('checkpoint-pruned'), path: z.string() }),
  /** Files that are in the run's `media` folder now. */
  z.object({ type: z.literal('media'), media: z.array(MediaNotice) }),
  /** The resolved config, flattened: `optimizer.lr`. */
  z.object({ type: z.literal('hyperparameters'), values: z.record(z.string(), z.unknown()) }),
  z.object({ type: z.literal('log'), level: LogLevel, text: z.string(), time: z.number() }),
]);
export type WorkerReport = z.infer<typeof WorkerReport>;

/** Where a trainer sends what happens. `flush` resolves when everything reported before it has been handed over. */
export interface Reporter {
  report(report: WorkerReport): void;
  flush(): Promise<void>;
  /**
   * Resolves when everything reported before it is in the run's folder, where neither this process nor whoever listens can
   * take it away by dying; absent where nobody keeps it.
   */
  keep?(): Promise<void>;
}

/**
 * The collective operations a trainer needs. All ranks call the same operations in the same order.
 * Values are host arrays of float32; in-place results.
 */
export interface Collective {
  readonly rank: number;
  readonly worldSize: number;
  /** Element-wise sum (or mean) over ranks, written into `values` on every rank. Deterministic: same bits on every rank. */
  allReduce(values: Float32Array, operation: 'sum' | 'mean'): Promise<void>;
  /** Rank 0's values into every rank's `values`. */
  broadcast(values: Float32Array): Promise<void>;
  /** Every rank's JSON value, ordered by rank, on every rank. */
  allGather<T>(value: T): Promise<T[]>;
  barrier(): Promise<void>;
}
