import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { EngineHandlers } from '../../api/contract.ts';
import { EngineError } from '../../api/errors.ts';
import { didYouMean } from '../../base/nearest.ts';
import { syncCheckpoints } from '../../runs/rebuild.ts';
import type { EngineState } from '../engineState.ts';
import { isLive } from '../runFollower.ts';

type Names = 'metrics.keys' | 'metrics.series' | 'checkpoints.list' | 'checkpoints.remove';

/** What runs have recorded: metrics and checkpoints. */
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
    'checkpoints.list': ({ runId }) => {
      const { store } = state.current;
      const run = store.runs.get(runId);
      syncCheckpoints(store, runId, run.expDir);
      return store.checkpoints.list(runId, run.expDir);
    },
    'checkpoints.remove': async ({ runId, path }) => {
      const { store } = state.current;
      const run = store.runs.get(runId);
      const known = store.checkpoints.list(runId, run.expDir);
      // Only a path the store knows: nothing outside the run's folder can be named.
      if (!known.some((checkpoint) => checkpoint.path === path)) {
        const paths = known.map((checkpoint) => checkpoint.path);
        throw new EngineError(
          'checkpoints.not-found',
          `The run has no checkpoint '${path}'.${didYouMean(path, paths)}`,
          {
            runId,
            path,
          },
        );
      }
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
