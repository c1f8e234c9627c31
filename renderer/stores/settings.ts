import { create } from 'zustand';
import type { Settings } from '../../engine/api/projectModel.ts';
import { api, connection } from '../client/engine.ts';
import { failed, idle, type Load, loaded } from '../lib/load.ts';

interface SettingsState {
  readonly settings: Load<Settings>;
  load(): Promise<void>;
  update(change: Partial<Settings>): Promise<void>;
}

export const useSettings = create<SettingsState>()((set, get) => ({
  settings: idle,
  load: async () => {
    try {
      set({ settings: loaded(await api['settings.get']({})) });
    } catch (error) {
      set({ settings: failed(get().settings, error) });
    }
  },
  update: async (change) => {
    const before = get().settings;
    if (before.data) set({ settings: loaded({ ...before.data, ...change }) });
    try {
      set({ settings: loaded(await api['settings.update'](change)) });
    } catch (error) {
      set({ settings: failed(before, error) });
    }
  },
}));

connection.onEvent((event) => {
  if (event.type === 'settings.changed') void useSettings.getState().load();
});

/** Puts the chosen theme on the document and follows the system while the choice is `system`. */
export function startTheme(): void {
  const dark = window.matchMedia('(prefers-color-scheme: dark)');
  const apply = () => {
    const theme = useSettings.getState().settings.data?.theme ?? 'system';
    document.documentElement.dataset.theme = theme === 'system' ? (dark.matches ? 'dark' : 'light') : theme;
  };
  dark.addEventListener('change', apply);
  useSettings.subscribe(apply);
  apply();
}
