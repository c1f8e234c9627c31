import { type BackendRequest, loadBackend } from '../backend/index.ts';
import { failureOf } from '../process/childFailure.ts';
import { endWithParent, sendToParent } from '../process/childLife.ts';
import { openTrainingRuntime } from '../trainer/index.ts';
import { runBatchInference } from './batchInference.ts';
import { type BatchMessage, BatchStart, BatchStop } from './batchProtocol.ts';

/** One batch inference in a process of its own: the project's code runs here, never in the host. Started by runInference. */

const stop = new AbortController();

async function run(start: BatchStart): Promise<void> {
  const result = await runBatchInference({
    runtime: await openTrainingRuntime(start.projectRoot),
    configName: start.configName,
    overrides: start.overrides,
    searchPath: start.searchPath,
    loadBackend: async () => (await loadBackend(threadsOf(start))).description,
    onNote: (text) => void send({ type: 'note', text }),
    onProgress: (done, total) => void send({ type: 'progress', done, ...(total === undefined ? {} : { total }) }),
    signal: stop.signal,
  });
  await send({ type: 'done', result });
}

function threadsOf({ threads }: BatchStart): BackendRequest {
  return threads === undefined ? {} : { threads };
}

function send(message: BatchMessage): Promise<void> {
  return sendToParent(message);
}

async function onStart(start: BatchStart): Promise<void> {
  try {
    await run(start);
    process.exit(0);
  } catch (error) {
    await send({ type: 'failed', failure: failureOf(error) });
    process.exit(1);
  }
}

endWithParent();
process.on('message', (message) => {
  if (BatchStop.safeParse(message).success) stop.abort();
  const start = BatchStart.safeParse(message);
  if (start.success) void onStart(start.data);
});
