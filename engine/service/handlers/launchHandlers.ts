import type { EngineHandlers } from '../../api/contract.ts';
import { EngineError } from '../../api/errors.ts';
import type { DeviceInfo } from '../../api/machine.ts';
import { listDevices } from '../../backend/devices.ts';
import { resumeRun, startRun } from '../../launch/index.ts';
import { syncCheckpoints } from '../../runs/rebuild.ts';
import type { RunStore } from '../../runs/runStore.ts';
import type { EngineState } from '../engineState.ts';
import { findLaunchFiles } from '../launchFiles.ts';
import { prepareLaunch, previewLaunch, startRequest } from '../launching.ts';

type Names = 'launch.preview' | 'launch.start' | 'launch.files' | 'runs.resume';

/** Asking for devices starts programs; a preview is asked for at every key stroke. */
const DEVICES_LAST_MS = 10_000;

export function launchHandlers(state: EngineState): Pick<EngineHandlers, Names> {
  const devices = rememberFor(DEVICES_LAST_MS, async () => [...(await listDevices())]);
  const dependencies = (store: RunStore) => ({
    store,
    ...(state.workerModule === undefined ? {} : { workerModule: state.workerModule }),
  });
  return {
    'launch.preview': async (request) => previewLaunch(state.current.project, request, await devices()),
    'launch.start': async (request) => {
      state.assertTrusted();
      const { project, store, follower } = state.current;
      const found = await devices();
      const prepared = prepareLaunch(project, request, found);
      const { runId } = await startRun(startRequest(project, prepared, found), dependencies(store));
      state.fire({ type: 'runs.changed' });
      follower.look();
      return { runId };
    },
    'launch.files': () => findLaunchFiles(state.current.project),
    'runs.resume': async ({ runId, checkpoint }) => {
      state.assertTrusted();
      const { store, follower } = state.current;
      const run = store.runs.get(runId);
      syncCheckpoints(store, runId, run.expDir);
      const present = store.checkpoints.list(runId, run.expDir).filter((candidate) => !candidate.missing);
      const chosen = checkpoint ?? present[0]?.path;
      if (chosen === undefined) {
        throw new EngineError(
          'checkpoints.not-found',
          `The run '${run.name}' has no checkpoint to go on from. Start it anew instead: ${run.command}`,
          { runId },
        );
      }
      await resumeRun({ runId, checkpoint: chosen }, dependencies(store));
      state.fire({ type: 'run.changed', runId });
      follower.look();
      return { runId };
    },
  };
}

function rememberFor(milliseconds: number, ask: () => Promise<DeviceInfo[]>): () => Promise<DeviceInfo[]> {
  let asked: { readonly at: number; readonly answer: Promise<DeviceInfo[]> } | undefined;
  return () => {
    if (!asked || Date.now() - asked.at > milliseconds) asked = { at: Date.now(), answer: ask() };
    return asked.answer;
  };
}
