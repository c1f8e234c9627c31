import { dirname, relative, resolve, sep } from 'node:path';
import { type OwnerLabel, placeOf, runIdOf, surroundingFolder } from '../runs/checkpointOwner.ts';
import { checkpointFolders, readRunJson } from '../runs/runFolder.ts';
import { MANIFEST } from './manifest.ts';

/** The folders that checkpoints of a run lie in: the run's own, for permanent ones, and those that it names. */
export function checkpointPlaces(run: string): string[] {
  return [resolve(run), ...checkpointFolders(run)];
}

/**
 * The run's folder that a checkpoint belongs to: the one it lies in, by the usual layout; for one that lies outside, the
 * run that its manifest names, while that run says the same.
 */
export function runFolderOf(checkpoint: string): string {
  const around = surroundingFolder(checkpoint);
  const manifest = readRunJson(checkpoint, MANIFEST);
  const run: unknown = typeof manifest === 'object' && manifest !== null ? Reflect.get(manifest, 'run') : undefined;
  if (typeof run !== 'string') return around;
  const place = placeOf(checkpoint);
  const named = resolve(place, run);
  return checkpointFolders(named).includes(place) ? named : around;
}

/**
 * How a manifest names its run: by id, and relative to the folder that holds the checkpoint, so that both can be moved
 * together. Empty where the layout says it already.
 */
export function ownerLabel(checkpoint: string, run: string): OwnerLabel {
  if (resolve(surroundingFolder(checkpoint)) === resolve(run)) return {};
  const path = relative(dirname(resolve(checkpoint)), resolve(run))
    .split(sep)
    .join('/');
  const id = runIdOf(run);
  return { run: path, ...(id === undefined ? {} : { run_id: id }) };
}
