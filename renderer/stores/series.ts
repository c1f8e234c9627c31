import { create } from 'zustand';
import type { Series } from '../../engine/api/runModel.ts';
import { api, connection } from '../client/engine.ts';
import { failed, idle, type Load, loaded, loading } from '../lib/load.ts';
import { pace } from '../lib/pace.ts';

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
}

// Only charts of the page shown are read again: a metric nobody looks at costs nothing.
const watched = new Map<string, Watch>();
const due = new Set<string>();
const REFRESH_MS = 500;
const REST = 4;

/**
 * Keeps the series of a chart fresh for as long as somebody looks at it; call the result when the chart goes. They come
 * together: a chart of ten runs is drawn once, not ten times.
 */
export function watchSeries(wishes: readonly SeriesWish[]): () => void {
  const watches = wishes.map((wish) => {
    const id = seriesId(wish);
    const watch = watched.get(id) ?? { wish, watchers: 0 };
    watch.wish = wish;
    watch.watchers++;
    watched.set(id, watch);
    return { id, watch };
  });
  void read(watches.map(({ id }) => id));
  return () => {
    for (const { id, watch } of watches) {
      watch.watchers--;
      if (watch.watchers === 0) watched.delete(id);
    }
  };
}

/** Reads these series and puts them on the page together: one drawing of all charts instead of one for each. */
async function read(ids: readonly string[]): Promise<void> {
  put(ids, loading);
  const answers = new Map<string, (before: Load<Series>) => Load<Series>>();
  await Promise.all(
    ids.map(async (id) => {
      const wish = watched.get(id)?.wish;
      if (wish === undefined) return;
      try {
        const series = await api['metrics.series'](wish);
        answers.set(id, () => loaded(series));
      } catch (error) {
        answers.set(id, (before) => failed(before, error));
      }
    }),
  );
  put([...answers.keys()], (before, id) => answers.get(id)?.(before) ?? before);
}

function put(ids: readonly string[], change: (before: Load<Series>, id: string) => Load<Series>): void {
  useSeriesStore.setState(({ series }) => ({
    series: { ...series, ...Object.fromEntries(ids.map((id) => [id, change(series[id] ?? idle, id)])) },
  }));
}

const refresh = pace(
  async () => {
    const ids = [...due].filter((id) => watched.has(id));
    due.clear();
    await read(ids);
    // The drawing is part of the work; a page that is not shown draws nothing, and is not read for until it is shown.
    await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
  },
  REFRESH_MS,
  REST,
);

connection.onEvent((event) => {
  if (event.type !== 'metrics.appended') return;
  const ids = event.keys.map((key) => seriesId({ runId: event.runId, key })).filter((id) => watched.has(id));
  if (ids.length === 0) return;
  for (const id of ids) due.add(id);
  refresh();
});
connection.onDidChangeState((state) => {
  if (state !== 'connected') return;
  for (const id of watched.keys()) due.add(id);
  refresh();
});
