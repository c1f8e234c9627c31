import type { LauncherEvent } from '../api/launch.ts';
import type { MediaNotice } from '../api/media.ts';
import type { RunStatus } from '../api/runModel.ts';
import type { CheckpointNotice, MetricPoint, Progress, WorkerReport } from '../api/training.ts';
import { type Clock, systemClock } from '../base/clock.ts';
import type { Disposable } from '../base/disposable.ts';

/** Where reports end up; the run's recorder. */
export interface ReportTarget {
  appendMetrics(points: readonly MetricPoint[]): void;
  /** The run goes on from `step`: metrics and media of later steps no longer hold. */
  truncate(step: number): void;
  mediaLogged(notices: readonly MediaNotice[]): void;
  checkpointSaved(notice: CheckpointNotice): void;
  checkpointPruned(path: string): void;
  update(patch: RunChange): void;
  /** Writes what an index refused earlier; false while it still refuses. */
  flush(): boolean;
}

export interface RunChange {
  readonly status?: RunStatus;
  readonly startedAt?: number;
  readonly endedAt?: number | undefined;
  readonly launcherPid?: number;
  readonly error?: string | undefined;
  readonly progress?: Progress;
  readonly hyperparameters?: Readonly<Record<string, unknown>>;
}

export interface ReportSinkOptions {
  readonly target: ReportTarget;
  readonly onEvent: (event: LauncherEvent) => void;
  /** Told once when writing fails, and with `undefined` once when it works again. */
  readonly onTrouble: (problem: unknown) => void;
  readonly clock?: Clock;
}

/** Trouble with a disk that ends when somebody makes room or plugs it in again. */
const passingTrouble = new Set([
  'ENOSPC',
  'EDQUOT',
  'EIO',
  'EACCES',
  'EPERM',
  'EROFS',
  'EMFILE',
  'ENFILE',
  'EBUSY',
  'ENOENT',
]);

/** What cannot be written is tried again after this time. */
const retryAfterMs = 1000;

/**
 * Collects what workers report and hands it on in batches, in order, then tells listeners what changed. What cannot be
 * written now is kept and tried again: nothing is lost while the launcher lives. `flush` is called by the owner's clock.
 */
export class ReportSink implements Disposable {
  readonly #options: ReportSinkOptions;
  readonly #clock: Clock;
  readonly #works: (() => void)[] = [];
  readonly #events: LauncherEvent[] = [];
  #points: MetricPoint[] = [];
  #progress: Progress | undefined;
  #unsavedProgress: Progress | undefined;
  #isAttemptKnown = false;
  #troubled = false;
  #refused = false;
  #retryAt = 0;

  constructor(options: ReportSinkOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** The latest progress heard of. */
  get progress(): Progress | undefined {
    return this.#progress;
  }

  /** A new attempt begins: its first progress says from which step, and what came after that step no longer holds. */
  beginAttempt(): void {
    this.#isAttemptKnown = false;
  }

  /** A change of the run itself, in order with the reports. */
  change(patch: RunChange, event?: LauncherEvent): void {
    this.#later(() => this.#options.target.update(patch), event);
  }

  take(report: Exclude<WorkerReport, { readonly type: 'log' }>): void {
    const { target } = this.#options;
    switch (report.type) {
      case 'metrics':
        for (const point of report.points) this.#points.push(point);
        return;
      case 'progress':
        this.#onProgress(report.progress);
        return;
      case 'checkpoint-saved':
        this.#later(() => target.checkpointSaved(report.checkpoint), { type: 'checkpoints' });
        return;
      case 'checkpoint-pruned':
        this.#later(() => target.checkpointPruned(report.path), { type: 'checkpoints' });
        return;
      case 'media':
        this.#later(() => target.mediaLogged(report.media), {
          type: 'media',
          keys: [...new Set(report.media.map(({ key }) => key))],
        });
        return;
      case 'hyperparameters':
        this.change({ hyperparameters: report.values }, { type: 'hyperparameters' });
        return;
    }
  }

  /** Writes what waits, unless writing failed a moment ago (`force` tries anyway). True when nothing is left behind. */
  flush(force = false): boolean {
    if (!force && this.#clock.now() < this.#retryAt) return false;
    this.#closePoints();
    const progress = this.#unsavedProgress;
    this.#unsavedProgress = undefined;
    if (progress !== undefined)
      this.#later(() => this.#options.target.update({ progress }), { type: 'progress', progress });
    const isWritten = this.#writeAll();
    // a locked index is waited for inside the write: not ten times a second
    const isIndexed = isWritten && this.#options.target.flush();
    this.#retryAt = isIndexed ? 0 : this.#clock.now() + retryAfterMs;
    if (isWritten) for (const event of this.#events.splice(0)) this.#options.onEvent(event);
    return isIndexed;
  }

  dispose(): void {
    this.flush(true);
  }

  #onProgress(progress: Progress): void {
    if (!this.#isAttemptKnown) {
      this.#isAttemptKnown = true;
      const { step } = progress;
      // points of steps that are about to be done again would contradict the new ones
      if (this.#progress !== undefined || step > 0) {
        this.#later(() => this.#options.target.truncate(step), { type: 'metrics', keys: [], lastStep: step });
        this.#events.push({ type: 'media', keys: [] });
      }
    }
    this.#progress = progress;
    this.#unsavedProgress = progress;
  }

  #writeAll(): boolean {
    try {
      for (let work = this.#works[0]; work !== undefined; work = this.#works[0]) {
        this.#attempt(work);
        this.#works.shift();
      }
    } catch (error) {
      if (!this.#troubled) this.#options.onTrouble(error);
      this.#troubled = true;
      return false;
    }
    if (this.#troubled) this.#options.onTrouble(undefined);
    this.#troubled = false;
    return true;
  }

  /** Throws only what may get better by itself; a write that can never succeed must not hold up the others. */
  #attempt(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (isPassing(error)) throw error;
      if (!this.#refused) this.#options.onTrouble(error);
      this.#refused = true;
    }
  }

  #later(work: () => void, event?: LauncherEvent): void {
    this.#closePoints();
    this.#works.push(work);
    if (event !== undefined) this.#events.push(event);
  }

  /** Points so far become one write, before what is reported after them. */
  #closePoints(): void {
    const points = this.#points;
    const last = points.at(-1);
    if (last === undefined) return;
    this.#points = [];
    this.#works.push(() => this.#options.target.appendMetrics(points));
    this.#events.push({ type: 'metrics', keys: [...new Set(points.map((point) => point.key))], lastStep: last.step });
  }
}

function isPassing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && passingTrouble.has(String(error.code));
}
