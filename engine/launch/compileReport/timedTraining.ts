import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EngineError } from '../../api/errors.ts';
import type { Reporter } from '../../api/training.ts';
import {
  type CompileListener,
  prepareTraining,
  standaloneEnvironment,
  type TrainingSetup,
} from '../../trainer/index.ts';

export interface TimedTraining extends Pick<TrainingSetup, 'config' | 'instantiate'> {
  readonly compile: boolean | 'auto';
  readonly steps: number;
  readonly listener?: CompileListener;
  /** Told what the trainer logs as text. */
  readonly onNote?: (text: string) => void;
}

/** Of so many steps the first ones are not counted: graphs are made there, and code is compiled. */
const uncountedShare = 0.3;

/**
 * Trains some steps in a temporary folder, which is removed, and gives the median of a step's milliseconds; undefined when
 * compiling was refused with an error. Throws what building the training and training throw.
 */
export async function timeTraining(training: TimedTraining): Promise<number | undefined> {
  const { config, instantiate, compile, steps, listener, onNote } = training;
  const runDir = await mkdtemp(join(tmpdir(), 'accelhydra-compile-'));
  const times: number[] = [];
  const reporter: Reporter = {
    report: (report) => {
      // what is said before the first step is not about steps
      if (report.type === 'log' && times.length > 0) onNote?.(report.text);
    },
    flush: () => Promise.resolve(),
  };
  try {
    const trainer = await prepareTraining({
      config,
      instantiate,
      collective: standaloneEnvironment().collective,
      reporter,
      // asked before each step: a clock that needs no hook of the user's
      stop: {
        get requested() {
          times.push(performance.now());
          return false;
        },
      },
      runDir,
      trainerOptions: {
        project_dir: runDir,
        checkpoint_dir: join(runDir, 'checkpoints'),
        resume_from_checkpoint: null,
        auto_resume_from_latest_ckpt: false,
        logging_config: null,
        save_every_n_steps: null,
        save_last_k: 1,
        compile,
        ...(compile === false ? { compile_xla: false } : {}),
      },
      until: { step: steps, epoch: 0 },
      compileListener: listener,
    });
    await trainer.fit();
  } catch (error) {
    if (EngineError.is(error, 'trainer.compile')) return undefined;
    throw error;
  } finally {
    await rm(runDir, { recursive: true, force: true });
  }
  return medianStep(times);
}

/** A step that ends an epoch lasts as long as its validation: the median does not see it. */
export function medianStep(times: readonly number[]): number {
  const all = times.slice(1).map((time, i) => time - (times[i] ?? time));
  const counted = all.slice(Math.floor(all.length * uncountedShare)).sort((a, b) => a - b);
  return counted[Math.floor(counted.length / 2)] ?? Number.NaN;
}
