import { basename, dirname, join } from 'node:path';
import { type FileSystem, nodeFileSystem } from './folder/fileSystem.ts';
import { type CheckpointEntry, compareEntries, listCheckpoints } from './list.ts';

/**
 * Which checkpoints go when the newest `keep` of the epoch and step checkpoints stay. Best and permanent ones are never
 * among them, nor are damaged ones: those are for a person to look at.
 * @param keep null keeps all
 * @param safe the checkpoint just written; never pruned
 */
export function planPruning(
  entries: readonly CheckpointEntry[],
  keep: number | null,
  safe?: string,
): readonly CheckpointEntry[] {
  if (keep === null) return [];
  const passing = entries.filter((entry) => (entry.kind === 'epoch' || entry.kind === 'step') && !entry.problem);
  const newestFirst = passing.toSorted(compareEntries).reverse();
  return newestFirst.slice(Math.max(0, keep)).filter((entry) => entry.folder !== safe);
}

/**
 * Prunes a run's folder, or a checkpoint folder outside it, of what is `owner`'s. Call it only after the new checkpoint is
 * safe. Returns what was removed.
 */
export async function pruneCheckpoints(
  root: string,
  keep: number | null,
  safe?: string,
  owner: string = root,
  fileSystem: FileSystem = nodeFileSystem,
): Promise<readonly CheckpointEntry[]> {
  const pruned = planPruning(await listCheckpoints(root, { owner }), keep, safe);
  for (const entry of pruned) await removeCheckpoint(entry.folder, fileSystem);
  return pruned;
}

/** Removes a checkpoint so that nobody can see half of it: it is hidden first. */
export async function removeCheckpoint(folder: string, fileSystem: FileSystem = nodeFileSystem): Promise<void> {
  const parent = dirname(folder);
  if (!(await fileSystem.list(parent)).includes(basename(folder))) return;
  // Named like a folder that is being written, so that a crash here leaves something the next save clears.
  const hidden = join(parent, `.${basename(folder)}.tmp-${process.pid}-0`);
  await fileSystem.remove(hidden);
  await fileSystem.rename(folder, hidden);
  await fileSystem.remove(hidden);
}
