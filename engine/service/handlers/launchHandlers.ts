import type { EngineHandlers } from '../../api/contract.ts';
import { EngineError } from '../../api/errors.ts';
import type { DeviceInfo } from '../../api/machine.ts';
import { listDevices } from '../../backend/devices.ts';
import { planRun, resumeRun, startRun } from '../../launch/index.ts';
import type { EngineState } from '../engineState.ts';
import { findLaunchFiles } from '../launchFiles.ts';
import { asksForProcesses, planProcesses, planRequest, prepareLaunch, startRequest } from '../launching.ts';
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
      const { project } = state.current;
      return planRun({ ...planRequest(project, prepareLaunch(project, request, await devices())), maxPoints }, signal);
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
      const prepared =
        resume === undefined ? prepareLaunch(project, request, found) : prepareSaved(project, request, found, resume);
      if (prepared.problems.length > 0) {
        throw new EngineError('config.arguments', prepared.problems.join('\n'), { problems: prepared.problems });
      }
      const start = startRequest(project, prepared, found);
      const { runId } = await startRun({ ...start, resumeFrom: resume?.resumeFrom }, state.launching);
      state.fire({ type: 'runs.changed' });
      follower.look();
      return { runId, notes: [], logsFrom: {} };
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
