import { create } from 'zustand';
import { type EngineError, toEngineError } from '../../engine/api/errors.ts';
import { api, connection } from '../client/engine.ts';
import { throttle } from '../lib/throttle.ts';

const MOST_CHARACTERS = 400_000;

interface LogState {
  readonly runId: string | undefined;
  readonly file: string | undefined;
  readonly text: string;
  /** Bytes before `text` exist in the file. */
  readonly truncated: boolean;
  readonly end: number | undefined;
  readonly error: EngineError | undefined;
  open(runId: string, file: string): void;
  readMore(): Promise<void>;
}

/** The tail of one log file, growing as the run writes. */
export const useLog = create<LogState>()((set, get) => {
  let reading = false;
  return {
    runId: undefined,
    file: undefined,
    text: '',
    truncated: false,
    end: undefined,
    error: undefined,
    open: (runId, file) => {
      set({ runId, file, text: '', truncated: false, end: undefined, error: undefined });
      void get().readMore();
    },
    readMore: async () => {
      const { runId, file } = get();
      if (runId === undefined || file === undefined || reading) return;
      reading = true;
      try {
        for (;;) {
          const { end } = get();
          const chunk = await api['runs.log']({ runId, file, ...(end === undefined ? {} : { start: end }) });
          if (get().runId !== runId || get().file !== file) break;
          const text = get().text + chunk.text;
          set({
            text: text.slice(-MOST_CHARACTERS),
            truncated: get().truncated || text.length > MOST_CHARACTERS || (end === undefined && chunk.start > 0),
            end: chunk.end,
            error: undefined,
          });
          if (chunk.end >= chunk.size || chunk.end === chunk.start) break;
        }
      } catch (error) {
        if (get().file === file) set({ error: toEngineError(error) });
      } finally {
        reading = false;
        if (get().runId !== runId || get().file !== file) void get().readMore();
      }
    },
  };
});

const more = throttle(() => void useLog.getState().readMore(), 300);

connection.onEvent((event) => {
  const { runId, file } = useLog.getState();
  if (event.type === 'log.appended' && event.runId === runId && event.file === file) more();
});
