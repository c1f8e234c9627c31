import type { EngineHandlers } from '../../api/contract.ts';
import { EngineError } from '../../api/errors.ts';
import type { DeviceInfo } from '../../api/machine.ts';
import { listDevices } from '../../backend/devices.ts';
import { planRun, resumeRun, startRun } from '../../launch/index.ts';
import type { EngineState } from '../engineState.ts';
import { inFreeFolder } from '../inFreeFolder.ts';
import { findLaunchFiles } from '../launchFiles.ts';
import { asksForProcesses, planProcesses, planRequest, prepareLaunch, startRequest } from '../launching.ts';
import { checkFit } from '../resuming/fitCheck.ts';
import { goOnRequest } from '../resuming/goOn.ts';
import { launchResume } from '../resuming/launchResume.ts';
import { prepareSaved, previewLaunch } from '../resuming/previewing.ts';
import { resumePoint } from '../resuming/resumePoint.ts';

type Names = 'launch.preview' | 'launch.plan' | 'launch.start' | 'launch.files';

const DEVICES_LAST_MS = 10_000;

export function launchHandlers(
  state: EngineState,
  devices: () => Promise<readonly DeviceInfo[]>,
): Pick<EngineHandlers, Names> {
  return {
    'launch.preview': async (request) => {
      const { project, store } = state.current;
      return previewLaunch(project, request, await devices(), store);
    },
    'launch.plan': async ({ maxPoints, ...request }, signal) => {
      state.assertTrusted();
      const { project, store } = state.current;
      const resume = launchResume(project, request, store);
      // a run that goes on keeps what it trains: the plan is the one of the config that is being looked at
      const saved = resume?.kind === 'saved' ? resume : undefined;
      const found = await devices();
      const prepared = saved ? prepareSaved(project, request, found, saved) : prepareLaunch(project, request, found);
      return planRun({ ...planRequest(project, prepared), maxPoints, resumeFrom: saved?.resumeFrom }, signal);
    },
    'launch.start': async (request) => {
      state.assertTrusted();
      const { project, store, follower } = state.current;
      const resume = launchResume(project, request, store);
      if (resume?.kind === 'run') {
        const { run, wish, ...what } = resume;
        // where nothing is said of processes, it goes on with those that it had
        const plan = asksForProcesses(request) ? planProcesses(project, request, await devices()).plan : undefined;
        const goOn = goOnRequest(project, store, run, { ...wish, ...what, plan });
        const point = await resumePoint(run, goOn.checkpoint, { isNamed: !what.isAutomatic });
        const { logsFrom } = await resumeRun({ ...goOn, checkpoint: point.path }, state.launching);
        state.fire({ type: 'run.changed', runId: run.id });
        follower.look();
        return { runId: run.id, notes: [...point.notes], logsFrom: { ...logsFrom } };
      }
      const found = await devices();
      const prepare = () => {
        const prepared =
          resume === undefined ? prepareLaunch(project, request, found) : prepareSaved(project, request, found, resume);
        const { problems } = prepared;
        if (problems.length > 0) throw new EngineError('config.arguments', problems.join('\n'), { problems });
        return { ...startRequest(project, prepared, found), resumeFrom: resume?.resumeFrom };
      };
      const notes = await checkFit(prepare());
      const { runId } = await inFreeFolder(prepare, (start) => startRun(start, state.launching));
      state.fire({ type: 'runs.changed' });
      follower.look();
      return { runId, notes: [...notes], logsFrom: {} };
    },
    'launch.files': () => findLaunchFiles(state.current.project),
  };
}

/** Asking for devices starts programs; a preview is asked for at every key stroke. */
export function rememberDevices(): () => Promise<readonly DeviceInfo[]> {
  return rememberFor(DEVICES_LAST_MS, async () => [...(await listDevices())]);
}

function rememberFor(milliseconds: number, ask: () => Promise<DeviceInfo[]>): () => Promise<DeviceInfo[]> {
  let asked: { readonly at: number; readonly answer: Promise<DeviceInfo[]> } | undefined;
  return () => {
    if (!asked || Date.now() - asked.at > milliseconds) asked = { at: Date.now(), answer: ask() };
    return asked.answer;
  };
}
