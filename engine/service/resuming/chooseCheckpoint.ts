import { EngineError } from '../../api/errors.ts';
import type { CheckpointInfo } from '../../api/runModel.ts';
import { didYouMean } from '../../base/nearest.ts';
import { syncCheckpoints } from '../../runs/rebuild.ts';
import type { RunStore } from '../../runs/runStore.ts';
import type { RunRecord } from '../../runs/runTable.ts';

export interface CheckpointWish {
  /** Folder within the run's: `checkpoints/epoch_3`. */
  readonly checkpoint?: string | undefined;
  readonly step?: number | undefined;
}

/**
 * The checkpoint that is meant: the named one, the one of a step, or the newest by step. Of several at one step the one
 * that is not `best`, which the training may write anew. Throws `checkpoints.not-found`, offering the nearest.
 */
export function chooseCheckpoint(store: RunStore, run: RunRecord, wish: CheckpointWish): CheckpointInfo {
  syncCheckpoints(store, run.id, run.expDir);
  const all = store.checkpoints.list(run.id, run.expDir).filter((checkpoint) => !checkpoint.missing);
  const [newest] = all;
  if (newest === undefined) {
    throw new EngineError(
      'checkpoints.not-found',
      `The run '${run.name}' has no checkpoint to go on from. Start it anew instead: ${run.command}`,
      { runId: run.id },
    );
  }
  if (wish.checkpoint !== undefined) return named(run, all, wish.checkpoint);
  const step = wish.step ?? newest.step;
  const ofStep = all.filter((checkpoint) => checkpoint.step === step);
  const chosen = ofStep.find(({ kind }) => kind !== 'best') ?? ofStep[0];
  if (chosen !== undefined) return chosen;
  const steps = [...new Set(all.map((checkpoint) => checkpoint.step))].sort((a, b) => a - b);
  const [below, above] = [steps.findLast((other) => other < step), steps.find((other) => other > step)];
  const near = [below, above].filter((other) => other !== undefined);
  throw new EngineError(
    'checkpoints.not-found',
    `The run '${run.name}' has no checkpoint of step ${step}. The nearest: ${near.map((other) => `--step ${other}`).join(' and ')}.`,
    { runId: run.id, step, nearest: near },
  );
}

function named(run: RunRecord, all: readonly CheckpointInfo[], path: string): CheckpointInfo {
  const found = all.find((checkpoint) => checkpoint.path === path || checkpoint.name === path);
  if (found !== undefined) return found;
  const paths = all.map((checkpoint) => checkpoint.path);
  const known = paths.slice(0, 5).join(', ');
  throw new EngineError(
    'checkpoints.not-found',
    `The run '${run.name}' has no checkpoint '${path}'.${didYouMean(path, paths)} It has ${known}${paths.length > 5 ? ', …' : ''}.`,
    { runId: run.id, path },
  );
}
