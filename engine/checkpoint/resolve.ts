import { basename, dirname, join } from 'node:path';
import { EngineError } from '../api/errors.ts';
import { didYouMean } from '../base/nearest.ts';
import { nodeFileSystem } from './folder/fileSystem.ts';
import { checkpointFiles } from './layout.ts';
import { type CheckpointEntry, fileSize, isFolder, listCheckpoints, readEntry, readText } from './list.ts';
import { findDamage } from './load.ts';
import { isForeignManifest, MANIFEST } from './manifest.ts';
import { runFolderOf } from './places.ts';

export type ResolvedCheckpoint =
  | { readonly type: 'folder'; readonly folder: string; readonly entry: CheckpointEntry }
  /** A single safetensors file: weights alone. */
  | { readonly type: 'file'; readonly file: string };

/**
 * Which checkpoint a path means: a safetensors file, a checkpoint's folder, or a run (or its checkpoint folder), of
 * which the best is taken, or the newest by step.
 * @throws EngineError `checkpoint.not-found`, listing what there is; `checkpoint.ambiguous` for a folder in which several
 *   runs keep theirs; `checkpoint.corrupt` or `checkpoint.newer` for a folder of a name of its own whose manifest cannot
 *   be read
 */
export async function resolveCheckpoint(
  target: string,
  { useBest = true }: { readonly useBest?: boolean } = {},
): Promise<ResolvedCheckpoint> {
  if (!(await isFolder(target))) {
    if ((await fileSize(target)) === undefined) throw await notThere(target);
    if (target.endsWith('.safetensors')) return { type: 'file', file: target };
    throw new EngineError(
      'checkpoint.not-found',
      `${target} is neither a checkpoint's folder nor a .safetensors file.${/\.(pt|pth|bin|ckpt)$/.test(target) ? ' PyTorch writes one of its state_dict: safetensors.torch.save_file(torch.load(FILE, weights_only=True), FILE.safetensors)' : ''}`,
      { target },
    );
  }
  const own = await readEntry(target, runFolderOf(target));
  const weights = join(target, checkpointFiles.model);
  if (own?.manifest === undefined && (await fileSize(weights)) !== undefined) {
    if (!(await isOurs(target))) return { type: 'file', file: weights };
    // one that was moved or copied to a name of its own, and cannot be checked: its weights alone would be taken on trust
    if (own === undefined) throw await unreadable(target);
  }
  if (own !== undefined) return { type: 'folder', folder: target, entry: own };
  const entries = await listCheckpoints(target);
  const usable = entries.filter((entry) => entry.problem === undefined);
  const owners = [...new Set(usable.flatMap(({ manifest }) => manifest?.run_id ?? manifest?.run ?? []))];
  if (owners.length > 1) {
    const paths = usable.map((entry) => entry.path);
    throw new EngineError(
      'checkpoint.ambiguous',
      `${target} holds checkpoints of ${owners.length} runs (${owners.join(', ')}). Name a run's folder, or one of them: ${paths.join(', ')}.`,
      { target, runs: owners, found: paths },
    );
  }
  const best = useBest ? usable.findLast((entry) => entry.kind === 'best') : undefined;
  const chosen = best ?? usable.at(-1);
  if (chosen !== undefined) return { type: 'folder', folder: chosen.folder, entry: chosen };
  const reason =
    entries.length === 0
      ? 'there is none'
      : `none can be used: ${entries.map((entry) => `${entry.path} (${entry.problem})`).join(', ')}`;
  throw new EngineError('checkpoint.not-found', `${target} has no checkpoint to load: ${reason}.`, {
    target,
    found: entries.map((entry) => entry.path),
  });
}

/** Whether a folder without a manifest that can be read is a damaged checkpoint, not another program's weights. */
async function isOurs(folder: string): Promise<boolean> {
  const text = await readText(join(folder, MANIFEST));
  if (text === undefined) return (await fileSize(join(folder, checkpointFiles.state))) !== undefined;
  return !isForeignManifest(text);
}

async function unreadable(folder: string): Promise<unknown> {
  return (await findDamage(folder)) ?? new Error(`Internal error: ${folder} can be read after all.`);
}

async function fileNotThere(target: string): Promise<EngineError> {
  const folder = dirname(target);
  const files = (await nodeFileSystem.list(folder)).filter((name) => name.endsWith('.safetensors'));
  const known = files.length === 0 ? `No .safetensors file is in ${folder}` : `${folder} has: ${files.join(', ')}`;
  return new EngineError(
    'checkpoint.not-found',
    `There is no file ${target}.${didYouMean(basename(target), files)} ${known}.`,
    { target, found: files },
  );
}

async function notThere(target: string): Promise<EngineError> {
  if (target.endsWith('.safetensors')) return fileNotThere(target);
  const run = runFolderOf(target);
  const found = (await listCheckpoints(run)).filter((entry) => entry.problem === undefined);
  const names = found.map((entry) => basename(entry.folder));
  const known = found.length === 0 ? `${run} has none` : `${run} has: ${found.map((entry) => entry.path).join(', ')}`;
  return new EngineError(
    'checkpoint.not-found',
    `There is no checkpoint ${target}.${didYouMean(basename(target), names)} ${known}.`,
    { target, found: found.map((entry) => entry.path) },
  );
}
