import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LauncherEvent, LauncherStatus, LaunchJob } from '../api/launch.ts';
import type { RunStatus } from '../api/runModel.ts';
import type { Disposable } from '../base/disposable.ts';
import { OutputLog } from './outputLog.ts';
import { ReportSink, type ReportTarget } from './reportSink.ts';
import { type GroupEnd, type GroupLimits, WorkerGroup } from './workerGroup.ts';
import type { WorkerMessage } from './workerProtocol.ts';

export interface RunLauncherOptions {
  readonly job: LaunchJob;
  readonly runDir: string;
  readonly workerModule: string;
  readonly limits: GroupLimits;
  readonly target: ReportTarget;
  readonly onEvent: (event: LauncherEvent) => void;
  /** The launcher's own words, for its log. */
  readonly say: (text: string) => void;
  /** What the tensors live on, once known. */
  readonly onBackend: (description: string) => void;
  /** Folder of the newest checkpoint, relative to the run's folder. */
  readonly newestCheckpoint: () => Promise<string | undefined>;
}

/** Batches are written and told this often. */
const flushEveryMs = 100;
/** How long the end waits for a store that is locked; the folder has everything by then. */
const lastFlushLimitMs = 30_000;

type FinalEnd = Exclude<GroupEnd, { readonly type: 'recycled' }>;

export interface RunEnd {
  readonly status: 'completed' | 'stopped' | 'failed' | 'killed';
  readonly error?: string;
}

/**
 * One run from its first process to its last: starting → running → stopping → completed, stopped, failed or killed.
 * Failed processes are started again from the newest checkpoint as often as the plan allows.
 */
export class RunLauncher implements Disposable {
  readonly #options: RunLauncherOptions;
  readonly #sink: ReportSink;
  readonly #logs: readonly OutputLog[];
  readonly #ready = new Set<number>();
  readonly #touchedLogs = new Set<string>();
  readonly #timer: NodeJS.Timeout;
  #group: WorkerGroup | undefined;
  #status: RunStatus = 'starting';
  #restarts = 0;
  #error: string | undefined;

