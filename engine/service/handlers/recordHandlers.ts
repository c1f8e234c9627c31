import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { EngineHandlers } from '../../api/contract.ts';
import { EngineError } from '../../api/errors.ts';
import { didYouMean } from '../../base/nearest.ts';
import { readMediaFile } from '../../runs/mediaFiles.ts';
import { syncCheckpoints } from '../../runs/rebuild.ts';
import type { RunStore } from '../../runs/runStore.ts';
import type { EngineState } from '../engineState.ts';
import { isLive } from '../runFollower.ts';
import { verifyCheckpoint } from '../verifyCheckpoint.ts';

type Names =
  | 'metrics.keys'
  | 'metrics.series'
  | 'media.keys'
  | 'media.steps'
  | 'media.items'
  | 'media.histograms'
  | 'media.read'
  | 'checkpoints.list'
  | 'checkpoints.verify'
  | 'checkpoints.remove';

/** What runs have recorded: metrics, media and checkpoints. */
export function recordHandlers(state: EngineState): Pick<EngineHandlers, Names> {
  return {
    'metrics.keys': ({ runId }) => {
      const { store } = state.current;
      return store.metrics.keys(store.runs.get(runId).id);
    },
    'metrics.series': (request) => {
      const { store } = state.current;
      store.runs.get(request.runId);
      return store.metrics.series(request);
    },
    'media.keys': ({ runId }) => {
      const { store } = state.current;
      return store.media.keys(store.runs.get(runId).id);
    },
    'media.steps': ({ runId, kind, key }) => {
      const { store } = state.current;
      return store.media.steps(store.runs.get(runId).id, kind, key);
    },
    'media.items': ({ runId, kind, key, step }) => {
      const { store } = state.current;
      return store.media.items(store.runs.get(runId).id, kind, key, step);
    },
    'media.histograms': ({ runId, key, maxSteps }) => {
      const { store } = state.current;
      return store.media.overSteps(store.runs.get(runId).id, 'histogram', key, maxSteps);
    },
    'media.read': ({ runId, path }) => {
      const { store } = state.current;
      const run = store.runs.get(runId);
      const notice = store.media.findByPath(runId, path);
      // Only a path the store knows: nothing outside the run's folder can be named.
      if (!notice)
        throw new EngineError('media.not-found', `The run has logged nothing as '${path}'.`, { runId, path });
      return readMediaFile(run.expDir, notice);
    },
    'checkpoints.list': ({ runId }) => {
      const { store } = state.current;
      const run = store.runs.get(runId);
      syncCheckpoints(store, runId, run.expDir);
      return store.checkpoints.list(runId, run.expDir);
    },
    'checkpoints.verify': async ({ runId, path, steps }, signal) => {
      // doing steps again runs the project's code, checking files does not
      if (steps !== 0) state.assertTrusted();
      const { store, project } = state.current;
      const target = join(store.runs.get(runId).expDir, knownPath(store, runId, path));
      return verifyCheckpoint({ target, projectRoot: project.root, steps, signal });
    },
    'checkpoints.remove': async ({ runId, path }) => {
      const { store } = state.current;
      const run = store.runs.get(runId);
      knownPath(store, runId, path);
      if (isLive(run.status)) {
        throw new EngineError('runs.live', `The run '${run.name}' is still ${run.status}. Stop it first.`, { runId });
      }
      await rm(join(run.expDir, path), { recursive: true, force: true });
      store.checkpoints.remove(runId, path);
      state.fire({ type: 'checkpoints.changed', runId });
      return {};
    },
  };
}

/** Only a path the store knows: nothing outside the run's folder can be named. */
function knownPath(store: RunStore, runId: string, path: string): string {
  const paths = store.checkpoints.list(runId, store.runs.get(runId).expDir).map((checkpoint) => checkpoint.path);
  if (paths.includes(path)) return path;
  throw new EngineError('checkpoints.not-found', `The run has no checkpoint '${path}'.${didYouMean(path, paths)}`, {
    runId,
    path,
  });
}
