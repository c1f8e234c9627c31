import { create } from 'zustand';
import type { MediaKey, MediaKind, MediaNotice } from '../../engine/api/media.ts';
import { api, connection } from '../client/engine.ts';
import { failed, idle, type Load, loaded, loading } from '../lib/load.ts';
import { throttle } from '../lib/throttle.ts';

/** More histograms than this over one another cannot be told apart. */
const MOST_HISTOGRAMS = 40;

interface MediaState {
  readonly runId: string | undefined;
  readonly keys: Load<readonly MediaKey[]>;
  /** Steps that have items, by `mediaId`. */
  readonly steps: Readonly<Record<string, Load<readonly number[]>>>;
  /** Items by `mediaId` and step. */
  readonly items: Readonly<Record<string, Load<readonly MediaNotice[]>>>;
  /** Histograms over the steps, by name. */
  readonly histograms: Readonly<Record<string, Load<readonly MediaNotice[]>>>;
  open(runId: string): void;
  loadKeys(): Promise<void>;
  loadSteps(kind: MediaKind, key: string, version: string): Promise<void>;
  loadItems(kind: MediaKind, key: string, step: number, version: string): Promise<void>;
  loadHistograms(key: string, version: string): Promise<void>;
}

/** Differs whenever something was logged under the name: what was read for another version is read again. */
export function versionOf({ items, lastTime }: MediaKey): string {
  return `${items} ${lastTime}`;
}

export function mediaId(kind: MediaKind, key: string, step?: number): string {
  return step === undefined ? `${kind} ${key}` : `${kind} ${key} ${step}`;
}

const nothing = { keys: idle, steps: {}, items: {}, histograms: {} };

/** What one run logged besides numbers, as its page shows it. */
export const useMedia = create<MediaState>()((set, get) => {
  /** Version that a slot's entry was read for. */
  const versions = new Map<string, string>();
  /** Reads into one slot; an answer about a run that is no longer on screen is ignored. */
  const read = async <T>(
    slot: 'steps' | 'items' | 'histograms',
    id: string,
    version: string,
    ask: (runId: string) => Promise<T>,
  ): Promise<void> => {
    const { runId } = get();
    if (runId === undefined) return;
    const before = () => (get()[slot][id] ?? idle) as Load<T>;
    const place = `${runId} ${slot} ${id}`;
    if (versions.get(place) === version && before().data !== undefined) return;
    const put = (load: Load<T>) => {
      if (get().runId === runId) set((state) => ({ ...state, [slot]: { ...state[slot], [id]: load } }));
    };
    put(loading(before()));
    try {
      put(loaded(await ask(runId)));
      versions.set(place, version);
    } catch (error) {
      put(failed(before(), error));
    }
  };
  return {
    runId: undefined,
    ...nothing,
    open: (runId) => {
      if (get().runId !== runId) set({ runId, ...nothing });
      void get().loadKeys();
    },
    loadKeys: async () => {
      const { runId } = get();
      if (runId === undefined) return;
      set({ keys: loading(get().keys) });
      try {
        const keys = await api['media.keys']({ runId });
        if (get().runId === runId) set({ keys: loaded(keys) });
      } catch (error) {
        if (get().runId === runId) set({ keys: failed(get().keys, error) });
      }
    },
    loadSteps: (kind, key, version) =>
      read('steps', mediaId(kind, key), version, (runId) => api['media.steps']({ runId, kind, key })),
    loadItems: (kind, key, step, version) =>
      read('items', mediaId(kind, key, step), version, (runId) => api['media.items']({ runId, kind, key, step })),
    loadHistograms: (key, version) =>
      read('histograms', key, version, (runId) => api['media.histograms']({ runId, key, maxSteps: MOST_HISTOGRAMS })),
  };
});

const reloadKeys = throttle(() => void useMedia.getState().loadKeys(), 500);

connection.onEvent((event) => {
  if (event.type === 'media.appended' && event.runId === useMedia.getState().runId) reloadKeys();
});
connection.onDidChangeState((state) => {
  if (state === 'connected') reloadKeys();
});
