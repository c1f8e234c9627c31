import type { EngineHandlers } from '../../api/contract.ts';
import type { DeviceInfo } from '../../api/machine.ts';
import { resumeRun, startRun } from '../../launch/index.ts';
import type { EngineState } from '../engineState.ts';
import { branchRequest } from '../resuming/branching.ts';
import { chooseCheckpoint } from '../resuming/chooseCheckpoint.ts';
import { goOnRequest, planOf, requireFolder, spread } from '../resuming/goOn.ts';

type Names = 'runs.resume' | 'runs.branch';

/** Runs that go on from a checkpoint: in their own folder, or as a new run that branches off. */
export function continueHandlers(
  state: EngineState,
  devices: () => Promise<readonly DeviceInfo[]>,
): Pick<EngineHandlers, Names> {
  return {
    'runs.resume': async ({ runId, launch, ...request }) => {
      state.assertTrusted();
      const { project, store, follower } = state.current;
      const plan = launch === undefined ? undefined : spread(launch, await devices());
      await resumeRun(goOnRequest(project, store, store.runs.get(runId), { ...request, plan }), state.launching);
      state.fire({ type: 'run.changed', runId });
      follower.look();
      return { runId };
    },
    'runs.branch': async ({ runId, launch, overrides, name, ...wish }) => {
      state.assertTrusted();
      const { project, store, follower } = state.current;
      const run = store.runs.get(runId);
      requireFolder(run);
      const checkpoint = chooseCheckpoint(store, run, wish);
      const found = await devices();
      const plan = launch === undefined ? planOf(run, found) : spread(launch, found);
      const start = branchRequest(project, { run, checkpoint, overrides, name, plan, devices: found });
      const started = await startRun(start, state.launching);
      state.fire({ type: 'runs.changed' });
      follower.look();
      return { runId: started.runId };
    },
  };
}
