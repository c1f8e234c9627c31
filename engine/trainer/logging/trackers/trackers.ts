import type { Reporter, WorkerReport } from '../../../api/training.ts';
import type { LoggedMedia, Tracker, TrackerStart } from './tracker.ts';

/**
 * All trackers of a training as one. A tracker that cannot write (a full disk) is told about once and left out from then
 * on: the training and the run store go on.
 */
export class Trackers {
  readonly #warn: (text: string) => void;
  #active: readonly Tracker[];

  constructor(trackers: readonly Tracker[], warn: (text: string) => void) {
    this.#active = trackers;
    this.#warn = warn;
  }

  begin(start: TrackerStart): void {
    this.#each((tracker) => tracker.begin(start));
  }

  rolledBack(step: number): void {
    this.#each((tracker) => tracker.rolledBack(step));
  }

  media(item: LoggedMedia): void {
    this.#each((tracker) => tracker.media(item));
  }

  flush(): void {
    this.#each((tracker) => tracker.flush());
  }

  end(status: 'completed' | 'failed'): void {
    this.#each((tracker) => tracker.end(status));
    this.#active = [];
  }

  /** A reporter that also gives the trackers what is theirs. */
  beside(reporter: Reporter): Reporter {
    if (this.#active.length === 0) return reporter;
    return {
      report: (report: WorkerReport) => {
        reporter.report(report);
        if (report.type === 'metrics') this.#each((tracker) => tracker.metrics(report.points));
      },
      flush: async () => {
        this.flush();
        await reporter.flush();
      },
    };
  }

  #each(work: (tracker: Tracker) => void): void {
    for (const tracker of this.#active) {
      try {
        work(tracker);
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        this.#active = this.#active.filter((other) => other !== tracker);
        this.#warn(`Nothing more is written for ${tracker.name}: ${why}. The training and its run store go on.`);
      }
    }
  }
}
