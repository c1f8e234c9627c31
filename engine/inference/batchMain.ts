import { runBatchInference } from './batchInference.ts';
import { type BatchMessage, BatchStart, BatchStop } from './batchProtocol.ts';
import { endWithParent, failureOf, openChildRuntime, sendToParent } from './childLife.ts';

/** One batch inference in a process of its own: the project's code runs here, never in the host. Started by runInference. */

const stop = new AbortController();

async function run(start: BatchStart): Promise<void> {
  const { runtime, backend } = await openChildRuntime(start.projectRoot, start.threads);
  await send({ type: 'note', text: `Backend ${backend}` });
  const result = await runBatchInference({
    runtime,
    configName: start.configName,
    overrides: start.overrides,
    searchPath: start.searchPath,
    onNote: (text) => void send({ type: 'note', text }),
    onProgress: (done, total) => void send({ type: 'progress', done, ...(total === undefined ? {} : { total }) }),
    signal: stop.signal,
  });
  await send({ type: 'done', result });
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
