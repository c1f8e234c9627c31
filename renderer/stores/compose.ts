import { create } from 'zustand';
import type { ComposedConfig, ConfigSchema, FileEdit, GroupChoice } from '../../engine/api/configModel.ts';
import { api, connection } from '../client/engine.ts';
import { Latest } from '../lib/latest.ts';
import { failed, idle, type Load, loaded, loading } from '../lib/load.ts';
import { useProject } from './project.ts';

interface ComposeState {
  readonly configName: string | undefined;
  readonly overrides: readonly string[];
  readonly composed: Load<ComposedConfig>;
  /** What the targets of the composed config take, and what is wrong with what they get. */
  readonly schema: Load<ConfigSchema>;
  /** An edit that could not be turned into overrides. */
  readonly editError: unknown;
  /** What the last look for shorter overrides found; undefined after any change. */
  readonly shortened: { readonly before: number; readonly after: number; readonly exhaustive: boolean } | undefined;
  readonly past: readonly (readonly string[])[];
  readonly future: readonly (readonly string[])[];
  readonly selectedPath: string | undefined;
  start(configName: string, overrides: readonly string[]): void;
  setOverrides(overrides: readonly string[]): void;
  /** Sets a leaf to a value in YAML flow syntax, or deletes it. The engine decides which override says that. */
  setValue(path: string, value: string | undefined): Promise<void>;
  /** Says the same config with the shortest list of overrides. */
  shorten(): Promise<void>;
  /** What writing the value at a path into its file changes. Rejects with what keeps it from being written. */
  previewWrite(path: string): Promise<FileEdit>;
  /** Writes it; the overrides that it makes needless go. */
  write(path: string): Promise<void>;
  choose(group: GroupChoice, option: string | null): void;
  select(path: string | undefined): void;
  undo(): void;
  redo(): void;
  compose(): Promise<void>;
}

const composing = new Latest();
const describing = new Latest();
const HISTORY = 200;

export const useCompose = create<ComposeState>()((set, get) => ({
  configName: undefined,
  overrides: [],
  composed: idle,
  schema: idle,
  editError: undefined,
  shortened: undefined,
  past: [],
  future: [],
  selectedPath: undefined,

  start: (configName, overrides) => {
    set({ configName, overrides, past: [], future: [], composed: { ...get().composed, error: undefined } });
    remember();
    void get().compose();
  },

  setOverrides: (overrides) => {
    const before = get().overrides;
    if (same(before, overrides)) return;
    set({
      overrides,
      past: [...get().past, before].slice(-HISTORY),
      future: [],
      editError: undefined,
      shortened: undefined,
    });
    remember();
    void get().compose();
  },

  setValue: async (path, value) => {
    const { configName, overrides } = get();
    if (configName === undefined) return;
    try {
      const input = { configName, overrides: [...overrides], path, ...(value === undefined ? {} : { value }) };
      const result = await api['config.overrideFor'](input);
      get().setOverrides(result.overrides);
    } catch (error) {
      set({ editError: error });
    }
  },

  shorten: async () => {
    const { configName, overrides } = get();
    if (configName === undefined) return;
    try {
      const found = await api['config.shortest']({ configName, overrides: [...overrides] });
      // Somebody who typed on meanwhile wants what they typed.
      if (get().overrides !== overrides || get().configName !== configName) return;
      const isShorter = found.overrides.length < overrides.length;
      if (isShorter) get().setOverrides(found.overrides);
      const after = isShorter ? found.overrides.length : overrides.length;
      set({ shortened: { before: overrides.length, after, exhaustive: found.exhaustive }, editError: undefined });
    } catch (error) {
      set({ editError: error });
    }
  },

  previewWrite: (path) => api['config.previewWrite'](writeRequest(get(), path)),

  write: async (path) => {
    const { overrides } = await api['config.write'](writeRequest(get(), path));
    get().setOverrides(overrides);
    // The file's own change is heard of a moment later; the page need not wait for that.
    void get().compose();
  },

  choose: (group, option) => get().setOverrides(withChoice(get().overrides, group, option)),

  select: (selectedPath) => set({ selectedPath }),

  undo: () => {
    const { past, future, overrides } = get();
    const before = past.at(-1);
    if (!before) return;
    set({ overrides: before, past: past.slice(0, -1), future: [overrides, ...future] });
    remember();
    void get().compose();
  },

  redo: () => {
    const { past, future, overrides } = get();
    const after = future[0];
    if (!after) return;
    set({ overrides: after, past: [...past, overrides], future: future.slice(1) });
    remember();
    void get().compose();
  },

  compose: async () => {
    const { configName, overrides } = get();
    if (configName === undefined) return;
    set({ composed: loading(get().composed) });
    const request = { configName, overrides: overrides.filter((text) => text.trim() !== '') };
    try {
      const composed = await composing.run((signal) => api['config.compose'](request, signal));
      if (!composed) return;
      set({ composed: loaded(composed), schema: loading(get().schema) });
    } catch (error) {
      // the last good tree stays on screen beside the message
      set({ composed: failed(get().composed, error) });
      return;
    }
    try {
      // reads the sources of targets: the tree does not wait for it
      const schema = await describing.run((signal) => api['config.schema'](request, signal));
      if (schema) set({ schema: loaded(schema) });
    } catch (error) {
      set({ schema: failed(get().schema, error) });
    }
  },
}));

function writeRequest({ configName = '', overrides }: ComposeState, path: string) {
  return { configName, overrides: overrides.filter((text) => text.trim() !== ''), path };
}

/** The override list after choosing `option` for a group; choosing what holds without overrides removes the override. */
export function withChoice(overrides: readonly string[], group: GroupChoice, option: string | null): string[] {
  const isOfGroup = (text: string) => /^(\+\+?|~)?([^=]*)/.exec(text.trim())?.[2] === group.key;
  const others = overrides.filter((text) => !isOfGroup(text));
  const inDefaults = group.before !== undefined;
  if (option === null) return inDefaults && group.before !== null ? [...others, `~${group.key}`] : others;
  if (inDefaults && option === group.before) return others;
  return [...others, `${inDefaults ? '' : '+'}${group.key}=${option}`];
}

function same(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((text, index) => text === b[index]);
}

const storageKey = (root: string) => `accelhydra.compose:${root}`;

function remember(): void {
  const root = useProject.getState().project.data?.root;
  const { configName, overrides } = useCompose.getState();
  if (root && configName) localStorage.setItem(storageKey(root), JSON.stringify({ configName, overrides }));
}

/** What was being composed in this project the last time, or its default config. */
export function startComposing(): void {
  const project = useProject.getState().project.data;
  if (!project) return;
  const saved = parseSaved(localStorage.getItem(storageKey(project.root)));
  if (saved && project.configNames.includes(saved.configName)) {
    useCompose.getState().start(saved.configName, saved.overrides);
  } else {
    useCompose.getState().start(project.defaultConfig, []);
  }
}

function parseSaved(text: string | null): { configName: string; overrides: string[] } | undefined {
  if (text === null) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null) return undefined;
    const { configName, overrides } = value as { configName?: unknown; overrides?: unknown };
    if (typeof configName !== 'string' || !Array.isArray(overrides)) return undefined;
    return { configName, overrides: overrides.filter((item) => typeof item === 'string') };
  } catch (error) {
    if (error instanceof SyntaxError) return undefined; // what another version wrote is no reason to fail
    throw error;
  }
}

connection.onEvent((event) => {
  if (event.type === 'config.changed') void useCompose.getState().compose();
});
