import { linkSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { EngineError } from '../api/errors.ts';
import type { Disposable } from '../base/disposable.ts';
import { HEARTBEAT_EVERY_MS, heartbeatWrittenAt, isProcessAlive, startOfProcess } from './heartbeat.ts';
import { readRunJson, readRunText, runFiles, writeAtomically } from './runFolder.ts';

/** `held`: the one process that may train in a run's folder: who starts its launcher, then the launcher. */
const Holder = z.object({
  pid: z.number().int(),
  host: z.string(),
  /** The kernel's start time of the process, where it can be known: process ids are given again. */
  processStart: z.string().optional(),
  /** The folder's inode: what was copied with a folder says nothing of the copy. */
  folder: z.string(),
  /** Milliseconds since the epoch. */
  since: z.number(),
});
export type FolderHolder = z.infer<typeof Holder>;

const heldFile = 'held';
/** A holder on another machine (shared disk) is gone when the run's heartbeat is older than this. */
const remoteLimitMs = 30 * HEARTBEAT_EVERY_MS;

/** Gives the folder back when disposed; the end of the process does so too, however it comes. */
export type FolderHold = Disposable;

/**
 * Takes a run's folder for this process alone. A holder that is gone is no hindrance; one that is `from`, the process that
 * this one was started by, hands it over. Throws `launch.run-live`, which says who holds it and what to do.
 */
export function holdFolder(expDir: string, { from }: { readonly from?: number } = {}): FolderHold {
  const file = join(expDir, heldFile);
  const own = describeOwn(expDir);
  for (;;) {
    if (create(file, own)) break;
    const text = readRunText(expDir, heldFile);
    const holder = parse(text);
    if (holder !== undefined && isHolding(expDir, holder)) {
      if (holder.host !== own.host || holder.pid !== from) throw heldError(expDir, holder);
      writeAtomically(file, print(own));
      break;
    }
    if (text !== undefined) takeAway(file, text);
  }
  return {
    dispose: () => {
      // a launcher may have taken it over, or the folder be gone or read-only by now
      if (readRunText(expDir, heldFile) === print(own)) removeQuietly(file);
    },
  };
}

/** Who trains in the folder; undefined where nobody does. */
export function folderHolder(expDir: string): FolderHolder | undefined {
  const holder = parse(readRunText(expDir, heldFile));
  return holder !== undefined && isHolding(expDir, holder) ? holder : undefined;
}

/** `process 4711 since 2026-11-28 15:20:31`. */
export function holderText({ pid, host, since }: FolderHolder): string {
  const where = host === hostname() ? '' : ` on ${host}`;
  return `process ${pid}${where} since ${new Date(since).toLocaleString('sv')}`;
}

function heldError(expDir: string, holder: FolderHolder): EngineError {
  const record = z.object({ id: z.string() }).safeParse(readRunJson(expDir, runFiles.record)).data;
  const stop = record === undefined ? `kill ${holder.pid}` : `accelhydra runs stop ${record.id}`;
  return new EngineError(
    'launch.run-live',
    `A training runs in ${expDir} (${holderText(holder)}), and two in one folder would spoil each other's record. Wait for its end or stop it (${stop}), or branch a run with a folder of its own.`,
    { expDir, ...holder },
  );
}

function describeOwn(expDir: string): FolderHolder {
  const processStart = startOfProcess(process.pid);
  return {
    pid: process.pid,
    host: hostname(),
    ...(processStart === undefined ? {} : { processStart }),
    folder: inodeOf(expDir),
    since: Date.now(),
  };
}

function isHolding(expDir: string, { pid, host, processStart, folder }: FolderHolder): boolean {
  if (folder !== inodeOf(expDir)) return false;
  if (host === hostname()) return isProcessAlive(pid, processStart);
  return Date.now() - (heartbeatWrittenAt(expDir) ?? 0) < remoteLimitMs;
}

/** Written beside and linked, so that nobody reads half of it, and one of several succeeds. */
function create(file: string, holder: FolderHolder): boolean {
  const draft = `${file}.${process.pid}.tmp`;
  try {
    writeFileSync(draft, print(holder));
    try {
      linkSync(draft, file);
    } catch (error) {
      if (codeOf(error) === 'EEXIST') throw error;
      // a file system without links: half a word could be read there for an instant
      writeFileSync(file, print(holder), { flag: 'wx' });
    }
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Moves a holder's word that is out of date away; one that somebody wrote in that moment is put back. */
function takeAway(file: string, outdated: string): void {
  const aside = `${file}.${process.pid}.old`;
  try {
    renameSync(file, aside);
    if (readFileSync(aside, 'utf8') !== outdated) linkSync(aside, file);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT' && codeOf(error) !== 'EEXIST') throw error;
  } finally {
    rmSync(aside, { force: true });
  }
}

function parse(text: string | undefined): FolderHolder | undefined {
  if (text === undefined) return undefined;
  try {
    return Holder.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined; // written by nobody of ours, or damaged: it holds nothing
  }
}

function print(holder: FolderHolder): string {
  return `${JSON.stringify(holder)}\n`;
}

function inodeOf(folder: string): string {
  const { dev, ino } = statSync(folder, { bigint: true });
  return `${dev}:${ino}`;
}

function removeQuietly(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    return; // the next one finds that its holder is gone
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
