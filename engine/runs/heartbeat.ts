import { readFileSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import type { Disposable } from '../base/disposable.ts';
import { readRunJson, runFiles, writeAtomically } from './runFolder.ts';

/** What a launcher writes into `heartbeat` every few seconds while it owns the run. */
const Heartbeat = z.object({
  pid: z.number().int(),
  host: z.string(),
  /** The kernel's start time of the process, where it can be known: a process id is given again after a reboot. */
  processStart: z.string().optional(),
  /** Milliseconds since the epoch. */
  time: z.number(),
});
export type Heartbeat = z.infer<typeof Heartbeat>;

export const HEARTBEAT_EVERY_MS = 2000;

/** Beats at once and then every `everyMs` until disposed. Does not keep the process alive. */
export function startHeartbeat(expDir: string, everyMs: number = HEARTBEAT_EVERY_MS): Disposable {
  const processStart = startOfProcess(process.pid);
  const beat = () => {
    const now: Heartbeat = {
      pid: process.pid,
      host: hostname(),
      ...(processStart ? { processStart } : {}),
      time: Date.now(),
    };
    try {
      writeAtomically(join(expDir, runFiles.heartbeat), `${JSON.stringify(now)}\n`);
    } catch {
      // The folder has gone or the disk is full: training matters more than the beat, and liveness also asks for the pid.
    }
  };
  beat();
  const timer = setInterval(beat, everyMs);
  timer.unref();
  return { dispose: () => clearInterval(timer) };
}

export function readHeartbeat(expDir: string): Heartbeat | undefined {
  return Heartbeat.safeParse(readRunJson(expDir, runFiles.heartbeat)).data;
}

/** When the heartbeat file was last written (ms since the epoch), by the file system's clock. */
export function heartbeatWrittenAt(expDir: string): number | undefined {
  return statSync(join(expDir, runFiles.heartbeat), { throwIfNoEntry: false })?.mtimeMs;
}

/** Whether a process with this id (and, where given, this start time) runs on this machine. */
export function isProcessAlive(pid: number, processStart?: string | undefined): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it exists and belongs to somebody else.
    if (!(error instanceof Error && 'code' in error && error.code === 'EPERM')) return false;
  }
  const state = processStateOf(pid);
  if (state?.state === 'Z') return false;
  return processStart === undefined || state === undefined || state.start === processStart;
}

/** The kernel's start time of a process, on Linux. */
export function startOfProcess(pid: number): string | undefined {
  return processStateOf(pid)?.start;
}

/** State letter and start time from Linux's `/proc/<pid>/stat` (fields 3 and 22); `undefined` on other systems. */
function processStateOf(pid: number): { readonly state: string; readonly start: string } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command's name stands in parentheses and may itself hold blanks and parentheses.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state, start] = [fields[0], fields[19]];
    return state && start ? { state, start } : undefined;
  } catch {
    return undefined;
  }
}
