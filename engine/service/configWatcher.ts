import { type FSWatcher, watch } from 'node:fs';
import { join, relative, sep } from 'node:path';
import type { Disposable } from '../base/disposable.ts';

/** Editors write a file in several steps; what happens within this time is one change. */
const SETTLE_MS = 80;

/**
 * Tells when files below the config dir change, with their paths relative to the project (forward slashes), each once a
 * burst. A folder that cannot be watched (too many watchers) is not: composing still reads what is on disk.
 */
export function watchConfigs(root: string, configDir: string, onChange: (files: string[]) => void): Disposable {
  const changed = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  let watcher: FSWatcher | undefined;
  const flush = () => {
    timer = undefined;
    const files = [...changed].sort();
    changed.clear();
    onChange(files);
  };
  try {
    watcher = watch(configDir, { recursive: true, persistent: false });
    watcher.on('change', (_kind, name) => {
      if (name === null || !/\.ya?ml$/.test(String(name))) return;
      changed.add(
        relative(root, join(configDir, String(name)))
          .split(sep)
          .join('/'),
      );
      timer ??= setTimeout(flush, SETTLE_MS).unref();
    });
    watcher.on('error', () => watcher?.close());
  } catch {
    watcher = undefined; // nothing to watch: see above
  }
  return {
    dispose: () => {
      clearTimeout(timer);
      watcher?.close();
    },
  };
}
