import { basename, dirname, relative, resolve, sep } from 'node:path';
import { checkpointFolders, readRunJson } from '../runs/runFolder.ts';
import { CHECKPOINTS } from './layout.ts';
import { MANIFEST } from './manifest.ts';

/** Folder for checkpoints of a future that another one replaced, in a run or in a checkpoint folder outside it. */
export const SUPERSEDED = 'superseded';

/** The folders that checkpoints of a run lie in: the run's own, for permanent ones, and those that it names. */
export function checkpointPlaces(run: string): string[] {
  return [resolve(run), ...checkpointFolders(run)];
}

/**
 * The run's folder that a checkpoint belongs to: the one it lies in, by the usual layout; for one that lies outside, the
 * run that its manifest names, while that run says the same.
 */
export function runFolderOf(checkpoint: string): string {
  const around = surrounding(checkpoint);
  const manifest = readRunJson(checkpoint, MANIFEST);
  const run: unknown = typeof manifest === 'object' && manifest !== null ? Reflect.get(manifest, 'run') : undefined;
  if (typeof run !== 'string') return around;
  const place = placeOf(checkpoint);
  const named = resolve(place, run);
  return checkpointFolders(named).includes(place) ? named : around;
}

/**
 * How a manifest names its run: relative to the folder that holds the checkpoint, so that both can be moved together.
 * Undefined where the layout says it already.
 */
export function runFrom(checkpoint: string, run: string): string | undefined {
  if (resolve(surrounding(checkpoint)) === resolve(run)) return undefined;
  return relative(dirname(resolve(checkpoint)), resolve(run))
    .split(sep)
    .join('/');
}

function surrounding(checkpoint: string): string {
  const parent = dirname(checkpoint);
  return basename(parent) === CHECKPOINTS ? dirname(parent) : parent;
}

/** The checkpoint folder that a checkpoint was written in, also where it was moved to `superseded/1` of that folder since. */
function placeOf(checkpoint: string): string {
  const parent = dirname(resolve(checkpoint));
  const above = dirname(parent);
  return basename(above) === SUPERSEDED ? dirname(above) : parent;
}
