import { create } from 'zustand';
import { LIVE_STATUSES, type RunList, type RunStatus, type RunSummary } from '../../engine/api/runModel.ts';
import type { Progress } from '../../engine/api/training.ts';
import { api, connection } from '../client/engine.ts';
import { Latest } from '../lib/latest.ts';
import { failed, idle, type Load, loaded, loading } from '../lib/load.ts';
import { throttle } from '../lib/throttle.ts';

export type StatusFilter = 'all' | 'live' | 'finished' | 'problem';

const STATUSES: Readonly<Record<StatusFilter, RunStatus[] | undefined>> = {
  all: undefined,
  live: [...LIVE_STATUSES],
  finished: ['completed', 'stopped'],
  problem: ['failed', 'killed', 'lost'],
};

interface RunsState {
  readonly list: Load<RunList>;
  readonly search: string;
  readonly status: StatusFilter;
  /** Newer than the rows: progress arrives by event several times a second, rows are read again less often. */
  readonly progress: Readonly<Record<string, Progress>>;
  readonly liveCount: number;
  /** Ids of the runs marked for comparison, in the order they were marked. */
  readonly selected: readonly string[];
  load(): Promise<void>;
  setFilter(change: { readonly search?: string; readonly status?: StatusFilter }): void;
  select(runId: string, isSelected: boolean): void;
  stop(runId: string, mode: 'stop' | 'kill'): Promise<void>;
  remove(runId: string, deleteFolder: boolean): Promise<void>;
}

const listing = new Latest();
const counting = new Latest();

export const useRuns = create<RunsState>()((set, get) => ({
  list: idle,
  search: '',
  status: 'all',
  progress: {},
  liveCount: 0,
  selected: [],

  load: async () => {
    const { search, status } = get();
    set({ list: loading(get().list) });
    try {
      const statuses = STATUSES[status];
      const input = { ...(statuses ? { statuses } : {}), ...(search.trim() ? { search: search.trim() } : {}) };
      const list = await listing.run((signal) => api['runs.list'](input, signal));
      if (list) set({ list: loaded(list) });
      const live = await counting.run((signal) => api['runs.list']({ statuses: [...LIVE_STATUSES], limit: 1 }, signal));
      if (live) set({ liveCount: live.total });
    } catch (error) {
      set({ list: failed(get().list, error) });
    }
  },

  setFilter: (change) => {
    set(change);
    void get().load();
  },

  select: (runId, isSelected) => {
    const others = get().selected.filter((id) => id !== runId);
    set({ selected: isSelected ? [...others, runId] : others });
  },

  stop: async (runId, mode) => {
    try {
      await api['runs.stop']({ runId, mode });
    } catch (error) {
      set({ list: failed(get().list, error) });
    }
  },

  remove: async (runId, deleteFolder) => {
    try {
      await api['runs.remove']({ runId, deleteFolder });
      get().select(runId, false);
      await get().load();
    } catch (error) {
      set({ list: failed(get().list, error) });
    }
  },
}));

/** The freshest progress known of a run. */
export function progressOf(run: RunSummary, live: Readonly<Record<string, Progress>>): Progress | undefined {
  return live[run.id] ?? run.progress;
}

export function isLive(status: RunStatus): boolean {
  return LIVE_STATUSES.includes(status);
}

const reload = throttle(() => void useRuns.getState().load(), 500);

connection.onEvent((event) => {
  switch (event.type) {
    case 'run.progress':
      useRuns.setState((state) => ({ progress: { ...state.progress, [event.runId]: event.progress } }));
      return;
    case 'run.changed':
    case 'runs.changed':
    case 'project.changed':
      reload();
      return;
    default:
      return;
  }
});
connection.onDidChangeState((state) => {
  if (state === 'connected') reload();
});
