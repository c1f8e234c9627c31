import { loadBackend } from '../../backend/index.ts';
import { failureOf } from '../../process/childFailure.ts';
import { endWithParent, sendToParent } from '../../process/childLife.ts';
import { openTrainingRuntime } from '../../trainer/index.ts';
import { exportCheckpoint } from './exportCheckpoint.ts';
import { type ExportMessage, ExportStart } from './exportProtocol.ts';

/** One export in a process of its own: the project's code runs here, never in the host. Started by runExport. */

async function onStart(start: ExportStart): Promise<void> {
  const send = (message: ExportMessage): Promise<void> => sendToParent(message);
  try {
    const result = await exportCheckpoint({
      ...start,
      runtime: await openTrainingRuntime(start.projectRoot),
      loadBackend: async () => (await loadBackend()).description,
      onNote: (text) => void send({ type: 'note', text }),
    });
    await send({ type: 'done', result });
    process.exit(0);
  } catch (error) {
    await send({ type: 'failed', failure: failureOf(error) });
    process.exit(1);
  }
}

endWithParent();
process.on('message', (message) => {
  const start = ExportStart.safeParse(message);
  if (start.success) void onStart(start.data);
});
