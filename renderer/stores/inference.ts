import { create } from 'zustand';
import type { PredictInput, Prediction, SamplePage, SessionInfo } from '../../engine/api/inferenceModel.ts';
import type { CheckpointInfo } from '../../engine/api/runModel.ts';
import { api, connection } from '../client/engine.ts';
import { Latest } from '../lib/latest.ts';
import { failed, idle, type Load, loaded, loading } from '../lib/load.ts';
import { redirect } from './router.ts';

export type Arguments = Readonly<Record<string, number | boolean>>;

interface InferenceState {
  readonly runId: string | undefined;
  readonly checkpoint: string | undefined;
  readonly checkpoints: Load<readonly CheckpointInfo[]>;
  readonly session: Load<SessionInfo>;
  readonly samples: Load<SamplePage>;
  readonly prediction: Load<Prediction>;
  readonly arguments: Arguments;
  /** Whether averaged weights are asked for, where the checkpoint has them. */
  readonly useEma: boolean;
  /** What the address asks for: a run, perhaps a checkpoint of it, or nothing yet. Asking for the same again is free. */
  show(runId: string | undefined, checkpoint: string | undefined): void;
  /** Loads the checkpoint that is shown once more, after it failed. */
  retry(): void;
  /** Loads the checkpoint that is shown once more, with its averaged weights or the last step's own. */
  setUseEma(useEma: boolean): void;
  loadSamples(split: string, offset: number): Promise<void>;
  setArgument(name: string, value: number | boolean): void;
  predict(input: PredictInput): Promise<void>;
  clearPrediction(): void;
  close(): Promise<void>;
}

const predicting = new Latest();
const sampling = new Latest();
export const SAMPLES_PER_PAGE = 40;

export const useInference = create<InferenceState>()((set, get) => ({
  runId: undefined,
  checkpoint: undefined,
  checkpoints: idle,
  session: idle,
  samples: idle,
  prediction: idle,
  arguments: {},
  useEma: true,

  show: (runId, checkpoint) => {
    const before = get();
    if (runId === before.runId && checkpoint === before.checkpoint) return;
    void get().close();
    set({ runId, checkpoint, useEma: true });
    if (runId !== before.runId) {
      set({ checkpoints: idle });
      if (runId !== undefined) void loadCheckpoints(runId);
    }
    if (runId !== undefined && checkpoint !== undefined) void openSession(runId, checkpoint);
    else if (runId !== undefined) chooseFirst(runId, get().checkpoints.data ?? []);
  },

  retry: () => {
    const { runId, checkpoint } = get();
    if (runId !== undefined && checkpoint !== undefined) void openSession(runId, checkpoint);
  },

  setUseEma: (useEma) => {
    const { session } = get();
    predicting.cancel();
    sampling.cancel();
    set({ useEma, samples: idle, prediction: idle });
    if (session.data) void api['inference.close']({ sessionId: session.data.sessionId });
    get().retry();
  },

  loadSamples: async (split, offset) => {
    const sessionId = get().session.data?.sessionId;
    if (!sessionId) return;
    set({ samples: loading(get().samples) });
    try {
      const input = { sessionId, split, offset, limit: SAMPLES_PER_PAGE };
      const samples = await sampling.run((signal) => api['inference.samples'](input, signal));
      if (samples) set({ samples: loaded(samples) });
    } catch (error) {
      set({ samples: failed(get().samples, error) });
    }
  },

  setArgument: (name, value) => set({ arguments: { ...get().arguments, [name]: value } }),

  predict: async (input) => {
    const sessionId = get().session.data?.sessionId;
    if (!sessionId) return;
    set({ prediction: loading(get().prediction) });
    try {
      const request = { sessionId, input, arguments: { ...get().arguments } };
      const prediction = await predicting.run((signal) => api['inference.predict'](request, signal));
      if (prediction) set({ prediction: loaded(prediction) });
    } catch (error) {
      set({ prediction: failed(get().prediction, error) });
    }
  },

  clearPrediction: () => {
    predicting.cancel();
    set({ prediction: idle });
  },

  close: async () => {
    const session = get().session.data;
    predicting.cancel();
    sampling.cancel();
    set({ session: idle, samples: idle, prediction: idle, runId: undefined, checkpoint: undefined, arguments: {} });
    if (session) await api['inference.close']({ sessionId: session.sessionId });
  },
}));

async function loadCheckpoints(runId: string): Promise<void> {
  const isShown = () => useInference.getState().runId === runId;
  useInference.setState({ checkpoints: loading(idle) });
  try {
    const checkpoints = await api['checkpoints.list']({ runId });
    if (!isShown()) return;
    useInference.setState({ checkpoints: loaded(checkpoints) });
    if (useInference.getState().checkpoint === undefined) chooseFirst(runId, checkpoints);
  } catch (error) {
    if (isShown()) useInference.setState({ checkpoints: failed(idle, error) });
  }
}

/** What is asked when only a run was named: its best checkpoint, or else its newest. */
function chooseFirst(runId: string, checkpoints: readonly CheckpointInfo[]): void {
  const there = checkpoints.filter(({ missing }) => !missing);
  const first = there.find(({ kind }) => kind === 'best') ?? there.toSorted((a, b) => b.step - a.step)[0];
  if (first) redirect({ page: 'inference', runId, checkpoint: first.path });
}

async function openSession(runId: string, checkpoint: string): Promise<void> {
  const { useEma } = useInference.getState();
  const isShown = () => {
    const now = useInference.getState();
    return now.runId === runId && now.checkpoint === checkpoint && now.useEma === useEma;
  };
  useInference.setState({ session: loading(idle) });
  try {
    const session = await api['inference.open']({ runId, checkpoint, useEma });
    if (!isShown()) {
      await api['inference.close']({ sessionId: session.sessionId }); // another one was chosen while this one loaded
      return;
    }
    const defaults = session.signature.arguments.map((argument) => [argument.name, argument.default] as const);
    useInference.setState({ session: loaded(session), arguments: Object.fromEntries(defaults) });
    const split = session.splits.includes('test') ? 'test' : session.splits[0];
    if (split !== undefined) await useInference.getState().loadSamples(split, 0);
  } catch (error) {
    if (isShown()) useInference.setState({ session: failed(idle, error) });
  }
}

connection.onEvent((event) => {
  if (event.type !== 'inference.ended') return;
  const { session } = useInference.getState();
  if (session.data?.sessionId === event.sessionId) {
    useInference.setState({ session: failed(idle, new Error(event.reason)), samples: idle, prediction: idle });
  }
});
