import { create } from 'zustand';
import type { ProjectInfo, RecentProject } from '../../engine/api/projectModel.ts';
import { api, connection } from '../client/engine.ts';
import { failed, idle, type Load, loaded, loading } from '../lib/load.ts';

interface ProjectState {
  readonly project: Load<ProjectInfo>;
  readonly recent: Load<readonly RecentProject[]>;
  load(): Promise<void>;
  loadRecent(): Promise<void>;
  open(root: string): Promise<void>;
  create(root: string, template: string): Promise<void>;
  trust(trusted: boolean): Promise<void>;
}

export const useProject = create<ProjectState>()((set, get) => {
  const change = async (work: () => Promise<ProjectInfo>) => {
    set({ project: loading(get().project) });
    try {
      set({ project: loaded(await work()) });
    } catch (error) {
      set({ project: failed(get().project, error) });
    }
  };
  return {
    project: idle,
    recent: idle,
    load: () => change(() => api['project.current']({})),
    loadRecent: async () => {
      set({ recent: loading(get().recent) });
      try {
        set({ recent: loaded(await api['project.recent']({})) });
      } catch (error) {
        set({ recent: failed(get().recent, error) });
      }
    },
    open: (root) => change(() => api['project.open']({ root })),
    create: (root, template) => change(() => api['project.create']({ root, template })),
    trust: (trusted) => change(() => api['project.trust']({ trusted })),
  };
});

connection.onEvent((event) => {
  if (event.type === 'project.changed') void useProject.getState().load();
});
