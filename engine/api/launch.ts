import { z } from 'zod';
import { RunStatus } from './runModel.ts';
import { Progress } from './training.ts';

export const MixedPrecision = z.enum(['no', 'fp16', 'bf16']);
export type MixedPrecision = z.infer<typeof MixedPrecision>;

/** How a run is to be spread over processes and devices; absent keys are chosen from the machine. */
export const LaunchOptions = z.object({
  numProcesses: z.number().int().positive().optional(),
  useCpu: z.boolean().optional(),
  /** `all`, or CUDA indices: `0,1`. */
  gpuIds: z.string().optional(),
  mixedPrecision: MixedPrecision.optional(),
  threadsPerProcess: z.number().int().positive().optional(),
  /** TCP port of the loopback interface where the processes meet; 0 or absent: no port is needed. */
  mainProcessPort: z.number().int().min(0).max(65_535).optional(),
  /** How often the processes are started again, from the newest checkpoint, after one of them failed. */
  maxRestarts: z.number().int().nonnegative().optional(),
});
export type LaunchOptions = z.infer<typeof LaunchOptions>;

export const PlannedProcess = z.object({
  rank: z.number().int().nonnegative(),
  /** `cuda:0`; `webgpu`, which all processes share; or `cpu`. */
  device: z.string(),
  /** Value of CUDA_VISIBLE_DEVICES: one index, or empty to hide every GPU. */
  cudaVisibleDevices: z.string(),
  threads: z.number().int().positive(),
});
export type PlannedProcess = z.infer<typeof PlannedProcess>;

export const LaunchPlan = z.object({
  processes: z.array(PlannedProcess).min(1),
  mixedPrecision: MixedPrecision,
  /** Undefined: the processes meet at a socket of their own instead of a port. */
  port: z.number().int().positive().optional(),
  maxRestarts: z.number().int().nonnegative(),
  /** The processes must not use a GPU, not even one that needs no CUDA. */
  cpuOnly: z.boolean().optional(),
});
export type LaunchPlan = z.infer<typeof LaunchPlan>;

/** `launch.json` in a run's folder: all that its launcher needs to know. */
export const LaunchJob = z.object({
  runId: z.string(),
  /** The store's file; the run is recorded there too, its folder stays the truth. */
  storeFile: z.string(),
  projectRoot: z.string(),
  plan: LaunchPlan,
  /** Whether interpolations in `config.yaml` still have to be resolved, by resolvers that live in the project's code. */
  needsResolving: z.boolean(),
  /** Checkpoint folder to go on from, absolute or relative to the run's folder; `latest` for the newest there is. */
  resumeFrom: z.string().optional(),
  /** Trains only up to here, with other options of the trainer: steps of another run done again. */
  replay: z
    .object({
      until: z.object({ step: z.number().int(), epoch: z.number().int() }),
      trainer: z.record(z.string(), z.unknown()),
    })
    .optional(),
});
export type LaunchJob = z.infer<typeof LaunchJob>;

export const WorkerStatus = z.object({
  rank: z.number().int(),
  pid: z.number().int().optional(),
  state: z.enum(['starting', 'running', 'ended']),
});
export type WorkerStatus = z.infer<typeof WorkerStatus>;

/** What a launcher says about its run. */
export const LauncherStatus = z.object({
  runId: z.string(),
  status: RunStatus,
  pid: z.number().int(),
  restarts: z.number().int(),
  workers: z.array(WorkerStatus),
  progress: Progress.optional(),
  error: z.string().optional(),
});
export type LauncherStatus = z.infer<typeof LauncherStatus>;

/** What a launcher tells those who subscribed; values are read from the store and the folder. */
export const LauncherEvent = z.discriminatedUnion('type', [
  z.object({ type: z.literal('status'), status: RunStatus }),
  z.object({ type: z.literal('progress'), progress: Progress }),
  z.object({ type: z.literal('metrics'), keys: z.array(z.string()), lastStep: z.number() }),
  z.object({ type: z.literal('checkpoints') }),
  /** Media of these names were logged; none named: some were dropped. */
  z.object({ type: z.literal('media'), keys: z.array(z.string()) }),
  z.object({ type: z.literal('hyperparameters') }),
  /** Text was added to this file of the run's `logs` folder. */
  z.object({ type: z.literal('log'), file: z.string() }),
  z.object({ type: z.literal('ended'), status: RunStatus, error: z.string().optional() }),
]);
export type LauncherEvent = z.infer<typeof LauncherEvent>;
