import type { EngineHandlers } from '../../api/contract.ts';
import type { DeviceInfo } from '../../api/machine.ts';
import { resumeRun, startRun } from '../../launch/index.ts';
import type { EngineState } from '../engineState.ts';
import { inFreeFolder } from '../inFreeFolder.ts';
import { branchRequest } from '../resuming/branching.ts';
import { chooseCheckpoint } from '../resuming/chooseCheckpoint.ts';
import { checkFit } from '../resuming/fitCheck.ts';
import { goOnRequest, planOf, requireFolder, spread } from '../resuming/goOn.ts';
import { resumePoint } from '../resuming/resumePoint.ts';

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
      const run = store.runs.get(runId);
      const goOn = goOnRequest(project, store, run, { ...request, plan });
      const isNamed = request.checkpoint !== undefined || request.step !== undefined;
      const point = await resumePoint(run, goOn.checkpoint, { isNamed });
      const { logsFrom } = await resumeRun({ ...goOn, checkpoint: point.path }, state.launching);
      state.fire({ type: 'run.changed', runId });
      follower.look();
      return { runId, notes: [...point.notes], logsFrom: { ...logsFrom } };
    },
    'runs.branch': async ({ runId, launch, overrides, name, ...wish }) => {
      state.assertTrusted();
      const { project, store, follower } = state.current;
      const run = store.runs.get(runId);
      requireFolder(run);
      const isNamed = wish.checkpoint !== undefined || wish.step !== undefined;
      const { path, notes } = await resumePoint(run, chooseCheckpoint(store, run, wish).path, { isNamed });
      const checkpoint = chooseCheckpoint(store, run, { checkpoint: path });
      const found = await devices();
      const plan = launch === undefined ? planOf(run, found) : spread(launch, found);
      const prepare = () => branchRequest(project, { run, checkpoint, overrides, name, plan, devices: found });
      const unsure = await checkFit(prepare());
      const started = await inFreeFolder(prepare, (start) => startRun(start, state.launching));
      state.fire({ type: 'runs.changed' });
      follower.look();
      return { runId: started.runId, notes: [...notes, ...unsure], logsFrom: {} };
    },
  };
}
