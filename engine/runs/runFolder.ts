import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { EngineError } from '../api/errors.ts';
import { RunParent, RunStatus } from '../api/runModel.ts';
import { parseExact } from '../base/exactJson.ts';

/** Where things lie in a run's folder (`exp_dir`), relative to it. */
export const runFiles = {
  /** Identity and state of the run; what the store's row is rebuilt from. */
  record: 'run.json',
  config: 'config.yaml',
  /** The config with its interpolations resolved. */
  resolvedConfig: 'config.resolved.yaml',
  hydra: '.hydra',
  /** Origin of each leaf by dotted path. */
  origins: 'origins.json',
  environment: 'environment.json',
  codeDiff: 'code.diff',
  metrics: 'metrics',
  media: 'media',
  logs: 'logs',
  checkpoints: 'checkpoints',
  heartbeat: 'heartbeat',
  socket: 'control.sock',
} as const;

const GitState = z.object({ commit: z.string(), branch: z.string().optional(), dirty: z.boolean() });

/** `run.json`: everything about a run that is not in another file of its folder. Times in milliseconds since the epoch. */
export const RunFile = z.object({
  version: z.literal(1),
  id: z.string(),
  name: z.string(),
  status: RunStatus,
  configName: z.string(),
  overrides: z.array(z.string()),
  command: z.string(),
  createdAt: z.number(),
  startedAt: z.number().optional(),
  endedAt: z.number().optional(),
  processes: z.number().int(),
  devices: z.array(z.string()),
  host: z.string(),
  user: z.string(),
  launcherPid: z.number().int().optional(),
  git: GitState.optional(),
  parent: RunParent.optional(),
  monitor: z.object({ key: z.string(), mode: z.enum(['min', 'max']) }).optional(),
  hyperparameters: z.record(z.string(), z.unknown()).optional(),
  /** Folders outside the run's that hold checkpoints of it (trainer.checkpoint_dir), relative to the run's. */
  checkpointFolders: z.array(z.string()).optional(),
  error: z.string().optional(),
  tags: z.array(z.string()).optional(),
  notes: z.string().optional(),
});
export type RunFile = z.infer<typeof RunFile>;

/** Writes `run.json` beside and renames it, so that a reader never sees half of it. */
export function writeRunFile(expDir: string, file: RunFile): void {
  writeAtomically(join(expDir, runFiles.record), `${JSON.stringify(RunFile.parse(file), null, 2)}\n`);
}

/** Reads, changes and writes `run.json`; nothing happens where there is none (the folder has gone). */
export function updateRunFile(expDir: string, patch: Partial<RunFile>): void {
  const current = readRunFile(expDir);
  if (current) writeRunFile(expDir, { ...current, ...patch });
}

/** The run's own record, or `undefined` where the folder has none. Throws `runs.folder-damaged` when it cannot be read. */
export function readRunFile(expDir: string): RunFile | undefined {
  const file = join(expDir, runFiles.record);
  const text = readText(file);
  if (text === undefined) return undefined;
  try {
    return RunFile.parse(JSON.parse(text));
  } catch (error) {
    throw new EngineError(
      'runs.folder-damaged',
      `${file} is no run record (${error instanceof Error ? error.message.split('\n')[0] : String(error)}). ` +
        'Remove the file to have the run read from the rest of its folder.',
      { file },
      { cause: error },
    );
  }
}

/** Where checkpoints of the run lie, permanent ones aside: its `checkpoints`, and what it recorded of other places. */
export function checkpointFolders(expDir: string): string[] {
  const record = RunFile.pick({ checkpointFolders: true }).safeParse(readRunJson(expDir, runFiles.record)).data;
  const elsewhere = record?.checkpointFolders ?? [];
  return [runFiles.checkpoints, ...elsewhere].map((folder) => resolve(expDir, folder));
}

/** Parsed JSON of a file in the run's folder, or `undefined` where there is none or it is damaged. */
export function readRunJson(expDir: string, name: string): unknown {
  const text = readText(join(expDir, name));
  if (text === undefined) return undefined;
  try {
    return parseExact(text);
  } catch {
    return undefined; // the folder is scanned by what is left of it
  }
}

/** Text of a file of the run's folder, or `undefined` where there is none. */
export function readRunText(expDir: string, name: string): string | undefined {
  return readText(join(expDir, name));
}

/** Writes beside, then renames. */
export function writeAtomically(file: string, text: string): void {
  const beside = `${file}.${process.pid}.tmp`;
  writeFileSync(beside, text);
  renameSync(beside, file);
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR') return undefined;
    throw error;
  }
}