  constructor(options: RunLauncherOptions) {
    this.#options = options;
    this.#sink = new ReportSink({
      target: options.target,
      onEvent: options.onEvent,
      onTrouble: (problem) => options.say(troubleText(problem)),
    });
    this.#logs = options.job.plan.processes.map(({ rank }) => {
      const file = `rank${rank}.log`;
      return new OutputLog(join(options.runDir, 'logs', file), () => this.#touchedLogs.add(file));
    });
    this.#timer = setInterval(() => {
      this.#sink.flush();
      this.#publishLogs();
    }, flushEveryMs);
  }

  get status(): LauncherStatus {
    const progress = this.#sink.progress;
    return {
      runId: this.#options.job.runId,
      status: this.#status,
      pid: process.pid,
      restarts: this.#restarts,
      workers: this.#group?.workers ?? [],
      ...(progress === undefined ? {} : { progress }),
      ...(this.#error === undefined ? {} : { error: this.#error }),
    };
  }

  /** Runs to the end. Everything reported is written, as far as the disk allows, when it resolves. Never rejects. */
  async run(): Promise<RunEnd> {
    this.#sink.change({ launcherPid: process.pid, startedAt: Date.now(), endedAt: undefined, error: undefined });
    const { plan } = this.#options.job;
    const { newestCheckpoint } = this.#options;
    const asked = this.#options.job.resumeFrom;
    // before a branch has saved anything it begins again where it branched off
    const begin = asked === 'latest' ? undefined : asked;
    const newest = async () => (await newestCheckpoint()) ?? begin;
    let resumeFrom = begin ?? (await newest());
    for (;;) {
      const end = await this.#attempt(resumeFrom);
      if (end.type === 'recycled') {
        resumeFrom = await newest();
        this.#tell(`New processes take over from ${resumeFrom ?? 'the beginning'}, to free memory that leaked.`);
        continue;
      }
      if (end.type === 'failed' && this.#mayRestart()) {
        this.#restarts += 1;
        resumeFrom = await newest();
        const from = resumeFrom ?? 'the beginning';
        this.#tell(`${this.#failureText(end)} Restart ${this.#restarts} of ${plan.maxRestarts}, from ${from}.`);
        continue;
      }
      return this.#conclude(end);
    }
  }

  stop(): void {
    if (this.#status !== 'starting' && this.#status !== 'running') return;
    this.#options.say('Asked to stop: the processes save and end.');
    this.#setStatus('stopping');
    this.#group?.stop();
  }

  kill(): void {
    this.#options.say('Asked to end at once.');
    if (this.#status === 'starting' || this.#status === 'running') this.#setStatus('stopping');
    this.#group?.kill();
  }

  dispose(): void {
    clearInterval(this.#timer);
    this.#sink.dispose();
    for (const log of this.#logs) log.dispose();
  }

  #attempt(resumeFrom: string | undefined): Promise<GroupEnd> {
    const { job, runDir, workerModule, limits } = this.#options;
    this.#ready.clear();
    this.#sink.beginAttempt();
    this.#group = new WorkerGroup({
      plan: job.plan,
      module: workerModule,
      folder: job.projectRoot,
      runDir,
      resumeFrom,
      logs: this.#logs,
      limits,
      onMessage: (rank, message) => this.#onMessage(rank, message),
    });
    return this.#group.ended;
  }

  #onMessage(rank: number, message: WorkerMessage): void {
    switch (message.type) {
      case 'ready':
        this.#ready.add(rank);
        if (rank === 0) this.#options.onBackend(message.backend);
        if (this.#ready.size === this.#options.job.plan.processes.length && this.#status === 'starting') {
          this.#setStatus('running');
        }
        return;
      case 'reports':
        for (const report of message.reports) {
          if (report.type === 'log') this.#logs[rank]?.write(`[${report.level}] ${report.text}`);
          else this.#sink.take(report);
        }
        // whoever sees a checkpoint finds the metrics that led to it
        if (message.reports.some((report) => report.type === 'checkpoint-saved')) this.#sink.flush();
        return;
      case 'keep':
        // what cannot be written now is kept and tried again: a training is not held up by that
        this.#sink.flush(true);
        this.#group?.send(rank, { type: 'kept', id: message.id });
        return;
      case 'stop-requested':
        this.stop();
        return;
      case 'failed':
        this.#logs[rank]?.write(`[error] ${message.failure.message}`);
        return;
      case 'ended':
        return;
    }
  }

  /** A failure before training began would only happen again. */
  #mayRestart(): boolean {
    return this.#status === 'running' && this.#restarts < this.#options.job.plan.maxRestarts;
  }

  async #conclude(end: FinalEnd): Promise<RunEnd> {
    const result = this.#resultOf(end);
    this.#status = result.status;
    this.#error = result.error;
    const text = result.error ?? `The training is ${result.status}.`;
    this.#options.say(text);
    // the first process's own log has its error already, as its last line
    const isLogged = end.type === 'failed' && end.rank === 0 && text === this.#failureText(end);
    this.#logs[0]?.write(`[launcher] ${isLogged ? 'The training failed.' : text}`);
    this.#sink.change({ status: result.status, endedAt: Date.now(), error: result.error });
    const until = Date.now() + lastFlushLimitMs;
    while (!this.#sink.flush(true) && Date.now() < until) await sleep(500);
    this.#publishLogs();
    this.#options.onEvent({ type: 'ended', ...result });
    return result;
  }

  #resultOf(end: FinalEnd): RunEnd {
    const gaveUp = this.#restarts > 0 ? ` Gave up after ${this.#restarts} restarts.` : '';
    if (end.type === 'failed') return { status: 'failed', error: `${this.#failureText(end)}${gaveUp}` };
    if (end.type !== 'killed' || end.because === 'asked') return { status: end.type };
    const seconds = this.#options.limits.stopMs / 1000;
    return { status: 'killed', error: `The processes did not save and end within ${seconds} s, so they were ended.` };
  }

  /** The rank goes before it where there are several and the message does not name it itself. */
  #failureText({ rank, failure: { message } }: Extract<GroupEnd, { readonly type: 'failed' }>): string {
    const isOnly = this.#options.job.plan.processes.length === 1;
    return isOnly || message.includes(`(rank ${rank},`) ? message : `Rank ${rank}: ${message}`;
  }

  #setStatus(status: 'running' | 'stopping'): void {
    this.#status = status;
    this.#sink.change({ status }, { type: 'status', status });
    this.#sink.flush();
  }

  #tell(text: string): void {
    this.#options.say(text);
    this.#logs[0]?.write(`[launcher] ${text}`);
  }

  #publishLogs(): void {
    for (const file of this.#touchedLogs) this.#options.onEvent({ type: 'log', file });
    this.#touchedLogs.clear();
  }
}

function troubleText(problem: unknown): string {
  if (problem === undefined) return 'Writing works again; nothing was lost.';
  const why = problem instanceof Error ? problem.message : String(problem);
  return `Metrics and checkpoints cannot be recorded now: ${why}. Training goes on.`;
}
