import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EngineError } from '../api/errors.ts';
import type { LaunchJob, LaunchPlan } from '../api/launch.ts';
import type { Progress } from '../api/training.ts';
import { RunStore } from '../runs/runStore.ts';
import { followRun } from './followRun.ts';
import { startRun } from './startRun.ts';

export interface ReplayRequest {
  readonly projectRoot: string;
  /** The config that lies in the checkpoint: resolved. */
  readonly configYaml: string;
  /** As the run had it: the same number of processes and threads gives the same bits. */
  readonly plan: LaunchPlan;
  /** Checkpoint folder to begin from, absolute. */
  readonly from: string;
  /** Where to end; see the trainer's StopPoint. */
  readonly until: { readonly step: number; readonly epoch: number };
  /** Whether every checkpoint that the config asks for is kept, or the last one only. */
  readonly keepsAll: boolean;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Steps that were done again, in a run folder that nobody else knows. */
export interface Replayed {
  readonly runDir: string;
  remove(): Promise<void>;
}

/**
 * Does a run's steps again in a temporary folder of its own, by a real launcher and real processes; the run itself is
 * not touched. Throws `verify.replay-failed` with the training's error, `cancelled` after the signal.
 */
export async function replaySteps(request: ReplayRequest): Promise<Replayed> {
  const { projectRoot, configYaml, from, plan, signal } = request;
  const folder = await mkdtemp(join(tmpdir(), 'accelhydra-replay-'));
  const remove = () => rm(folder, { recursive: true, force: true });
  const store = RunStore.open(join(folder, 'runs.sqlite'));
  try {
    const runDir = join(folder, 'run');
    await startRun(
      {
        expDir: runDir,
        name: 'replay',
        configName: 'config',
        overrides: [],
        command: '',
        configYaml,
        resolvedYaml: configYaml,
        plan: { ...plan, maxRestarts: 0 },
        projectRoot,
        devices: [],
        resumeFrom: from,
        replay: replayOf(request, runDir),
      },
      { store },
    );
    await follow(runDir, request);
    return { runDir, remove };
  } catch (error) {
    await remove();
    throw signal?.aborted ? new EngineError('cancelled', 'The replay was ended.') : error;
  } finally {
    store.dispose();
  }
}

function replayOf({ until, keepsAll }: ReplayRequest, runDir: string): NonNullable<LaunchJob['replay']> {
  return {
    until: { ...until },
    // what it writes stays in its own folder, and it begins where it was told to
    trainer: {
      project_dir: runDir,
      checkpoint_dir: join(runDir, 'checkpoints'),
      resume_from_checkpoint: null,
      auto_resume_from_latest_ckpt: false,
      // the replay is another run only by its folder
      reset_optimizer: false,
      logging_config: null,
      save_last_k: keepsAll ? null : 1,
    },
  };
}

async function follow(runDir: string, { onProgress, signal }: ReplayRequest): Promise<void> {
  const followed = await followRun(runDir, onProgress === undefined ? {} : { onProgress });
  const kill = () => void followed.kill();
  signal?.addEventListener('abort', kill, { once: true });
  if (signal?.aborted) kill();
  const end = await followed.ended;
  signal?.removeEventListener('abort', kill);
  followed.dispose();
  if (end.status === 'stopped' || end.status === 'completed') return;
  throw new EngineError('verify.replay-failed', `The steps could not be done again: ${end.error ?? end.status}`, {});
}
