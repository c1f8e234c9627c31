import { join, relative, sep } from 'node:path';
import { EngineError } from '../../api/errors.ts';
import { findDamage, newestIntact, nextBestCheckpoint, noneIntact, passedOver } from '../../checkpoint/index.ts';
import type { RunRecord } from '../../runs/runTable.ts';

export interface ResumePoint {
  /** Checkpoint folder within the run's. */
  readonly path: string;
  /** What a person should know of the choice. */
  readonly notes: readonly string[];
}

/**
 * The checkpoint that a run really goes on from: the chosen one, when every file of it has its size and hash. Of a damaged
 * one that a person named, `checkpoint.corrupt` is thrown, whose details name the next best (`nextBest`, a path within the
 * run); in the place of one that was chosen automatically comes the newest that is intact.
 */
export async function resumePoint(
  run: RunRecord,
  chosen: string,
  { isNamed }: { readonly isNamed: boolean },
): Promise<ResumePoint> {
  const folder = join(run.expDir, chosen);
  const damage = await findDamage(folder);
  if (damage === undefined) return { path: chosen, notes: [] };
  if (isNamed) throw await refused(run, folder, damage);
  const newest = await newestIntact(run.expDir);
  if (newest.checkpoint === undefined) throw noneIntact(run.expDir, newest);
  return { path: newest.checkpoint.path, notes: [passedOver(newest) ?? damage.message] };
}

async function refused(run: RunRecord, folder: string, damage: EngineError): Promise<EngineError> {
  const other = await nextBestCheckpoint(folder);
  const path = other === undefined ? undefined : relative(run.expDir, other).split(sep).join('/');
  const next = path === undefined ? 'The run has no other intact checkpoint.' : `The next best is ${path}.`;
  return new EngineError(
    'checkpoint.corrupt',
    `${damage.message} Nothing can go on from it. ${next}`,
    { ...damage.details, runId: run.id, ...(path === undefined ? {} : { nextBest: path }) },
    { cause: damage },
  );
}
