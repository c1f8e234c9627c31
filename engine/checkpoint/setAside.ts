import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { SUPERSEDED } from '../runs/checkpointOwner.ts';
import { type FileSystem, nodeFileSystem } from './folder/fileSystem.ts';
import { CHECKPOINTS } from './layout.ts';
import { type CheckpointEntry, listCheckpoints } from './list.ts';

export interface SetAside {
  /** Folder that they lie in now, laid out like a run's; undefined where there was nothing to move. */
  readonly folder: string | undefined;
  readonly moved: readonly CheckpointEntry[];
}

/**
 * A training that goes on from an earlier step makes another future: checkpoints of later steps would pass for newer ones
 * than those it will write. They are moved to `superseded/{n}`, permanent ones and `best` too, and never removed. Damaged
 * ones, which nothing goes on from, stay. Latest first: after a crash here the rest is nearer to the truth.
 * @param inside the checkpoint folder, where it is not the run's `checkpoints`
 * @param owner the run whose checkpoints are meant, where its folder is another one; those of other runs stay
 */
export async function setLaterAside(
  run: string,
  at: { readonly epoch: number; readonly step: number },
  inside: string = join(run, CHECKPOINTS),
  owner: string = run,
  fileSystem: FileSystem = nodeFileSystem,
): Promise<SetAside> {
  const later = (await listCheckpoints(run, { inside, owner })).filter(
    ({ step, epoch, problem }) => problem === undefined && (step > at.step || (step === at.step && epoch > at.epoch)),
  );
  if (later.length === 0) return { folder: undefined, moved: [] };
  const isOutside = relative(run, inside).startsWith('..') || isAbsolute(relative(run, inside));
  const places = isOutside ? [run, inside] : [run];
  const names = (await Promise.all(places.map((place) => fileSystem.list(join(place, SUPERSEDED))))).flat();
  const number = Math.max(0, ...names.map(Number).filter(Number.isInteger)) + 1;
  const folder = join(run, SUPERSEDED, String(number));
  // a checkpoint folder elsewhere is often on another disk, to which nothing can be renamed
  const aside = isOutside ? join(inside, SUPERSEDED, String(number)) : join(folder, CHECKPOINTS);
  for (const { folder: from } of later.toReversed()) {
    const isInRun = resolve(dirname(from)) === resolve(run);
    const target = isInRun ? join(folder, basename(from)) : join(aside, basename(from));
    await fileSystem.makeFolder(dirname(target));
    await fileSystem.rename(from, target);
  }
  const isAllOutside = isOutside && later.every(({ folder: from }) => resolve(dirname(from)) !== resolve(run));
  return { folder: isAllOutside ? aside : folder, moved: later };
}
