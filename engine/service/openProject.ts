import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { EngineEvent } from '../api/events.ts';
import type { Disposable } from '../base/disposable.ts';
import { writeEditorConfig } from '../instantiate/project/editorConfig.ts';
import type { Project } from '../instantiate/project/loadProject.ts';
import { loadProject } from '../instantiate/project/loadProject.ts';
import { rebuildStore } from '../runs/rebuild.ts';
import { RunStore } from '../runs/runStore.ts';
import { watchConfigs } from './configWatcher.ts';
import { RunFollower } from './runFollower.ts';

/** A project the engine works on: its store is open, its runs are followed and its configs watched until disposed. */
export interface OpenProject extends Disposable {
  readonly project: Project;
  readonly store: RunStore;
  readonly follower: RunFollower;
}

export interface OpenProjectOptions {
  /** Another place for the store; `<project>/.accelhydra/store.db` unless given. */
  readonly storeFile?: string | undefined;
  /** Whether to watch configs and follow runs; a single command needs neither. */
  readonly isWatching: boolean;
}

/** Where a project's store lies. */
export function storeFileOf(root: string): string {
  return join(root, '.accelhydra', 'store.db');
}

/**
 * Opens the project in `root`. A store that was not there is filled from the run folders of the project. Throws
 * `project.not-found`, `project.file-invalid` and the `runs.store-…` errors.
 */
export function openProject(
  root: string,
  options: OpenProjectOptions,
  fire: (event: EngineEvent) => void,
): OpenProject {
  const project = loadProject(root);
  writeEditorConfig(project.root);
  const store = openStore(project.root, options.storeFile ?? storeFileOf(project.root));
  const follower = new RunFollower(store, fire, options.isWatching);
  const watcher = options.isWatching
    ? watchConfigs(project.root, project.configDir, (files) => fire({ type: 'config.changed', files }))
    : undefined;
  return {
    project,
    store,
    follower,
    dispose: () => {
      void watcher?.dispose();
      follower.dispose();
      store.dispose();
    },
  };
}

function openStore(root: string, file: string): RunStore {
  const isNew = !existsSync(file);
  const folder = dirname(file);
  if (isNew) {
    mkdirSync(folder, { recursive: true });
    // The folder keeps itself out of Git, whatever the project's own .gitignore says.
    if (folder === join(root, '.accelhydra')) writeFileSync(join(folder, '.gitignore'), '*\n');
  }
  const store = RunStore.open(file);
  if (isNew) rebuildStore(store, root);
  return store;
}
