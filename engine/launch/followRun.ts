import { setTimeout as sleep } from 'node:timers/promises';
import { EngineError } from '../api/errors.ts';
import type { LauncherEvent, LauncherStatus } from '../api/launch.ts';
import { LIVE_STATUSES, type RunStatus } from '../api/runModel.ts';
import type { Progress } from '../api/training.ts';
import type { Disposable } from '../base/disposable.ts';
import { listLogFiles, readLogChunk } from '../runs/logFiles.ts';
import { readRunFile } from '../runs/runFolder.ts';
import { attachRun, type RunHandle } from './attachRun.ts';

export interface FollowedEnd {
  readonly status: RunStatus;
  readonly error?: string | undefined;
}

export interface RunFollower {
  onStatus?(status: RunStatus): void;
  onProgress?(progress: Progress): void;
  /** New text of a log (`rank0.log`), whole lines as they are in the file. */
  onLog?(file: string, text: string): void;
  /** Everything else that the launcher says. */
  onEvent?(event: LauncherEvent): void;
}

/** A run that is being watched. Disposing ends the watching, not the run. */
export interface FollowedRun extends Disposable {
  /** Resolves when the run has ended, whichever way; with `lost` when its launcher went without a word. */
  readonly ended: Promise<FollowedEnd>;
  /** Asks for a polite stop; does nothing when the run has ended. */
  stop(): Promise<void>;
  /** Ends the run at once; does nothing when the run has ended. */
  kill(): Promise<void>;
}

const chunkBytes = 256 * 1024;

/**
 * Watches the run in `runDir` from now on. A run that has ended already is told as ended.
 * @param logsFrom bytes to leave out of each log (`rank0.log`): what was there before the run went on
 */
export async function followRun(
  runDir: string,
  follower: RunFollower,
  logsFrom: Readonly<Record<string, number>> = {},
): Promise<FollowedRun> {
  const logs = new LogTail(runDir, follower, logsFrom);
  let handle: RunHandle;
  try {
    handle = await attachRun(runDir);
  } catch (error) {
    if (!EngineError.is(error, 'launch.not-running')) throw error;
    logs.readAll();
    return { ended: Promise.resolve(await endFromFolder(runDir)), stop: done, kill: done, dispose: () => undefined };
  }
  let said: FollowedEnd | undefined;
  handle.onEvent((event) => {
    if (event.type === 'ended') said = event;
    if (event.type === 'status') follower.onStatus?.(event.status);
    if (event.type === 'progress') follower.onProgress?.(event.progress);
    if (event.type === 'log') logs.read(event.file);
    follower.onEvent?.(event);
  });
  const ended = new Promise<FollowedEnd>((resolve) => {
    handle.onDidClose(() => {
      logs.readAll();
      resolve(said ?? endFromFolder(runDir));
    });
  });
  const first = await handle.subscribe().catch(() => undefined);
  if (first !== undefined) {
    follower.onStatus?.(first.status);
    if (first.progress !== undefined) follower.onProgress?.(first.progress);
    logs.readAll();
  }
  return {
    ended,
    stop: () => ask(() => handle.stop()),
    kill: () => ask(() => handle.kill()),
    dispose: () => handle.dispose(),
  };
}

/** A run that ended while it was being asked has what it was asked for. */
async function ask(command: () => Promise<LauncherStatus>): Promise<void> {
  try {
    await command();
  } catch (error) {
    if (!EngineError.is(error, 'launch.not-running')) throw error;
  }
}

const done = () => Promise.resolve();

/** What the run's own record says; a launcher writes it before it closes its line, so a live status means a crash. */
async function endFromFolder(runDir: string): Promise<FollowedEnd> {
  for (let attempt = 0; ; attempt++) {
    const record = readRunFile(runDir);
    if (record !== undefined && !LIVE_STATUSES.includes(record.status))
      return { status: record.status, error: record.error };
    if (attempt === 3) break;
    await sleep(50);
  }
  return { status: 'lost', error: 'The launcher of this run is gone without having said why.' };
}

/** Reads what was added to the logs since the last time. */
class LogTail {
  readonly #runDir: string;
  readonly #follower: RunFollower;
  readonly #positions: Map<string, number>;

  constructor(runDir: string, follower: RunFollower, from: Readonly<Record<string, number>>) {
    this.#runDir = runDir;
    this.#follower = follower;
    this.#positions = new Map(Object.entries(from));
  }

  readAll(): void {
    for (const { file } of listLogFiles(this.#runDir)) this.read(file);
  }

  read(file: string): void {
    const onLog = this.#follower.onLog?.bind(this.#follower);
    if (onLog === undefined) return;
    for (;;) {
      const chunk = readLogChunk(this.#runDir, file, this.#positions.get(file) ?? 0, chunkBytes);
      const text = chunk.text.slice(0, chunk.text.lastIndexOf('\n') + 1);
      if (text === '') return;
      this.#positions.set(file, chunk.start + Buffer.byteLength(text));
      onLog(file, text);
    }
  }
}
