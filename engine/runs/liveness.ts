import { hostname } from 'node:os';
import { type Clock, systemClock } from '../base/clock.ts';
import { HEARTBEAT_EVERY_MS, heartbeatWrittenAt, isProcessAlive, readHeartbeat } from './heartbeat.ts';
import { updateRunFile } from './runFolder.ts';
import type { RunStore } from './runStore.ts';
import { isFolderMissing, type RunRecord } from './runTable.ts';

export interface LivenessOptions {
  readonly clock?: Clock;
  /** A run on another machine (shared disk) is lost when its heartbeat is older than this. */
  readonly remoteLimitMs?: number;
  /** A run without any heartbeat yet is given this long to write its first one. */
  readonly startLimitMs?: number;
}

/**
 * Whether the launcher of a run that should be alive is. On this machine the process is asked; a stale heartbeat alone
 * proves nothing (a suspended laptop). On another machine only the heartbeat can tell.
 */
export function isRunAlive(run: RunRecord, options: LivenessOptions = {}): boolean {
  const now = (options.clock ?? systemClock).now();
  const beat = readHeartbeat(run.expDir);
  if (!beat) {
    const young = now - run.createdAt < (options.startLimitMs ?? 20_000);
    if (run.launcherPid === undefined) return young;
    return run.host === hostname() ? isProcessAlive(run.launcherPid) && !isFolderMissing(run) : young;
  }
  if (beat.host === hostname()) return isProcessAlive(beat.pid, beat.processStart);
  const written = Math.max(beat.time, heartbeatWrittenAt(run.expDir) ?? 0);
  return now - written < (options.remoteLimitMs ?? 30 * HEARTBEAT_EVERY_MS);
}

/**
 * Marks every run whose launcher is gone as `lost`, in the store and in its folder, and returns their ids. A launcher
 * that ended properly has written another status before, so only crashes and power cuts end here.
 */
export function markLostRuns(store: RunStore, options: LivenessOptions = {}): string[] {
  const lost: string[] = [];
  for (const run of store.runs.live()) {
    if (isRunAlive(run, options)) continue;
    // Read again: it may have ended properly between the two looks.
    const current = store.runs.find(run.id);
    if (!current || current.status !== run.status) continue;
    const endedAt = heartbeatWrittenAt(run.expDir) ?? run.startedAt ?? run.createdAt;
    const error = 'The launcher is gone without having said why: killed, out of memory, or the machine went down.';
    store.runs.update(run.id, { status: 'lost', endedAt, error });
    updateRunFile(run.expDir, { status: 'lost', endedAt, error });
    lost.push(run.id);
  }
  return lost;
}
