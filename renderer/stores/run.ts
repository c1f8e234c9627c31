import { create } from 'zustand';
import type { CheckpointInfo, MetricKey, RunDetail } from '../../engine/api/runModel.ts';
import type { VerifyReport } from '../../engine/api/verifyModel.ts';
import { api, connection } from '../client/engine.ts';
import { failed, idle, type Load, loaded, loading } from '../lib/load.ts';
import { throttle } from '../lib/throttle.ts';

interface RunState {
  readonly runId: string | undefined;
  readonly detail: Load<RunDetail>;
  readonly keys: Load<readonly MetricKey[]>;
  readonly checkpoints: Load<readonly CheckpointInfo[]>;
  /** A failed action on this run (stop, rename, remove a checkpoint). */
  readonly actionError: unknown;
  /** What to know of how a run was resumed. */
  readonly note: string | undefined;
  open(runId: string): void;
  loadDetail(): Promise<void>;
  loadKeys(): Promise<void>;
  loadCheckpoints(): Promise<void>;
  stop(mode: 'stop' | 'kill'): Promise<void>;
  resume(checkpoint?: string, overrides?: readonly string[]): Promise<void>;
  /** Begins a new run at a checkpoint; gives its id, or undefined when that failed and `actionError` says why. */
  branch(checkpoint: string, overrides: readonly string[], name?: string): Promise<string | undefined>;
  update(change: { readonly name?: string; readonly notes?: string; readonly tags?: string[] }): Promise<void>;
  removeCheckpoint(path: string): Promise<void>;
  /** Checks a checkpoint's files and does steps again: 0 none, undefined as many as there is something to compare with. */
  verify(path: string, steps: number | undefined, signal: AbortSignal): Promise<VerifyReport>;
}

/** One run, as its page shows it. */
export const useRun = create<RunState>()((set, get) => {
  /** Ignores an answer about a run that is no longer on screen. */
  const load = async <T>(
    before: () => Load<T>,
    put: (load: Load<T>) => void,
    read: (runId: string) => Promise<T>,
  ): Promise<void> => {
    const { runId } = get();
    if (runId === undefined) return;
    put(loading(before()));
    try {
      const data = await read(runId);
      if (get().runId === runId) put(loaded(data));
    } catch (error) {
      if (get().runId === runId) put(failed(before(), error));
    }
  };
  const act = async (work: (runId: string) => Promise<unknown>) => {
    const { runId } = get();
    if (runId === undefined) return;
    set({ actionError: undefined, note: undefined });
    try {
      await work(runId);
      await get().loadDetail();
    } catch (error) {
      set({ actionError: error });
    }
  };
  return {
    runId: undefined,
    detail: idle,
    keys: idle,
    checkpoints: idle,
    actionError: undefined,
    note: undefined,
    open: (runId) => {
      if (get().runId !== runId)
        set({ runId, detail: idle, keys: idle, checkpoints: idle, actionError: undefined, note: undefined });
      void get().loadDetail();
      void get().loadKeys();
      void get().loadCheckpoints();
    },
    loadDetail: () =>
      load(
        () => get().detail,
        (detail) => set({ detail }),
        (runId) => api['runs.get']({ runId }),
      ),
    loadKeys: () =>
      load(
        () => get().keys,
        (keys) => set({ keys }),
        (runId) => api['metrics.keys']({ runId }),
      ),
    loadCheckpoints: () =>
      load(
        () => get().checkpoints,
        (checkpoints) => set({ checkpoints }),
        (runId) => api['checkpoints.list']({ runId }),
      ),
    stop: (mode) => act((runId) => api['runs.stop']({ runId, mode })),
    resume: (checkpoint, overrides = []) =>
      act(async (runId) => {
        const { notes } = await api['runs.resume']({ runId, checkpoint, overrides: [...overrides] });
        set({ note: notes.length === 0 ? undefined : notes.join(' ') });
      }),
    branch: async (checkpoint, overrides, name) => {
      let branched: string | undefined;
      await act(async (runId) => {
        const request = { runId, checkpoint, overrides: [...overrides] };
        ({ runId: branched } = await api['runs.branch'](name === undefined ? request : { ...request, name }));
      });
      return branched;
    },
    update: (change) => act((runId) => api['runs.update']({ runId, ...change })),
    removeCheckpoint: async (path) => {
      await act((runId) => api['checkpoints.remove']({ runId, path }));
      await get().loadCheckpoints();
    },
    verify: async (path, steps, signal) => {
      const { runId = '' } = get();
      return api['checkpoints.verify']({ runId, path, ...(steps === undefined ? {} : { steps }) }, signal);
    },
  };
});

const reloadDetail = throttle(() => void useRun.getState().loadDetail(), 1000);
const reloadKeys = throttle(() => void useRun.getState().loadKeys(), 250);
const reloadCheckpoints = throttle(() => void useRun.getState().loadCheckpoints(), 500);

connection.onEvent((event) => {
  if (!('runId' in event) || event.runId !== useRun.getState().runId) return;
  if (event.type === 'run.changed') reloadDetail();
  if (event.type === 'metrics.appended') reloadKeys();
  if (event.type === 'checkpoints.changed') reloadCheckpoints();
});
connection.onDidChangeState((state) => {
  if (state !== 'connected') return;
  reloadDetail();
  reloadKeys();
  reloadCheckpoints();
});
// Nobody tells of a folder that was moved or deleted by hand, which people do in another window.
window.addEventListener('focus', () => {
  reloadDetail();
  reloadCheckpoints();
});
