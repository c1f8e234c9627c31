import { resolve } from 'node:path';
import { EngineError } from '../../api/errors.ts';
import { runFolderOf } from '../../checkpoint/index.ts';
import type { TrainerSubject } from '../hooks.ts';

/**
 * Whether the optimizer begins with fresh state at a checkpoint (trainer.reset_optimizer): at another run's, where a branch
 * begins. From its own checkpoints a run goes on as it was, however often it is resumed.
 */
export function resetsOptimizer(
  { settings, environment }: Pick<TrainerSubject, 'settings' | 'environment'>,
  checkpoint: string,
): boolean {
  if (!settings.reset_optimizer) return false;
  const run = resolve(environment.runDir ?? settings.project_dir);
  return ![checkpoint, runFolderOf(checkpoint)].some((folder) => resolve(folder) === run);
}

/** Gives what `work` gives; weights of another model are thrown as `trainer.other-model`, with what to do. */
export function fittingModel<T>(checkpoint: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!EngineError.is(error, 'model.state') && !EngineError.is(error, 'checkpoint.other-model')) throw error;
    throw new EngineError(
      'trainer.other-model',
      `${checkpoint} does not fit this model: ${error.message} A run goes on with all of its weights. To begin another model with those that fit, start a new run: accelhydra train … +load_pretrained=${checkpoint}`,
      { ...error.details, checkpoint },
      { cause: error },
    );
  }
}

/** Gives what `work` gives; an optimizer's state that does not fit is thrown as `trainer.other-optimizer`, with what to do. */
export function fittingOptimizer<T>(checkpoint: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!EngineError.is(error) || !error.code.startsWith('optim.state.')) throw error;
    throw new EngineError(
      'trainer.other-optimizer',
      `${checkpoint} does not fit this optimizer: ${error.message} Train on with the optimizer of the run's saved config, or branch a new run off it that keeps the weights and begins with fresh optimizer state: add the override ++trainer.reset_optimizer=true.`,
      { ...error.details, checkpoint },
      { cause: error },
    );
  }
}
