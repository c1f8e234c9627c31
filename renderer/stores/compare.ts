import { create } from 'zustand';
import { type EngineError, toEngineError } from '../../engine/api/errors.ts';
import type { MetricKey, RunDetail } from '../../engine/api/runModel.ts';
import { api, connection } from '../client/engine.ts';
import { Latest } from '../lib/latest.ts';
import { idle, type Load, loaded, loading } from '../lib/load.ts';
import { throttle } from '../lib/throttle.ts';

interface Compared {
  /** In the order asked for, without those that could not be read. */
  readonly runs: readonly { readonly run: RunDetail; readonly metrics: readonly MetricKey[] }[];
  readonly failures: readonly { readonly runId: string; readonly error: EngineError }[];
}

interface CompareState {
  readonly runIds: readonly string[];
  readonly compared: Load<Compared>;
  /** Reads these runs and keeps them fresh until the result is called. Those read before stay on the page meanwhile. */
  open(runIds: readonly string[]): () => void;
  load(): Promise<void>;
}

const reading = new Latest();

/** The runs of the page that compares them. */
export const useCompare = create<CompareState>()((set, get) => ({
  runIds: [],
  compared: idle,
  open: (runIds) => {
    const left = get().compared.data?.runs.filter(({ run }) => runIds.includes(run.id)) ?? [];
    set({ runIds, compared: left.length > 0 ? loaded({ runs: left, failures: [] }) : idle });
    void get().load();
    return () => set({ runIds: [] });
  },
  load: async () => {
    const { runIds } = get();
    set({ compared: loading(get().compared) });
    const compared = await reading.run((signal) => read(runIds, signal));
    if (compared) set({ compared: loaded(compared) });
  },
}));

/** A run that cannot be read (it was removed) does not keep the others from being compared. */
async function read(runIds: readonly string[], signal: AbortSignal): Promise<Compared> {
  const runs: Compared['runs'][number][] = [];
  const failures: Compared['failures'][number][] = [];
  const answers = await Promise.allSettled(
    runIds.map(async (runId) => {
      const [run, metrics] = await Promise.all([
        api['runs.get']({ runId }, signal),
        api['metrics.keys']({ runId }, signal),
      ]);
      return { run, metrics };
    }),
  );
  for (const [index, answer] of answers.entries()) {
    if (answer.status === 'fulfilled') runs.push(answer.value);
    else failures.push({ runId: runIds[index] ?? '', error: toEngineError(answer.reason) });
  }
  return { runs, failures };
}

const reload = throttle(() => {
  if (useCompare.getState().runIds.length > 0) void useCompare.getState().load();
}, 1000);

connection.onEvent((event) => {
  if (event.type !== 'run.changed' && event.type !== 'metrics.appended') return;
  if (useCompare.getState().runIds.includes(event.runId)) reload();
});
connection.onDidChangeState((state) => {
  if (state === 'connected') reload();
});
