import { resolve } from 'node:path';
import { inspect } from 'node:util';
import { Worker } from 'node:worker_threads';
import { EngineError } from '../api/errors.ts';
import { LaunchJob } from '../api/launch.ts';
import type { WorkerReport } from '../api/training.ts';
import { type ConnectedCollective, connectCollective, parseAddress } from '../distributed/index.ts';
import { userFrame, userStack } from '../instantiate/userFrame.ts';
import { type ChildFailure, failureOf } from '../process/childFailure.ts';
import { sendToParent } from '../process/childLife.ts';
import { readRunJson } from '../runs/runFolder.ts';
import { BatchingReporter } from './batchingReporter.ts';
import { moduleBeside } from './childProcess.ts';
import { jobFile } from './jobFile.ts';
import {
  exitCodes,
  LauncherMessage,
  WorkerEnvironment,
  type WorkerMessage,
  type WorkerOutcome,
} from './workerProtocol.ts';

/** Longest wait until the launcher has written what a checkpoint's steps have logged. */
const keepLimitMs = 5000;

/** What a training process is given. */
export interface WorkerContext {
  readonly rank: number;
  readonly worldSize: number;
  readonly runDir: string;
  readonly job: LaunchJob;
  /** Checkpoint folder to go on from, absolute. */
  readonly resumeFrom: string | undefined;
  readonly reporter: BatchingReporter;
  /** Aborted when the training is to save and end. */
  readonly stop: AbortSignal;
  /** Resolves when every rank is there. */
  joinRanks(): Promise<ConnectedCollective>;
  /** Says that training begins now, on which backend. Until then a stop simply ends the process. */
  ready(backend: string): void;
}

/**
 * The life of a worker around its training: tells the launcher how it ends, stops politely on the first SIGINT, SIGTERM
 * or word of the launcher, at once (130) on a second signal, and when the launcher goes away (70). Never returns.
 */
export async function runWorker(train: (context: WorkerContext) => Promise<WorkerOutcome>): Promise<never> {
  const life = new WorkerLife();
  try {
    const context = life.begin();
    return await life.end(await train(context));
  } catch (error) {
    return await life.fail(error);
  }
}

class WorkerLife {
  readonly #stop = new AbortController();
  readonly #reporter = new BatchingReporter({
    send: (reports) => this.#sendReports(reports),
    keep: () => this.#keepReports(),
  });
  readonly #keeping = new Map<number, () => void>();
  #keeps = 0;
  #collective: ConnectedCollective | undefined;
  #isReady = false;
  #isEnding = false;

  begin(): WorkerContext {
    if (process.send === undefined) {
      throw new EngineError(
        'launch.worker-alone',
        'A training process is started by a launcher: use `accelhydra train`.',
      );
    }
    process.on('disconnect', () => process.exit(exitCodes.abandoned));
    process.on('message', (message) => {
      const heard = LauncherMessage.safeParse(message).data;
      if (heard?.type === 'stop') this.#onStop();
      if (heard?.type === 'kept') this.#keeping.get(heard.id)?.();
    });
    process.on('uncaughtException', (error) => void this.fail(error, 'A callback that nothing waits for failed'));
    process.on('unhandledRejection', (error) => void this.fail(error, 'A promise that nothing waits for was rejected'));
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => this.#onSignal());
    const watch = new Worker(moduleBeside(import.meta.url, './parentWatch.ts'), {
      workerData: { parent: process.ppid },
    });
    watch.unref();
    return this.#context(WorkerEnvironment.parse(process.env));
  }

  async end(outcome: WorkerOutcome): Promise<never> {
    this.#isEnding = true;
    await this.#reporter.flush();
    await this.#collective?.dispose();
    await send({ type: 'ended', outcome });
    process.exit(outcome === 'recycled' ? exitCodes.recycled : exitCodes.done);
  }

  /** `what` failed, where the error does not say so itself. */
  async fail(error: unknown, what?: string): Promise<never> {
    // one reason is enough; what fails while leaving is printed only
    const trace = traceOf(error) ?? (this.#isEnding ? failureOf(error).message : undefined);
    if (trace !== undefined) process.stderr.write(`${trace}\n`);
    if (!this.#isEnding) {
      this.#isEnding = true;
      await this.#reporter.flush();
      await send({ type: 'failed', failure: describeFailure(error, what) });
      process.exit(exitCodes.failed);
    }
    return new Promise(() => undefined);
  }

  #context(environment: WorkerEnvironment): WorkerContext {
    const { RANK: rank, WORLD_SIZE: worldSize, ACCELHYDRA_RUN_DIR: runDir } = environment;
    const resumeFrom = environment.ACCELHYDRA_RESUME_FROM;
    return {
      rank,
      worldSize,
      runDir,
      job: LaunchJob.parse(readRunJson(runDir, jobFile)),
      resumeFrom: resumeFrom === undefined ? undefined : resolve(runDir, resumeFrom),
      reporter: this.#reporter,
      stop: this.#stop.signal,
      joinRanks: async () => {
        this.#collective = await connectCollective({
          rank,
          worldSize,
          address: parseAddress(environment.ACCELHYDRA_RANKS_ADDRESS ?? (worldSize === 1 ? 'unix:none' : '')),
          token: environment.ACCELHYDRA_RANKS_TOKEN ?? '',
        });
        return this.#collective;
      },
      ready: (backend) => {
        this.#isReady = true;
        void send({ type: 'ready', backend });
      },
    };
  }

  #onSignal(): void {
    if (this.#stop.signal.aborted) process.exit(exitCodes.interrupted);
    void send({ type: 'stop-requested' });
    this.#onStop();
  }

  #onStop(): void {
    this.#stop.abort();
    // nothing has been trained: there is nothing to save
    if (!this.#isReady && !this.#isEnding) void this.end('stopped');
  }

  /** Waits for the launcher's word, but not for ever: a launcher that is stuck must not stop a training. */
  async #keepReports(): Promise<void> {
    const id = ++this.#keeps;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#keeping.set(id, resolve);
      timer = setTimeout(resolve, keepLimitMs);
      void send({ type: 'keep', id });
    });
    clearTimeout(timer);
    this.#keeping.delete(id);
  }

  #sendReports(reports: readonly WorkerReport[]): Promise<void> {
    return send({ type: 'reports', reports: [...reports] });
  }
}

function send(message: WorkerMessage): Promise<void> {
  return sendToParent(message);
}

/** The sentence for a person, with the first place in the project's own code when the error is not one of ours. */
function describeFailure(error: unknown, what?: string): ChildFailure {
  if (EngineError.is(error)) return failureOf(error);
  const frame = userFrame(error);
  const place = frame === undefined ? '' : ` (at ${frame.text})`;
  const prefix = what === undefined ? '' : `${what}: `;
  const reason = error instanceof Error ? `${error.name}: ${error.message}` : inspect(error);
  return { code: 'training.failed', message: `${prefix}${reason}${place}`, details: {} };
}

/**
 * For the log, beside the sentence: where the error that came first was thrown. Nothing where the sentence says all, the
 * project's line too: what the engine refuses, and what the system denies (a full disk) unless the project asked for it.
 */
function traceOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return String(error);
  if (error.cause instanceof Error) return traceOf(error.cause);
  if (error instanceof EngineError) return undefined;
  return 'syscall' in error && userFrame(error) === undefined ? undefined : userStack(error);
}
