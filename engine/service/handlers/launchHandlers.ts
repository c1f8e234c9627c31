import type { EngineHandlers } from '../../api/contract.ts';
import { EngineError } from '../../api/errors.ts';
import type { DeviceInfo } from '../../api/machine.ts';
import { listDevices } from '../../backend/devices.ts';
import { planRun, resumeRun, startRun } from '../../launch/index.ts';
import { syncCheckpoints } from '../../runs/rebuild.ts';
import type { RunStore } from '../../runs/runStore.ts';
import type { RunRecord } from '../../runs/runTable.ts';
import type { EngineState } from '../engineState.ts';
import { findLaunchFiles } from '../launchFiles.ts';
import { continuedRun, planRequest, prepareLaunch, previewLaunch, startRequest } from '../launching.ts';

type Names = 'launch.preview' | 'launch.plan' | 'launch.start' | 'launch.files' | 'runs.resume';

/** Asking for devices starts programs; a preview is asked for at every key stroke. */
const DEVICES_LAST_MS = 10_000;

export function launchHandlers(state: EngineState): Pick<EngineHandlers, Names> {
  const devices = rememberFor(DEVICES_LAST_MS, async () => [...(await listDevices())]);
  const dependencies = (store: RunStore) => ({
    store,
    ...(state.workerModule === undefined ? {} : { workerModule: state.workerModule }),
  });
  const resume = async (runId: string, checkpoint: string | undefined) => {
    const { store, follower } = state.current;
    const run = store.runs.get(runId);
    const chosen = checkpoint ?? newestCheckpoint(store, run);
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
  };
  return {
    'launch.preview': async (request) => previewLaunch(state.current.project, request, await devices()),
    'launch.plan': async ({ maxPoints, ...request }, signal) => {
      state.assertTrusted();
      const { project } = state.current;
      return planRun({ ...planRequest(project, prepareLaunch(project, request, await devices())), maxPoints }, signal);
    },
    'launch.start': async (request) => {
      state.assertTrusted();
      const { project, store, follower } = state.current;
      const earlier = continuedRun(project, request, store);
      const isResumed = earlier !== undefined && newestCheckpoint(store, earlier) !== undefined;
      if (isResumed) return resume(earlier.id, undefined);
      const found = await devices();
      const prepared = prepareLaunch(project, request, found);
      if (prepared.problems.length > 0) {
        throw new EngineError('config.arguments', prepared.problems.join('\n'), { problems: prepared.problems });
      }
      const { runId } = await startRun(startRequest(project, prepared, found), dependencies(store));
      state.fire({ type: 'runs.changed' });
      follower.look();
      return { runId };
    },
    'launch.files': () => findLaunchFiles(state.current.project),
    'runs.resume': ({ runId, checkpoint }) => {
      state.assertTrusted();
      return resume(runId, checkpoint);
    },
  };
}

/** Path of the newest checkpoint by step whose folder is there. */
function newestCheckpoint(store: RunStore, run: RunRecord): string | undefined {
  syncCheckpoints(store, run.id, run.expDir);
  return store.checkpoints.list(run.id, run.expDir).find((checkpoint) => !checkpoint.missing)?.path;
}

function rememberFor(milliseconds: number, ask: () => Promise<DeviceInfo[]>): () => Promise<DeviceInfo[]> {
  let asked: { readonly at: number; readonly answer: Promise<DeviceInfo[]> } | undefined;
  return () => {
    if (!asked || Date.now() - asked.at > milliseconds) asked = { at: Date.now(), answer: ask() };
    return asked.answer;
  };
}
