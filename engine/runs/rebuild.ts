import { existsSync, readdirSync, statSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import { z } from 'zod';
import { EngineError } from '../api/errors.ts';
import { MeasuredNumber } from '../api/number.ts';
import { CheckpointKind, type CheckpointNotice } from '../api/training.ts';
import { foreignRun } from './checkpointOwner.ts';
import { readMediaJournal } from './mediaJournal.ts';
import { readMetricJournal } from './metricJournal.ts';
import { checkpointFolders, type RunFile, readRunFile, readRunJson, readRunText, runFiles } from './runFolder.ts';
import { createRunId } from './runId.ts';
import type { RunStore } from './runStore.ts';
import { isFolderMissing } from './runTable.ts';

export interface RebuildReport {
  /** Ids of runs that a folder had and the store did not. */
  readonly added: readonly string[];
  /** Ids whose folder has gone. */
  readonly missing: readonly string[];
  /** Folders that look like runs and could not be read, with the reason. */
  readonly problems: readonly { readonly folder: string; readonly message: string }[];
}

/** The part of a checkpoint's `manifest.json` that the store shows; the rest belongs to the checkpoint. */
const Manifest = z.object({
  kind: CheckpointKind.optional(),
  step: z.number().int().nonnegative(),
  epoch: z.number().int().nonnegative(),
  metrics: z.record(z.string(), MeasuredNumber).optional(),
  time: z.number().optional(),
  run: z.string().optional(),
  run_id: z.string().optional(),
});

const NEVER_ENTERED: ReadonlySet<string> = new Set([
  'node_modules',
  '.git',
  '.accelhydra',
  '.runtime',
  '.hydra',
  'dist',
]);

/**
 * Brings the store in line with the folders below `root`: a run folder without a row gets one, with its metrics and
 * checkpoints. Rows are never removed. Folders are searched `maxDepth` levels deep; links are not followed.
 */
export function rebuildStore(store: RunStore, root: string, maxDepth = 6): RebuildReport {
  const added: string[] = [];
  const problems: { folder: string; message: string }[] = [];
  for (const folder of findRunFolders(resolve(root), maxDepth)) {
    try {
      const id = addFolder(store, folder);
      if (id) added.push(id);
    } catch (error) {
      if (error instanceof EngineError && error.code.startsWith('runs.store-')) throw error;
      problems.push({ folder, message: error instanceof Error ? error.message : String(error) });
    }
  }
  const missing = store.runs
    .list({ limit: 100_000 })
    .runs.filter(isFolderMissing)
    .map((run) => run.id);
  return { added, missing, problems };
}

/** Folders that hold a run: those with `run.json`, or with both a config and an environment. */
export function findRunFolders(root: string, maxDepth: number): string[] {
  const found: string[] = [];
  const visit = (folder: string, depth: number) => {
    if (isRunFolder(folder)) {
      found.push(folder);
      return;
    }
    if (depth === maxDepth) return;
    for (const entry of readFolders(folder)) if (!NEVER_ENTERED.has(entry)) visit(join(folder, entry), depth + 1);
  };
  visit(root, 0);
  return found;
}

/** Checkpoints of the run, as their manifests tell; those of others that lie among them are left out. */
export function scanCheckpoints(expDir: string): CheckpointNotice[] {
  const folders = [
    ...checkpointFolders(expDir).flatMap((place) => completeFolders(place).map((name) => join(place, name))),
    ...readFolders(expDir)
      .filter((name) => name.startsWith('ckpt_step_'))
      .map((name) => join(expDir, name)),
  ];
  return folders.flatMap((folder) => {
    const manifest = readManifest(folder);
    return manifest === undefined || foreignRun(folder, manifest, expDir) !== undefined
      ? []
      : noticeOf(folder, manifest, expDir);
  });
}

/** Checkpoints that lie right in a folder, whichever runs they are of; their paths are relative to it. */
export function checkpointsIn(place: string): CheckpointNotice[] {
  return completeFolders(place).flatMap((name) => {
    const manifest = readManifest(join(place, name));
    return manifest === undefined ? [] : noticeOf(join(place, name), manifest, place);
  });
}

function readManifest(folder: string): z.infer<typeof Manifest> | undefined {
  return Manifest.safeParse(readRunJson(folder, 'manifest.json')).data;
}

function noticeOf(folder: string, manifest: z.infer<typeof Manifest>, root: string): CheckpointNotice {
  const path = relative(root, folder).split(sep).join('/');
  return {
    kind: manifest.kind ?? kindOf(path),
    path,
    step: manifest.step,
    epoch: manifest.epoch,
    bytes: folderBytes(folder),
    metrics: manifest.metrics ?? {},
    time: manifest.time ?? statSync(folder).mtimeMs,
  };
}

/** Rows for checkpoints that only the folder knows. */
export function syncCheckpoints(store: RunStore, runId: string, expDir: string): void {
  const known = new Set(store.checkpoints.list(runId, expDir).map((checkpoint) => checkpoint.path));
  for (const notice of scanCheckpoints(expDir)) if (!known.has(notice.path)) store.checkpoints.save(runId, notice);
}

function addFolder(store: RunStore, folder: string): string | undefined {
  const file = readRunFile(folder) ?? describeFolder(folder);
  if (store.runs.find(file.id) ?? store.runs.findByFolder(folder)) return undefined;
  const environment = z.record(z.string(), z.unknown()).safeParse(readRunJson(folder, runFiles.environment)).data ?? {};
  store.transaction(() => {
    store.runs.create({
      ...file,
      expDir: folder,
      configYaml: readRunText(folder, runFiles.config) ?? '',
      resolvedYaml: readRunText(folder, runFiles.resolvedConfig),
      environment,
    });
    const { status, startedAt, endedAt, hyperparameters, error, tags, notes } = file;
    store.runs.update(file.id, {
      status,
      ...(startedAt === undefined ? {} : { startedAt }),
      ...(hyperparameters ? { hyperparameters } : {}),
      ...(tags ? { tags } : {}),
      ...(notes === undefined ? {} : { notes }),
      endedAt,
      error,
    });
    for (const entry of readMetricJournal(folder)) {
      if (entry.type === 'points') store.metrics.append(file.id, entry.points);
      else store.metrics.truncate(file.id, entry.step);
    }
    store.media.save(file.id, readMediaJournal(folder));
    for (const checkpoint of scanCheckpoints(folder)) store.checkpoints.save(file.id, checkpoint);
  });
  return file.id;
}

/** What can be said about a run folder without `run.json`: how it ended is not known. */
function describeFolder(folder: string): RunFile {
  const createdAt = statSync(join(folder, runFiles.config)).mtimeMs;
  return {
    version: 1,
    id: createRunId(createdAt),
    name: folder.split(sep).at(-1) ?? folder,
    status: 'lost',
    configName: '',
    overrides: [],
    command: '',
    createdAt,
    processes: 0,
    devices: [],
    host: '',
    user: '',
    error: 'The folder does not say how the run ended.',
  };
}

function isRunFolder(folder: string): boolean {
  const has = (name: string) => existsSync(join(folder, name));
  return has(runFiles.record) || (has(runFiles.config) && has(runFiles.environment));
}

function kindOf(path: string): CheckpointKind {
  if (path.startsWith('ckpt_step_')) return 'permanent';
  const name = path.split('/').at(-1) ?? '';
  if (name === 'best') return 'best';
  return name.startsWith('epoch_') ? 'epoch' : 'step';
}

function folderBytes(folder: string): number {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(folder, entry.name)).size, 0);
}

/** Without hidden ones: checkpoints that are being written or removed, which may have their manifest already or still. */
function completeFolders(place: string): string[] {
  return readFolders(place).filter((name) => !name.startsWith('.'));
}

function readFolders(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name)
      .sort();
  } catch {
    return []; // a folder that may not be read holds no runs for us
  }
}
