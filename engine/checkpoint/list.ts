import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { EngineError } from '../api/errors.ts';
import type { CheckpointKind } from '../api/training.ts';
import { foreignRun, runIdOf } from '../runs/checkpointOwner.ts';
import { errorCode, nodeFileSystem, readFailure } from './folder/fileSystem.ts';
import { checkpointFiles, parseCheckpointName } from './layout.ts';
import { type CheckpointManifest, MANIFEST, parseManifest } from './manifest.ts';
import { checkpointPlaces } from './places.ts';

export interface CheckpointEntry {
  readonly folder: string;
  /** Relative to the folder that was listed, with forward slashes. */
  readonly path: string;
  readonly kind: CheckpointKind;
  readonly epoch: number;
  readonly step: number;
  readonly metrics: Readonly<Record<string, number>>;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly bytes: number;
  /** Absent for a folder that another program wrote, or that is damaged. */
  readonly manifest?: CheckpointManifest;
  /** Why the folder cannot be used, as far as can be said without reading all of it. */
  readonly problem?: string;
  /** Folder of the run that it is of, where that is another one: then this is the problem. */
  readonly foreign?: string;
}

export interface ListOptions {
  /** The checkpoint folder; by default those that the run's folder says. */
  readonly inside?: string;
  /** The run whose checkpoints are meant: the folder's own unless given, anybody's where that is no run. */
  readonly owner?: string | undefined;
}

/**
 * The checkpoints of a run's folder, oldest first: by step, at one step `best` before the others. What cannot be used
 * comes first and says why, checkpoints of other runs among it.
 */
export async function listCheckpoints(
  root: string,
  { inside, owner = runIdOf(root) === undefined ? undefined : root }: ListOptions = {},
): Promise<readonly CheckpointEntry[]> {
  const places = new Set(inside === undefined ? checkpointPlaces(root) : [resolve(root), resolve(inside)]);
  const entries: CheckpointEntry[] = [];
  for (const place of places) {
    for (const name of await nodeFileSystem.list(place)) {
      const entry = await readEntry(join(place, name), root, owner);
      if (entry !== undefined) entries.push(entry);
    }
  }
  return entries.sort(compareEntries);
}

/** One folder as an entry; undefined when neither its name nor a manifest makes it a checkpoint. */
export async function readEntry(folder: string, root: string, owner?: string): Promise<CheckpointEntry | undefined> {
  const named = parseCheckpointName(basename(folder));
  // Hidden folders are still being written, or are leftovers.
  if (basename(folder).startsWith('.')) return undefined;
  const path = relative(root, folder).split(sep).join('/');
  const text = await readText(join(folder, MANIFEST));
  if (text === undefined && named === undefined) return undefined;
  const unknown = {
    folder,
    path,
    kind: named?.kind ?? 'permanent',
    epoch: named?.kind === 'epoch' ? (named.number ?? 0) : 0,
    step: named?.kind === 'epoch' ? 0 : (named?.number ?? 0),
    metrics: {},
    time: 0,
    bytes: 0,
  } as const;
  if (text === undefined) {
    return (await isFolder(folder)) ? { ...unknown, problem: `it has no ${MANIFEST}` } : undefined;
  }
  try {
    const manifest = parseManifest(text, join(folder, MANIFEST));
    const foreign = owner === undefined ? undefined : foreignRun(folder, manifest, owner);
    const problem = foreign === undefined ? await sizeProblem(folder, manifest) : `it is of another run, ${foreign}`;
    const bytes = Object.values(manifest.files).reduce((sum, file) => sum + file.bytes, 0);
    const { kind, epoch, step, metrics, time } = manifest;
    const entry = { folder, path, kind, epoch, step, metrics, time, bytes, manifest };
    if (problem === undefined) return entry;
    return { ...entry, problem, ...(foreign === undefined ? {} : { foreign }) };
  } catch (error) {
    // Other programs name their files so, too.
    if (named === undefined) return undefined;
    return { ...unknown, problem: error instanceof Error ? error.message : String(error) };
  }
}

/** @throws EngineError `checkpoint.foreign` when the folder is a checkpoint of another run than `owner` */
export async function refuseForeign(folder: string, owner: string): Promise<void> {
  const there = await readEntry(folder, dirname(folder), owner);
  if (there?.foreign !== undefined) throw foreignError(dirname(folder), [there]);
}

/** Says whose checkpoints lie in a folder, and what to do. */
export function foreignError(folder: string, entries: readonly CheckpointEntry[]): EngineError {
  const runs = [...new Set(entries.flatMap(({ foreign }) => foreign ?? []))];
  const names = entries.map((entry) => basename(entry.folder)).join(', ');
  return new EngineError(
    'checkpoint.foreign',
    `${folder} holds checkpoints of another run: ${names} of ${runs.join(' and ')}. They are neither gone on from by themselves nor overwritten. Give this run a folder of its own by trainer.checkpoint_dir; to go on from one of them, name it by trainer.resume_from_checkpoint.`,
    { folder, runs },
  );
}

async function sizeProblem(folder: string, manifest: CheckpointManifest): Promise<string | undefined> {
  if (manifest.files[checkpointFiles.model] === undefined) return `it has no ${checkpointFiles.model}`;
  for (const [name, file] of Object.entries(manifest.files)) {
    const found = await fileSize(join(folder, name));
    if (found === undefined) return `${name} is missing`;
    if (found !== file.bytes) return `${name} has ${found} bytes instead of ${file.bytes}`;
  }
  return undefined;
}

const order: readonly CheckpointKind[] = ['best', 'step', 'epoch', 'permanent'];

/** Numbers as numbers: epoch_10 after epoch_9. */
export function compareEntries(a: CheckpointEntry, b: CheckpointEntry): number {
  return (
    Number(a.problem === undefined) - Number(b.problem === undefined) ||
    a.step - b.step ||
    a.epoch - b.epoch ||
    order.indexOf(a.kind) - order.indexOf(b.kind) ||
    (a.path < b.path ? -1 : 1)
  );
}

export async function fileSize(path: string): Promise<number | undefined> {
  return (await statOrNothing(path))?.size;
}

export async function isFolder(path: string): Promise<boolean> {
  return (await statOrNothing(path))?.isDirectory() ?? false;
}

async function statOrNothing(path: string) {
  try {
    return await stat(path);
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return undefined;
    throw readFailure(path, error);
  }
}

export async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR') return undefined;
    throw readFailure(path, error);
  }
}
