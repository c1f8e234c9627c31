import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LaunchPlan, WorkerStatus } from '../api/launch.ts';
import { formatAddress } from '../distributed/index.ts';
import type { ChildFailure } from '../process/childFailure.ts';
import type { OutputLog } from './outputLog.ts';
import { workerEnvironment } from './workerEnvironment.ts';
import { type WorkerEnd, WorkerProcess } from './workerProcess.ts';
import type { LauncherMessage, WorkerMessage } from './workerProtocol.ts';

export interface GroupStart {
  readonly plan: LaunchPlan;
  readonly module: string;
  /** Working folder of the processes: the project's root. */
  readonly folder: string;
  readonly runDir: string;
  readonly resumeFrom?: string | undefined;
  readonly logs: readonly OutputLog[];
  readonly onMessage: (rank: number, message: WorkerMessage) => void;
  readonly limits: GroupLimits;
}

/** From a polite stop until a training is ended the hard way, in use. */
export const stopLimitMs = 180_000;

export interface GroupLimits {
  /** From a polite stop until the processes are ended the hard way. */
  readonly stopMs: number;
  /** From the first failure until the others are ended: time to say what they saw. */
  readonly failureMs: number;
}

export type GroupEnd =
  | { readonly type: 'completed' }
  | { readonly type: 'stopped' }
  /** The processes are to be replaced by new ones that go on from the newest checkpoint. */
  | { readonly type: 'recycled' }
  /** Ended by `kill`, or by the limit of a polite stop. */
  | { readonly type: 'killed'; readonly because: 'asked' | 'stop-limit' }
  | { readonly type: 'failed'; readonly rank: number; readonly failure: ChildFailure };

/** What a rank says that only saw another one end: the other's own reason is better. */
const secondHand = new Set([
  'distributed.peer-lost',
  'distributed.peer-left',
  'distributed.timeout',
  'distributed.join-timeout',
]);

/** The processes of one attempt: they start together, and the first failure ends them all. */
export class WorkerGroup {
  /** Resolves when no process of the group is left. Never rejects. */
  readonly ended: Promise<GroupEnd>;
  readonly #workers: readonly WorkerProcess[];
  readonly #limits: GroupLimits;
  readonly #failures: { readonly rank: number; readonly failure: ChildFailure }[] = [];
  readonly #timers: NodeJS.Timeout[] = [];
  #killed: 'asked' | 'stop-limit' | 'failure' | undefined;
  #stopping = false;

  constructor(start: GroupStart) {
    this.#limits = start.limits;
    const meeting = new MeetingPoint(start.plan, start.runDir);
    const { runDir, resumeFrom, plan } = start;
    this.#workers = plan.processes.map(
      (process, index) =>
        new WorkerProcess({
          rank: process.rank,
          module: start.module,
          folder: start.folder,
          log: start.logs[index] ?? missingLog(index),
          environment: { ...workerEnvironment(process, plan, runDir, resumeFrom), ...meeting.environment },
          onMessage: (message) => {
            if (message.type === 'failed') this.#onFailure(process.rank, message.failure);
            start.onMessage(process.rank, message);
          },
        }),
    );
    this.ended = this.#watch().finally(() => meeting.dispose());
  }

  get workers(): WorkerStatus[] {
    return this.#workers.map((worker) => worker.status);
  }

  /** Asks all to save and end; those still there after the limit are ended the hard way. */
  stop(): void {
    if (this.#stopping) return;
    this.#stopping = true;
    for (const worker of this.#workers) worker.stop();
    this.#timers.push(setTimeout(() => this.#killAll('stop-limit'), this.#limits.stopMs));
  }

  send(rank: number, message: LauncherMessage): void {
    this.#workers.find((worker) => worker.rank === rank)?.send(message);
  }

  kill(): void {
    this.#killAll('asked');
  }

  async #watch(): Promise<GroupEnd> {
    const ends = await Promise.all(
      this.#workers.map(async (worker) => {
        const end = await worker.ended;
        if (end.failure !== undefined && this.#killed === undefined) this.#onFailure(worker.rank, end.failure);
        return end;
      }),
    );
    for (const timer of this.#timers) clearTimeout(timer);
    return this.#summary(ends);
  }

  #summary(ends: readonly WorkerEnd[]): GroupEnd {
    if (this.#killed === 'asked' || this.#killed === 'stop-limit') return { type: 'killed', because: this.#killed };
    const isStopped = this.#stopping && ends.some((end) => end.outcome === 'stopped');
    const isSecondHand = this.#failures.every(({ failure }) => secondHand.has(failure.code));
    // one rank may leave before another heard of the stop
    if (isStopped && isSecondHand) return { type: 'stopped' };
    const first = this.#failures.find(({ failure }) => !secondHand.has(failure.code)) ?? this.#failures[0];
    if (first !== undefined) return { type: 'failed', ...first };
    if (ends.some((end) => end.outcome === 'recycled')) return { type: this.#stopping ? 'stopped' : 'recycled' };
    return { type: ends.some((end) => end.outcome === 'stopped') ? 'stopped' : 'completed' };
  }

  #onFailure(rank: number, failure: ChildFailure): void {
    if (this.#failures.some((known) => known.rank === rank)) return;
    this.#failures.push({ rank, failure });
    if (this.#failures.length === 1)
      this.#timers.push(setTimeout(() => this.#killAll('failure'), this.#limits.failureMs));
  }

  #killAll(why: 'asked' | 'stop-limit' | 'failure'): void {
    this.#killed ??= why;
    for (const worker of this.#workers) worker.kill();
  }
}

/** The kernel takes 107 bytes for a socket's path; each rank adds its number. */
const longestMeetingPath = 95;

/** Where the ranks of one attempt meet: the port asked for, or a socket in the run's folder (or a short path elsewhere). */
class MeetingPoint {
  readonly environment: Readonly<Record<string, string>>;
  readonly #folder: string | undefined;

  constructor(plan: LaunchPlan, runDir: string) {
    const token = randomBytes(16).toString('hex');
    if (plan.processes.length === 1) {
      this.environment = {};
      return;
    }
    if (plan.port !== undefined) {
      const address = formatAddress({ kind: 'tcp', host: '127.0.0.1', port: plan.port });
      this.environment = {
        ACCELHYDRA_RANKS_ADDRESS: address,
        ACCELHYDRA_RANKS_TOKEN: token,
        MASTER_ADDR: '127.0.0.1',
        MASTER_PORT: String(plan.port),
      };
      return;
    }
    const inRun = join(runDir, 'ranks.sock');
    const isShort = Buffer.byteLength(inRun) <= longestMeetingPath;
    if (!isShort && process.platform !== 'win32') this.#folder = mkdtempSync(join(tmpdir(), 'accelhydra-'));
    const path = this.#folder === undefined ? inRun : join(this.#folder, 'ranks');
    rmSync(inRun, { force: true });
    this.environment = {
      ACCELHYDRA_RANKS_ADDRESS: formatAddress({
        kind: 'path',
        path: process.platform === 'win32' ? `\\\\.\\pipe\\accelhydra-${token}` : path,
      }),
      ACCELHYDRA_RANKS_TOKEN: token,
    };
  }

  dispose(): void {
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true, force: true });
  }
}

function missingLog(index: number): never {
  throw new Error(`Internal error: no log for process ${index}`);
}
