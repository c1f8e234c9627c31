import { EngineError } from '../api/errors.ts';
import type { WorkerStatus } from '../api/launch.ts';
import type { ChildFailure } from '../process/childFailure.ts';
import { type ChildProcess, forkWorker } from './childProcess.ts';
import type { OutputLog } from './outputLog.ts';
import { exitCodes, type LauncherMessage, WorkerMessage, type WorkerOutcome } from './workerProtocol.ts';

export interface WorkerStart {
  readonly rank: number;
  readonly module: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly folder: string;
  readonly log: OutputLog;
  readonly onMessage: (message: WorkerMessage) => void;
}

/** How one worker ended. `failure` is absent when it did what it was asked to. */
export interface WorkerEnd {
  readonly rank: number;
  readonly outcome?: WorkerOutcome;
  readonly failure?: ChildFailure;
}

/** Output that comes after the exit is waited for this long: a child of the worker may keep the pipe open. */
const drainLimitMs = 1000;
/** A process whose training is over has this long to leave: libraries may hold on to it. */
const leaveLimitMs = 10_000;

/** One training process: starting → running → ended. */
export class WorkerProcess {
  readonly rank: number;
  /** Resolves once the process is gone and its output is in the log. Never rejects. */
  readonly ended: Promise<WorkerEnd>;
  readonly #child: ChildProcess;
  readonly #log: OutputLog;
  #state: WorkerStatus['state'] = 'starting';
  #outcome: WorkerOutcome | undefined;
  #failure: ChildFailure | undefined;
  #leaving: NodeJS.Timeout | undefined;

  constructor(start: WorkerStart) {
    this.rank = start.rank;
    this.#log = start.log;
    this.#child = forkWorker(start);
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      const lines = start.log.stream();
      stream?.on('data', lines.write);
      stream?.on('end', lines.end);
    }
    this.#child.on('message', (message) => this.#onMessage(message, start.onMessage));
    this.ended = this.#watch();
  }

  get status(): WorkerStatus {
    const pid = this.#child.pid;
    return { rank: this.rank, state: this.#state, ...(pid === undefined ? {} : { pid }) };
  }

  /** Asks the training to save and end. */
  stop(): void {
    this.send({ type: 'stop' });
  }

  send(message: LauncherMessage): void {
    if (this.#child.connected) this.#child.send(message, () => undefined);
  }

  /** Ends the process at once. */
  kill(): void {
    if (this.#state !== 'ended') this.#child.kill('SIGKILL');
  }

  #onMessage(raw: unknown, onMessage: (message: WorkerMessage) => void): void {
    const parsed = WorkerMessage.safeParse(raw);
    if (!parsed.success) {
      this.#log.write(
        `[launcher] A message of this worker was not understood: ${parsed.error.issues[0]?.message ?? ''}`,
      );
      return;
    }
    const message = parsed.data;
    if (message.type === 'ready') this.#state = 'running';
    if (message.type === 'ended') {
      this.#outcome = message.outcome;
      this.#leaving = setTimeout(() => this.kill(), leaveLimitMs);
    }
    if (message.type === 'failed') this.#failure ??= message.failure;
    onMessage(message);
  }

  async #watch(): Promise<WorkerEnd> {
    const child = this.#child;
    const end = await new Promise<{ code: number | null; signal: string | null; error?: Error }>((resolve) => {
      // also later, when a signal or a message cannot be delivered: without a listener that would end the launcher
      child.on('error', (error) => {
        if (child.pid === undefined) resolve({ code: null, signal: null, error });
      });
      child.once('exit', (code, signal) => resolve({ code, signal }));
    });
    await this.#drained();
    clearTimeout(this.#leaving);
    this.#state = 'ended';
    if (end.error !== undefined && child.pid === undefined) return this.#failed(startFailure(end.error));
    if (this.#outcome !== undefined) {
      // its training is over and told: what native libraries do while unloading does not undo that
      const expected = this.#outcome === 'recycled' ? exitCodes.recycled : exitCodes.done;
      if (end.code !== expected) this.#log.write(`[launcher] The process left with ${end.signal ?? end.code}.`);
      return { rank: this.rank, outcome: this.#outcome };
    }
    return this.#failed(this.#failure ?? exitFailure(this.rank, end.code, end.signal));
  }

  #failed(failure: ChildFailure): WorkerEnd {
    return { rank: this.rank, failure };
  }

  /** The last messages and lines may come after the exit. */
  #drained(): Promise<void> {
    const child = this.#child;
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, drainLimitMs);
      let open = 2;
      const closed = () => {
        open -= 1;
        if (open > 0) return;
        clearTimeout(timer);
        resolve();
      };
      if (child.connected) child.once('disconnect', closed);
      else closed();
      if (child.stdout?.closed !== false && child.stderr?.closed !== false) closed();
      else child.once('close', closed);
    });
  }
}

function startFailure(error: Error): ChildFailure {
  const wrapped = new EngineError(
    'launch.worker-not-started',
    `A training process could not be started: ${error.message}.`,
  );
  return { code: wrapped.code, message: wrapped.message, details: {} };
}

function exitFailure(rank: number, code: number | null, signal: string | null): ChildFailure {
  const how =
    signal === 'SIGKILL'
      ? 'was ended by SIGKILL, which is what the system does when memory runs out'
      : signal !== null
        ? `was ended by ${signal}, usually a crash in a native library`
        : `ended with exit code ${code} before its training was over`;
  return {
    code: 'launch.worker-died',
    message: `The training process ${how}. Its last lines are in logs/rank${rank}.log.`,
    details: { code, signal },
  };
}
