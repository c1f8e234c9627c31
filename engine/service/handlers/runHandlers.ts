import { rm } from 'node:fs/promises';
import type { EngineHandlers } from '../../api/contract.ts';
import { EngineError } from '../../api/errors.ts';
import { attachRun } from '../../launch/attachRun.ts';
import { readLogChunk } from '../../runs/logFiles.ts';
import { rebuildStore } from '../../runs/rebuild.ts';
import { readRunFile, updateRunFile } from '../../runs/runFolder.ts';
import { isFolderMissing, type RunRecord } from '../../runs/runTable.ts';
import { describeRun, summarizeRun } from '../../runs/summary.ts';
import type { EngineState } from '../engineState.ts';
import { isLive } from '../runFollower.ts';

type Names = 'runs.list' | 'runs.get' | 'runs.update' | 'runs.remove' | 'runs.stop' | 'runs.log' | 'runs.scan';

export function runHandlers(state: EngineState): Pick<EngineHandlers, Names> {
  return {
    'runs.list': (query) => {
      const { store } = state.current;
      const { runs, total } = store.runs.list(query);
      return { runs: runs.map((run) => summarizeRun(store, run)), total };
    },
    'runs.get': ({ runId }) => {
      const { store } = state.current;
      return describeRun(store, store.runs.get(runId));
    },
    'runs.update': ({ runId, ...patch }) => {
      const { store } = state.current;
      const run = store.runs.get(runId);
      const changes = {
        ...(patch.name === undefined ? {} : { name: patch.name }),
        ...(patch.tags === undefined ? {} : { tags: patch.tags }),
        ...(patch.notes === undefined ? {} : { notes: patch.notes }),
      };
      store.runs.update(runId, changes);
      updateRunFile(run.expDir, changes);
      state.fire({ type: 'run.changed', runId });
      return summarizeRun(store, store.runs.get(runId));
    },
    'runs.remove': async ({ runId, deleteFolder }) => {
      const { store } = state.current;
      const run = store.runs.get(runId);
      if (isLive(run.status)) {
        throw new EngineError('runs.live', `The run '${run.name}' is still ${run.status}. Stop it first.`, { runId });
      }
      if (deleteFolder && !isFolderMissing(run)) await deleteRunFolder(run);
      store.runs.remove(runId);
      state.fire({ type: 'runs.changed' });
      return {};
    },
    'runs.stop': async ({ runId, mode }) => {
      const { store, follower } = state.current;
      const run = store.runs.get(runId);
      const followed = follower.handleOf(runId);
      const handle = followed ?? (await attachRun(run.expDir));
      try {
        await (mode === 'stop' ? handle.stop() : handle.kill());
      } finally {
        if (!followed) await handle.dispose();
      }
      return {};
    },
    'runs.log': ({ runId, file, start, maxBytes }) =>
      readLogChunk(state.current.store.runs.get(runId).expDir, file, start, maxBytes),
    'runs.scan': () => {
      const { store, project } = state.current;
      const report = rebuildStore(store, project.root);
      if (report.added.length > 0) state.fire({ type: 'runs.changed' });
      return {
        added: [...report.added],
        missing: [...report.missing],
        problems: report.problems.map((problem) => ({ ...problem })),
      };
    },
  };
}

/** Deletes only a folder that says of itself that it is this run's. */
async function deleteRunFolder(run: RunRecord): Promise<void> {
  const file = readRunFile(run.expDir);
  if (file?.id !== run.id) {
    throw new EngineError(
      'runs.folder-foreign',
      `${run.expDir} is not the folder of run ${run.id} any more, so it is left alone. Delete it by hand, or remove only the row.`,
      { runId: run.id, folder: run.expDir },
    );
  }
  await rm(run.expDir, { recursive: true, force: true });
}
