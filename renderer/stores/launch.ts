import { create } from 'zustand';
import type { LaunchPreview } from '../../engine/api/launchModel.ts';
import type { DeviceInfo } from '../../engine/api/machine.ts';
import type { FlightPlan } from '../../engine/api/planModel.ts';
import { api } from '../client/engine.ts';
import { Latest } from '../lib/latest.ts';
import { failed, idle, type Load, loaded, loading } from '../lib/load.ts';
import { useCompose } from './compose.ts';

export interface LaunchOptions {
  readonly name: string;
  readonly launchFile: string | undefined;
  readonly numProcesses: number | undefined;
  readonly useCpu: boolean;
}

interface LaunchState {
  readonly options: LaunchOptions;
  readonly files: Load<readonly string[]>;
  readonly devices: Load<readonly DeviceInfo[]>;
  readonly preview: Load<LaunchPreview>;
  /** Made by a process of its own, a moment after the preview: see `refreshPlan`. */
  readonly plan: Load<FlightPlan>;
  readonly starting: Load<string>;
  load(): Promise<void>;
  setOptions(change: Partial<LaunchOptions>): void;
  refreshPreview(): Promise<void>;
  /** Plans what the options say now; asked again while it works, only the last answer counts. */
  refreshPlan(): Promise<void>;
  /** There is nothing to plan: the launch has problems, or the project is not trusted. */
  dropPlan(): void;
  /** Starts the run and resolves to its id, or undefined when it could not start (the reason is in `starting`). */
  start(): Promise<string | undefined>;
}

const previewing = new Latest();
const planning = new Latest();
/** A process starts for each plan: not for every key stroke. */
const PLAN_AFTER_MS = 500;
/** The chart draws so many at most. */
const PLAN_POINTS = 400;

export const useLaunch = create<LaunchState>()((set, get) => ({
  options: { name: '', launchFile: undefined, numProcesses: undefined, useCpu: false },
  files: idle,
  devices: idle,
  preview: idle,
  plan: idle,
  starting: idle,

  load: async () => {
    await Promise.all([
      track(
        get().files,
        (files) => set({ files }),
        () => api['launch.files']({}),
      ),
      track(
        get().devices,
        (devices) => set({ devices }),
        () => api['machine.devices']({}),
      ),
    ]);
  },

  setOptions: (change) => {
    set({ options: { ...get().options, ...change } });
    void get().refreshPreview();
  },

  refreshPreview: async () => {
    const request = launchRequest(get().options);
    if (!request) return;
    set({ preview: loading(get().preview) });
    try {
      const preview = await previewing.run((signal) => api['launch.preview'](request, signal));
      if (preview) set({ preview: loaded(preview) });
    } catch (error) {
      set({ preview: failed(get().preview, error) });
    }
  },

  refreshPlan: async () => {
    const request = launchRequest(get().options);
    if (!request) return;
    set({ plan: { ...loading(get().plan), error: undefined } });
    try {
      const plan = await planning.run(async (signal) => {
        await pause(PLAN_AFTER_MS, signal);
        return api['launch.plan']({ ...request, maxPoints: PLAN_POINTS }, signal);
      });
      if (plan) set({ plan: loaded(plan) });
    } catch (error) {
      set({ plan: failed(idle, error) });
    }
  },

  dropPlan: () => {
    planning.cancel();
    set({ plan: idle });
  },

  start: async () => {
    const request = launchRequest(get().options);
    if (!request || get().starting.loading) return undefined;
    set({ starting: loading(idle) });
    try {
      const { runId } = await api['launch.start'](request);
      set({ starting: loaded(runId) });
      return runId;
    } catch (error) {
      set({ starting: failed(idle, error) });
      return undefined;
    }
  },
}));

function launchRequest(options: LaunchOptions) {
  const { configName, overrides } = useCompose.getState();
  if (configName === undefined) return undefined;
  return {
    configName,
    overrides: overrides.filter((text) => text.trim() !== ''),
    ...(options.launchFile ? { launchFile: options.launchFile } : {}),
    ...(options.numProcesses ? { numProcesses: options.numProcesses } : {}),
    ...(options.useCpu ? { useCpu: true } : {}),
    ...(options.name.trim() ? { name: options.name.trim() } : {}),
  };
}

async function track<T>(before: Load<T>, put: (load: Load<T>) => void, work: () => Promise<T>): Promise<void> {
  put(loading(before));
  try {
    put(loaded(await work()));
  } catch (error) {
    put(failed(before, error));
  }
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}
