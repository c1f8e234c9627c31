import { EngineError } from '../api/errors.ts';
import type { Evidence } from '../api/verifyModel.ts';
import type { CheckpointEntry } from '../checkpoint/index.ts';

/** Steps that are done again where nothing says how many. */
const defaultSteps = 10;

/** Which steps are done again, and what the result is held against. */
export interface VerifyPlan {
  readonly from: CheckpointEntry;
  readonly until: { readonly step: number; readonly epoch: number };
  /** The checkpoint that the replay must arrive at. */
  readonly against: CheckpointEntry | undefined;
  readonly evidence: Evidence;
}

/**
 * Chooses the strongest evidence near: the next checkpoint of the run; else this one, from the one before it; else the
 * record of the steps. With `steps` the replay begins here and has exactly so many, and the last checkpoint among them
 * counts.
 * @param entries the run's checkpoints in order
 * @param lastStep the training's end, where it is known
 */
export function planVerification(
  checkpoint: CheckpointEntry,
  entries: readonly CheckpointEntry[],
  steps: number | undefined,
  lastStep: number | undefined,
): VerifyPlan {
  const others = entries.filter((entry) => entry.problem === undefined && entry.folder !== checkpoint.folder);
  const later = others.filter((entry) => entry.step > checkpoint.step);
  if (steps !== undefined) {
    const end = Math.min(checkpoint.step + steps, lastStep ?? Number.POSITIVE_INFINITY);
    if (end <= checkpoint.step) throw atTheEnd(checkpoint, others);
    const against = later.findLast((entry) => entry.step <= end);
    if (against?.step === end) return towards(checkpoint, against, 'next-checkpoint');
    const until = { step: end, epoch: checkpoint.epoch };
    return { from: checkpoint, until, against, evidence: against === undefined ? 'record' : 'next-checkpoint' };
  }
  const [next] = later;
  if (next !== undefined) return towards(checkpoint, next, 'next-checkpoint');
  const before = others.findLast((entry) => entry.step < checkpoint.step);
  if (before !== undefined) return towards(before, checkpoint, 'this-checkpoint');
  const end = Math.min(checkpoint.step + defaultSteps, lastStep ?? Number.POSITIVE_INFINITY);
  if (end <= checkpoint.step) throw atTheEnd(checkpoint, others);
  const until = { step: end, epoch: checkpoint.epoch };
  return { from: checkpoint, until, against: undefined, evidence: 'record' };
}

function towards(from: CheckpointEntry, against: CheckpointEntry, evidence: Evidence): VerifyPlan {
  return { from, until: { step: against.step, epoch: against.epoch }, against, evidence };
}

function atTheEnd({ path, step }: CheckpointEntry, others: readonly CheckpointEntry[]): EngineError {
  const hint = others.some((entry) => entry.step < step)
    ? 'Without a number of steps it is arrived at from the checkpoint before.'
    : 'The run has no earlier checkpoint to begin from, either: keep more of them (save_last_k) to be able to replay.';
  return new EngineError(
    'verify.nothing-to-replay',
    `${path} is intact, but it stands at the end of the training (step ${step}): there are no steps after it to do again. ${hint}`,
    { path, step },
  );
}
