import { z } from 'zod';
import { OriginInfo } from './configModel.ts';
import { MeasuredNumber } from './number.ts';
import { CheckpointKind, Progress } from './training.ts';

export const RunStatus = z.enum([
  'starting',
  'running',
  'stopping',
  'completed',
  'stopped',
  'failed',
  'killed',
  'lost',
]);
export type RunStatus = z.infer<typeof RunStatus>;

/** Statuses in which a launcher should be alive. */
export const LIVE_STATUSES: readonly RunStatus[] = ['starting', 'running', 'stopping'];

/** The run and checkpoint that a branch began from; the run itself may be gone by now. */
export const RunParent = z.object({
  runId: z.string(),
  name: z.string(),
  /** Checkpoint folder within the parent's: `checkpoints/epoch_3`. */
  checkpoint: z.string(),
  step: z.number().int(),
});
export type RunParent = z.infer<typeof RunParent>;

export const RunSummary = z.object({
  id: z.string(),
  name: z.string(),
  status: RunStatus,
  /** Absolute folder of the run (`exp_dir`); `folderMissing` when it has gone. */
  expDir: z.string(),
  folderMissing: z.boolean(),
  configName: z.string(),
  overrides: z.array(z.string()),
  createdAt: z.number(),
  startedAt: z.number().optional(),
  endedAt: z.number().optional(),
  processes: z.number().int(),
  devices: z.array(z.string()),
  progress: Progress.optional(),
  /** Name, last and best value of the monitored metric. */
  monitor: z
    .object({
      key: z.string(),
      mode: z.enum(['min', 'max']),
      last: MeasuredNumber.optional(),
      best: MeasuredNumber.optional(),
    })
    .optional(),
  /** Last value by metric key. */
  lastMetrics: z.record(z.string(), MeasuredNumber),
  /** Where the run branched off, when it did. */
  parent: RunParent.optional(),
  error: z.string().optional(),
  tags: z.array(z.string()),
  notes: z.string(),
});
export type RunSummary = z.infer<typeof RunSummary>;

/** A run's overrides without those of Hydra's own section, of which each job of a sweep has three. */
export function taskOverrides({ overrides }: Pick<RunSummary, 'overrides'>): string[] {
  return overrides.filter((text) => !/^[+~]*hydra[./@=]/.test(text));
}

export const RunDetail = RunSummary.extend({
  command: z.string(),
  configYaml: z.string(),
  resolvedYaml: z.string().optional(),
  git: z.object({ commit: z.string(), branch: z.string().optional(), dirty: z.boolean() }).optional(),
  host: z.string(),
  user: z.string(),
  launcherPid: z.number().int().optional(),
  environment: z.record(z.string(), z.unknown()),
  /** The resolved config at the start, flattened: `optimizer.lr`. */
  hyperparameters: z.record(z.string(), z.unknown()),
  /** Runs that branched off from this one, oldest first. */
  branches: z.array(z.object({ runId: z.string(), name: z.string(), step: z.number().int() })),
  /** Origin of each leaf by dotted path, when the run recorded it. */
  origins: z.record(z.string(), OriginInfo).optional(),
  logFiles: z.array(z.object({ file: z.string(), bytes: z.number() })),
});
export type RunDetail = z.infer<typeof RunDetail>;

export const RunListRequest = z.object({
  statuses: z.array(RunStatus).optional(),
  search: z.string().optional(),
  limit: z.number().int().positive().max(1000).default(200),
  offset: z.number().int().nonnegative().default(0),
});
export const RunList = z.object({ runs: z.array(RunSummary), total: z.number().int() });
export type RunList = z.infer<typeof RunList>;

export const CheckpointInfo = z.object({
  runId: z.string(),
  kind: CheckpointKind,
  /** Relative to the run's folder: `checkpoints/epoch_3`. */
  path: z.string(),
  name: z.string(),
  step: z.number().int(),
  epoch: z.number().int(),
  bytes: z.number().int(),
  metrics: z.record(z.string(), MeasuredNumber),
  savedAt: z.number(),
  /** The row exists but the folder is gone. */
  missing: z.boolean(),
});
export type CheckpointInfo = z.infer<typeof CheckpointInfo>;

export const MetricKey = z.object({
  key: z.string(),
  points: z.number().int(),
  lastStep: z.number().int(),
  lastValue: MeasuredNumber,
  minimum: MeasuredNumber.optional(),
  maximum: MeasuredNumber.optional(),
});
export type MetricKey = z.infer<typeof MetricKey>;

export const SeriesRequest = z.object({
  runId: z.string(),
  key: z.string(),
  /** At most this many buckets come back: a chart asks for its width in pixels. */
  maxPoints: z.number().int().positive().max(10_000),
  fromStep: z.number().int().optional(),
  toStep: z.number().int().optional(),
});
export type SeriesRequest = z.infer<typeof SeriesRequest>;

/** Equal-length columns, one entry a bucket. `value` is the bucket's last value, `minimum`/`maximum` its extrema. */
export const Series = z.object({
  runId: z.string(),
  key: z.string(),
  step: z.instanceof(Float64Array),
  /** Milliseconds since the epoch of the bucket's last point. */
  time: z.instanceof(Float64Array),
  epoch: z.instanceof(Float64Array),
  value: z.instanceof(Float64Array),
  minimum: z.instanceof(Float64Array),
  maximum: z.instanceof(Float64Array),
  /** Points before bucketing. */
  totalPoints: z.number().int(),
});
export type Series = z.infer<typeof Series>;

export const LogChunk = z.object({
  file: z.string(),
  text: z.string(),
  /** Byte offsets in the file: where this chunk starts and ends, and the file's size now. */
  start: z.number().int(),
  end: z.number().int(),
  size: z.number().int(),
});
export type LogChunk = z.infer<typeof LogChunk>;
