import type { MetricPoint, Progress, Reporter, WorkerReport } from '../api/training.ts';
import type { Disposable } from '../base/disposable.ts';

export interface BatchingOptions {
  /** Hands reports to the launcher; resolves when they have left this process. */
  readonly send: (reports: readonly WorkerReport[]) => Promise<void>;
  /** Resolves when everything sent so far is in the run's folder. */
  readonly keep?: () => Promise<void>;
  readonly flushEveryMs?: number;
  readonly flushAtPoints?: number;
}

/** Collects metric points and the latest progress for a moment, and sends what is rare at once, in order. */
export class BatchingReporter implements Reporter, Disposable {
  readonly #options: BatchingOptions;
  readonly #everyMs: number;
  readonly #atPoints: number;
  #points: MetricPoint[] = [];
  #progress: Progress | undefined;
  #isFirst = true;
  #timer: NodeJS.Timeout | undefined;
  #sending: Promise<unknown> = Promise.resolve();

  constructor(options: BatchingOptions) {
    this.#options = options;
    this.#everyMs = options.flushEveryMs ?? 100;
    this.#atPoints = options.flushAtPoints ?? 512;
  }

  report(report: WorkerReport): void {
    switch (report.type) {
      case 'metrics':
        for (const point of report.points) this.#points.push(point);
        if (this.#points.length >= this.#atPoints) this.#send([]);
        else this.#soon();
        return;
      case 'progress':
        this.#progress = report.progress;
        // the first one says where training begins: it must not be replaced by a later one
        if (this.#isFirst) this.#send([]);
        else this.#soon();
        this.#isFirst = false;
        return;
      default:
        this.#send([report]);
    }
  }

  async flush(): Promise<void> {
    this.#send([]);
    await this.#sending;
  }

  async keep(): Promise<void> {
    await this.flush();
    await this.#options.keep?.();
  }

  dispose(): Promise<void> {
    return this.flush();
  }

  #soon(): void {
    this.#timer ??= setTimeout(() => this.#send([]), this.#everyMs);
  }

  #send(last: readonly WorkerReport[]): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const reports: WorkerReport[] = [];
    if (this.#points.length > 0) reports.push({ type: 'metrics', points: this.#points });
    if (this.#progress !== undefined) reports.push({ type: 'progress', progress: this.#progress });
    reports.push(...last);
    this.#points = [];
    this.#progress = undefined;
    if (reports.length > 0) this.#sending = Promise.all([this.#sending, this.#options.send(reports)]);
  }
}
