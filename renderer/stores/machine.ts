import { create } from 'zustand';
import type { DoctorReport } from '../../engine/api/machine.ts';
import { api } from '../client/engine.ts';
import { failed, idle, type Load, loaded, loading } from '../lib/load.ts';

interface MachineState {
  readonly doctor: Load<DoctorReport>;
  load(): Promise<void>;
}

export const useMachine = create<MachineState>()((set, get) => ({
  doctor: idle,
  load: async () => {
    set({ doctor: loading(get().doctor) });
    try {
      set({ doctor: loaded(await api['machine.doctor']({})) });
    } catch (error) {
      set({ doctor: failed(get().doctor, error) });
    }
  },
}));
