import { existsSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { RunFile, readRunJson, runFiles } from './runFolder.ts';

/** Folder for checkpoints of a future that another one replaced, in a run or in a checkpoint folder outside it. */
export const SUPERSEDED = 'superseded';

/** What the manifest of a checkpoint that was written outside its run's folder says about whose it is. */
export interface OwnerLabel {
  /** The run's folder, relative to the one that the checkpoint's was written in. */
  readonly run?: string | undefined;
  /** The run's id; absent where the run had none, and in manifests of earlier versions. */
  readonly run_id?: string | undefined;
}

/**
 * The folder of the run that a checkpoint is of, where that is not `run`; undefined for one's own. The id says whose it is,
 * or the folder where both have none. A label of an earlier version whose run is not there any more (it was moved) says
 * nothing, and neither does the lack of one, unless the checkpoint lies in another run: those are whoever's finds them.
 */
export function foreignRun(checkpoint: string, label: OwnerLabel, run: string): string | undefined {
  const own = resolve(run);
  if (label.run === undefined) {
    const around = resolve(surroundingFolder(checkpoint));
    return around !== own && runIdOf(around) !== undefined ? around : undefined;
  }
  const named = resolve(placeOf(checkpoint), label.run);
  if (named === own) return undefined;
  const id = label.run_id === undefined ? undefined : runIdOf(own);
  const isOther = id === undefined ? label.run_id !== undefined || existsSync(named) : id !== label.run_id;
  return isOther ? named : undefined;
}

/** The id that a run's folder has; undefined for other folders. */
export function runIdOf(folder: string): string | undefined {
  return RunFile.pick({ id: true }).safeParse(readRunJson(folder, runFiles.record)).data?.id;
}

/** The folder whose checkpoint it is by the usual layout. */
export function surroundingFolder(checkpoint: string): string {
  const parent = dirname(checkpoint);
  return basename(parent) === runFiles.checkpoints ? dirname(parent) : parent;
}

/** The checkpoint folder that a checkpoint was written in, also where it was moved to `superseded/1` of that folder since. */
export function placeOf(checkpoint: string): string {
  const parent = dirname(resolve(checkpoint));
  const above = dirname(parent);
  return basename(above) === SUPERSEDED ? dirname(above) : parent;
}
