import { create } from 'zustand';
import type { Series } from '../../engine/api/runModel.ts';
import { api, connection } from '../client/engine.ts';
import { failed, idle, type Load, loaded, loading } from '../lib/load.ts';
import { throttle } from '../lib/throttle.ts';

export interface SeriesWish {
  readonly runId: string;
  readonly key: string;
  readonly maxPoints: number;
}

interface SeriesState {
  readonly series: Readonly<Record<string, Load<Series>>>;
}

export const useSeriesStore = create<SeriesState>()(() => ({ series: {} }));

export function seriesId(wish: { readonly runId: string; readonly key: string }): string {
  return `${wish.runId} ${wish.key}`;
}

interface Watch {
  wish: SeriesWish;
  watchers: number;
  readonly refresh: { (): void; cancel(): void };
}

// Only charts on screen are read again: a metric nobody looks at costs nothing.
const watched = new Map<string, Watch>();
const REFRESH_MS = 250;

/** Keeps a series fresh for as long as somebody looks at it; call the result when the chart goes. */
export function watchSeries(wish: SeriesWish): () => void {
  const id = seriesId(wish);
  let watch = watched.get(id);
  if (watch) {
    watch.wish = wish;
    watch.watchers++;
  } else {
    const created: Watch = { wish, watchers: 1, refresh: throttle(() => void read(created.wish), REFRESH_MS) };
    watch = created;
    watched.set(id, created);
  }
  watch.refresh();
  return () => {
    const current = watched.get(id);
    if (!current || --current.watchers > 0) return;
    current.refresh.cancel();
    watched.delete(id);
  };
}

async function read(wish: SeriesWish): Promise<void> {
  const id = seriesId(wish);
  const put = (load: Load<Series>) => useSeriesStore.setState((state) => ({ series: { ...state.series, [id]: load } }));
  const before = () => useSeriesStore.getState().series[id] ?? idle;
  put(loading(before()));
  try {
    put(loaded(await api['metrics.series'](wish)));
  } catch (error) {
    put(failed(before(), error));
  }
}

connection.onEvent((event) => {
  if (event.type !== 'metrics.appended') return;
  for (const key of event.keys) watched.get(seriesId({ runId: event.runId, key }))?.refresh();
});
connection.onDidChangeState((state) => {
  if (state === 'connected') for (const watch of watched.values()) watch.refresh();
});
