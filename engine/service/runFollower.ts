import type { EngineEvent } from '../api/events.ts';
import type { LauncherEvent } from '../api/launch.ts';
import { LIVE_STATUSES } from '../api/runModel.ts';
import { assertUnreachable } from '../base/assert.ts';
import type { Disposable } from '../base/disposable.ts';
import { attachRun, type RunHandle } from '../launch/attachRun.ts';
import { markLostRuns } from '../runs/liveness.ts';
import type { RunStore } from '../runs/runStore.ts';

const LOOK_EVERY_MS = 500;
const LIVENESS_EVERY_MS = 3000;

/**
 * Keeps listeners informed about a project's runs, whoever started them: attaches to the launchers of live runs, notices
 * rows that other processes write, and marks runs whose launcher is gone. Listeners get events without values.
 */
export class RunFollower implements Disposable {
  readonly #store: RunStore;
  readonly #fire: (event: EngineEvent) => void;
  readonly #handles = new Map<string, RunHandle>();
  readonly #attaching = new Set<string>();
  readonly #timer: NodeJS.Timeout | undefined;
  #versions: ReadonlyMap<string, string>;
  #storeVersion = -1;
  #checkedLivenessAt = 0;
  #disposed = false;

  /** Where `isFollowing` is false only the liveness of the runs is checked, once. */
  constructor(store: RunStore, fire: (event: EngineEvent) => void, isFollowing: boolean) {
    this.#store = store;
    this.#fire = fire;
    this.#versions = store.runs.versions();
    if (isFollowing) {
      this.#timer = setInterval(() => this.look(), LOOK_EVERY_MS).unref();
      this.look();
    } else {
      markLostRuns(store);
    }
  }

  /** Looks now instead of at the next tick: after the engine itself changed something. */
  look(): void {
    try {
      this.#checkLiveness();
      this.#compareRows();
    } catch {
      // The store is locked for the moment; the next look finds whatever changed.
    }
    for (const run of this.#liveRuns()) {
      if (!this.#handles.has(run.id) && !this.#attaching.has(run.id)) void this.#attach(run.id, run.expDir);
    }
  }

  /** The line to the launcher of a run, when there is one now. */
  handleOf(runId: string): RunHandle | undefined {
    return this.#handles.get(runId);
  }

  dispose(): void {
    this.#disposed = true;
    clearInterval(this.#timer);
    for (const handle of this.#handles.values()) void handle.dispose();
    this.#handles.clear();
  }

  #liveRuns(): readonly { readonly id: string; readonly expDir: string }[] {
    try {
      return this.#disposed ? [] : this.#store.runs.live();
    } catch {
      return []; // locked for the moment
    }
  }

  #checkLiveness(): void {
    const now = Date.now();
    if (now - this.#checkedLivenessAt < LIVENESS_EVERY_MS) return;
    this.#checkedLivenessAt = now;
    for (const runId of markLostRuns(this.#store)) this.#fire({ type: 'run.changed', runId });
  }

  #compareRows(): void {
    const version = this.#store.dataVersion();
    if (version === this.#storeVersion) return;
    this.#storeVersion = version;
    const before = this.#versions;
    const now = this.#store.runs.versions();
    this.#versions = now;
    if (before.size !== now.size || [...now.keys()].some((id) => !before.has(id))) this.#fire({ type: 'runs.changed' });
    for (const [runId, state] of now) {
      const old = before.get(runId);
      if (old !== undefined && old !== state) this.#fire({ type: 'run.changed', runId });
    }
  }

  async #attach(runId: string, expDir: string): Promise<void> {
    this.#attaching.add(runId);
    try {
      const handle = await attachRun(expDir);
      if (this.#disposed) {
        await handle.dispose();
        return;
      }
      handle.onEvent((event) => this.#onLauncherEvent(runId, event));
      handle.onDidClose(() => {
        this.#handles.delete(runId);
        void handle.dispose();
        // Without a spoken end only the liveness check can tell what became of it.
        this.#checkedLivenessAt = 0;
        this.look();
      });
      this.#handles.set(runId, handle);
      await handle.subscribe();
    } catch {
      // Not up yet, or gone: tried again at the next look, until the liveness check has marked the run.
      this.#handles.get(runId)?.dispose();
      this.#handles.delete(runId);
    } finally {
      this.#attaching.delete(runId);
    }
  }

  #onLauncherEvent(runId: string, event: LauncherEvent): void {
    switch (event.type) {
      case 'status':
      case 'hyperparameters':
        this.#fire({ type: 'run.changed', runId });
        return;
      case 'ended':
        this.look();
        this.#fire({ type: 'run.changed', runId });
        return;
      case 'progress':
        this.#fire({ type: 'run.progress', runId, progress: event.progress });
        return;
      case 'metrics':
        this.#fire({ type: 'metrics.appended', runId, keys: event.keys, lastStep: event.lastStep });
        return;
      case 'checkpoints':
        this.#fire({ type: 'checkpoints.changed', runId });
        return;
      case 'media':
        this.#fire({ type: 'media.appended', runId, keys: event.keys });
        return;
      case 'log':
        this.#fire({ type: 'log.appended', runId, file: event.file.replace(/^logs\//, '') });
        return;
      default:
        assertUnreachable(event);
    }
  }
}

/** Whether a run in this status has a launcher that can be asked to stop. */
export function isLive(status: string): boolean {
  return LIVE_STATUSES.some((live) => live === status);
}
