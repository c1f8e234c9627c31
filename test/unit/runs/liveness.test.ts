import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isProcessAlive, readHeartbeat, startHeartbeat } from '../../../engine/runs/heartbeat.ts';
import { markLostRuns } from '../../../engine/runs/liveness.ts';
import { readRunFile } from '../../../engine/runs/runFolder.ts';
import { createRun } from '../../../engine/runs/runRecorder.ts';
import { newRun, openStore, temporaryFolder } from './support.ts';

/** The id of a process that has ended. */
const deadPid = spawnSync(process.execPath, ['-e', '0']).pid;
const NOW = Date.UTC(2026, 0, 2, 3, 5, 0);

function liveRun(heartbeat: Record<string, unknown> | undefined, changes = {}) {
  const store = openStore();
  const run = newRun(join(temporaryFolder(), 'exp'), changes);
  createRun(store, run);
  store.runs.update(run.id, { status: 'running', startedAt: run.createdAt });
  if (heartbeat)
    writeFileSync(join(run.expDir, 'heartbeat'), JSON.stringify({ host: hostname(), time: 0, ...heartbeat }));
  return { store, run };
}

test.each([
  { id: 'its launcher runs', heartbeat: { pid: process.pid }, lost: false },
  { id: 'its launcher has ended', heartbeat: { pid: deadPid }, lost: true },
  { id: 'its pid belongs to another process now', heartbeat: { pid: process.pid, processStart: '1' }, lost: true },
  { id: 'another machine beats', heartbeat: { pid: 1, host: 'elsewhere', time: NOW }, lost: false },
  { id: 'another machine stopped beating', heartbeat: { pid: 1, host: 'elsewhere' }, lost: true },
  { id: 'no heartbeat came in time', heartbeat: undefined, lost: true },
  { id: 'it has only just been made', heartbeat: undefined, changes: { createdAt: NOW - 1000 }, lost: false },
  {
    id: 'it has no heartbeat but a live launcher',
    heartbeat: undefined,
    changes: { launcherPid: process.pid },
    lost: false,
  },
])('a run where $id: lost = $lost', ({ heartbeat, changes, lost }) => {
  const { store, run } = liveRun(heartbeat, changes);
  // The heartbeat file itself was written just now; the clock stands far enough ahead to make that old.
  const clock = { now: () => (heartbeat?.host === undefined ? NOW : lost ? Date.now() + 3_600_000 : NOW) };
  expect(markLostRuns(store, { clock })).toEqual(lost ? [run.id] : []);
  expect(store.runs.get(run.id).status).toBe(lost ? 'lost' : 'running');
  expect(readRunFile(run.expDir)?.status).toBe(lost ? 'lost' : 'starting');
});

test('a run that ended is never lost', () => {
  const { store, run } = liveRun({ pid: deadPid });
  store.runs.update(run.id, { status: 'completed' });
  expect(markLostRuns(store)).toEqual([]);
  expect(store.runs.get(run.id).status).toBe('completed');
});

test('a heartbeat names this process, and its folder may go away', () => {
  const folder = temporaryFolder();
  const beat = startHeartbeat(folder, 5);
  const read = readHeartbeat(folder);
  expect(read).toMatchObject({ pid: process.pid, host: hostname() });
  expect(isProcessAlive(process.pid, read?.processStart)).toBe(true);
  rmSync(folder, { recursive: true });
  beat.dispose();
  expect(readHeartbeat(folder)).toBeUndefined();
});
