import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { writeFolder } from './folder/atomicFolder.ts';
import { type FileSystem, nodeFileSystem } from './folder/fileSystem.ts';
import { type CheckpointEntry, listCheckpoints, readEntry, refuseForeign } from './list.ts';
import { findDamage } from './load.ts';
import { MANIFEST, printManifest } from './manifest.ts';
import { ownerLabel } from './places.ts';

export interface BestBy {
  readonly metric_name: string;
  readonly mode: 'min' | 'max';
}

/**
 * Copies the best intact checkpoint that a run still has, by the metrics saved with it, to `best` in its checkpoint folder;
 * of equal ones the earliest. Gives the copy, or undefined where no checkpoint has that metric.
 * @param owner the run whose checkpoints are meant, where its folder is another one
 * @throws EngineError `checkpoint.disk-full` | `checkpoint.not-writable` | `checkpoint.foreign`
 */
export async function promoteBest(
  run: string,
  inside: string,
  { metric_name: name, mode }: BestBy,
  owner: string = run,
  fileSystem: FileSystem = nodeFileSystem,
): Promise<CheckpointEntry | undefined> {
  const scoreOf = ({ metrics }: CheckpointEntry) => (metrics[name] ?? Number.NaN) * (mode === 'min' ? 1 : -1);
  const usable = (await listCheckpoints(run, { inside, owner })).filter((entry) => entry.problem === undefined);
  const ranked = usable.filter((entry) => !Number.isNaN(scoreOf(entry))).toSorted((a, b) => scoreOf(a) - scoreOf(b));
  for (const { folder, manifest } of ranked) {
    if (manifest === undefined || (await findDamage(folder)) !== undefined) continue;
    const target = join(inside, 'best');
    const files = Object.keys(manifest.files).map((file) => copied(join(folder, file), file));
    await refuseForeign(target, owner);
    const { run: _run, run_id: _id, ...facts } = manifest;
    const label = textOf({ ...facts, ...ownerLabel(target, owner), kind: 'best' });
    await writeFolder(target, files, (written) => label(Object.fromEntries(written)), fileSystem);
    return readEntry(target, run, owner);
  }
  return undefined;
}

type Manifest = Parameters<typeof printManifest>[0];

function copied(from: string, name: string) {
  return {
    name,
    write: async (sink: { write(data: Uint8Array): Promise<void> }) => {
      for await (const part of createReadStream(from, { highWaterMark: 1 << 20 })) await sink.write(part);
    },
  };
}

function textOf(manifest: Manifest) {
  return (files: Manifest['files']) => ({
    name: MANIFEST,
    write: (sink: { write(data: Uint8Array): Promise<void> }) =>
      sink.write(new TextEncoder().encode(printManifest({ ...manifest, files }))),
  });
}
