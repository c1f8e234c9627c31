import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { saveCheckpoint } from '../../engine/checkpoint/index.ts';
import { createRun } from '../../engine/runs/runRecorder.ts';
import { RunStore } from '../../engine/runs/runStore.ts';
import { resumePoint } from '../../engine/service/resuming/resumePoint.ts';
import { newRun } from '../unit/runs/support.ts';
import { serveProject } from './realEngine.ts';
import { transports } from './transports.ts';

/** A run that has ended, with real checkpoints after epochs 1 to 3. */
async function serveRun(transport: (typeof transports)[number]) {
  const served = await serveProject(transport);
  await served.api['project.trust']({ trusted: true });
  const store = RunStore.open(join(served.root, '.accelhydra', 'store.db'));
  onTestFinished(() => store.dispose());
  const run = newRun(join(served.root, 'experiments', 'a'));
  createRun(store, run);
  store.runs.update(run.id, { status: 'completed' });
  for (const epoch of [1, 2, 3]) {
    await saveCheckpoint({
      folder: join(run.expDir, 'checkpoints', `epoch_${epoch}`),
      kind: 'epoch',
      epoch,
      step: epoch * 10,
      metrics: {},
      time: epoch,
      model: [{ name: 'w', dtype: 'F32', shape: [2], data: Float32Array.of(epoch, 2) }],
      state: {},
    });
  }
  const damage = (epoch: number) => {
    const file = join(run.expDir, 'checkpoints', `epoch_${epoch}`, 'model.safetensors');
    const bytes = readFileSync(file);
    // the size stays: only the hash tells
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1);
    writeFileSync(file, bytes);
  };
  return { ...served, run: store.runs.get(run.id), damage };
}

describe.each(transports)('damaged checkpoints over $id', (transport) => {
  test.each(['runs.resume', 'runs.branch'] as const)(
    '%s refuses the one that was named, and offers the next best',
    async (name) => {
      const { api, run, damage } = await serveRun(transport);
      damage(3);
      for (const wish of [{ checkpoint: 'checkpoints/epoch_3' }, { step: 30 }]) {
        const asked = api[name]({ runId: run.id, ...wish, overrides: ['epochs=9'] });
        await expect(asked).rejects.toMatchObject({
          code: 'checkpoint.corrupt',
          message: expect.stringMatching(
            /epoch_3\/model\.safetensors is damaged: .* The next best is checkpoints\/epoch_2\.$/,
          ),
          details: { nextBest: 'checkpoints/epoch_2' },
        });
      }
      expect((await api['runs.get']({ runId: run.id })).status).toBe('completed');
    },
  );

  test('checkpoints.verify tells an intact one from a damaged one, and knows only those of the run', async () => {
    const { api, run, damage } = await serveRun(transport);
    await api['checkpoints.list']({ runId: run.id });
    const verify = (path: string) => api['checkpoints.verify']({ runId: run.id, path, steps: 0 });
    expect(await verify('checkpoints/epoch_3')).toMatchObject({ step: 30, epoch: 3, files: { count: 2 }, notes: [] });
    damage(3);
    damage(2);
    expect(await verify('checkpoints/epoch_3')).toMatchObject({
      damage: {
        text: expect.stringContaining('its content is not what was saved'),
        nextBest: join(run.expDir, 'checkpoints', 'epoch_1'),
      },
    });
    await expect(verify('../b')).rejects.toMatchObject({ code: 'checkpoints.not-found' });
  });
});

test('where nobody named a checkpoint, the newest intact one is taken, and what was passed over is told', async () => {
  const [transport] = transports;
  if (transport === undefined) throw new Error('there is a transport');
  const { run, damage } = await serveRun(transport);
  const chosen = 'checkpoints/epoch_3';
  expect(await resumePoint(run, chosen, { isNamed: false })).toEqual({ path: chosen, notes: [] });
  damage(3);
  damage(2);
  expect(await resumePoint(run, chosen, { isNamed: false })).toEqual({
    path: 'checkpoints/epoch_1',
    notes: [expect.stringMatching(/epoch_3\S* is damaged.*epoch_2\S* is damaged.*from checkpoints\/epoch_1 instead/)],
  });
  damage(1);
  await expect(resumePoint(run, chosen, { isNamed: false })).rejects.toMatchObject({
    code: 'checkpoint.corrupt',
    message: expect.stringMatching(/^No checkpoint of .* can be gone on from/),
  });
});
