import type { EngineHandlers } from '../../api/contract.ts';
import type { EngineState } from '../engineState.ts';

type Names = 'machine.devices' | 'machine.doctor' | 'settings.get' | 'settings.update';

export function machineHandlers(state: EngineState): Pick<EngineHandlers, Names> {
  return {
    // Loaded when asked: looking for devices is slow, and most calls never do.
    'machine.devices': async () => [...(await (await import('../../backend/devices.ts')).listDevices())],
    'machine.doctor': async () => (await import('../../backend/doctor.ts')).inspectMachine(),
    'settings.get': () => state.user.settings,
    'settings.update': (patch) => {
      const settings = state.user.updateSettings(patch);
      state.fire({ type: 'settings.changed' });
      return settings;
    },
  };
}
