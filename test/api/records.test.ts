import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { RunStatus } from '../../engine/api/runModel.ts';
import { createRun, RunRecorder } from '../../engine/runs/runRecorder.ts';
import { RunStore } from '../../engine/runs/runStore.ts';
import { newRun, points } from '../unit/runs/support.ts';
import { type Served, serveProject } from './realEngine.ts';
import { transports } from './transports.ts';

/** Writes a run as its launcher would, from another connection than the engine's. */
function record(served: Served, status: RunStatus = 'completed') {
  const store = RunStore.open(join(served.root, '.accelhydra', 'store.db'));
  onTestFinished(() => store.dispose());
  const run = newRun(join(served.root, 'experiments', 'a'), { monitor: { key: 'val/loss', mode: 'min' } });
  createRun(store, run);
  const recorder = new RunRecorder(store, run.id, run.expDir);
  recorder.appendMetrics([...points('train/loss', [3, 2, Number.NaN]), ...points('val/loss', [0.5, 0.25])]);
  recorder.update({ status, startedAt: run.createdAt, endedAt: run.createdAt + 5000 });
  mkdirSync(join(run.expDir, 'checkpoints', 'best'), { recursive: true });
  writeFileSync(
    join(run.expDir, 'checkpoints', 'best', 'manifest.json'),
    '{"step":2,"epoch":1,"metrics":{"loss":0.25}}',
  );
  mkdirSync(join(run.expDir, 'logs'));
  writeFileSync(join(run.expDir, 'logs', 'rank0.log'), 'first\nsecond\n');
  recorder.dispose();
  return run;
}

describe.each(transports)('runs over $id', (transport) => {
  test('a run that another process wrote is announced and can be read', async () => {
    const served = await serveProject(transport);
    const { api, events } = served;
    const run = record(served);
    await expect.poll(() => events, { timeout: 5000 }).toContainEqual({ type: 'runs.changed' });
    const { runs, total } = await api['runs.list']({});
    expect(total).toBe(1);
    expect(runs[0]).toMatchObject({
      id: run.id,
      status: 'completed',
      monitor: { key: 'val/loss', last: 0.25, best: 0.25 },
      lastMetrics: { 'train/loss': Number.NaN, 'val/loss': 0.25 },
      folderMissing: false,
    });
    const detail = await api['runs.get']({ runId: run.id });
    expect(detail).toMatchObject({ configYaml: 'epochs: 3\n', logFiles: [{ file: 'rank0.log', bytes: 13 }] });
    expect(await api['metrics.keys']({ runId: run.id })).toMatchObject([{ key: 'train/loss' }, { key: 'val/loss' }]);
    const series = await api['metrics.series']({ runId: run.id, key: 'train/loss', maxPoints: 100 });
    expect([...series.value]).toEqual([3, 2, Number.NaN]);
    expect(await api['runs.log']({ runId: run.id, file: 'rank0.log', start: 6 })).toMatchObject({
      text: 'second\n',
      end: 13,
    });
    expect(await api['checkpoints.list']({ runId: run.id })).toMatchObject([
      { path: 'checkpoints/best', kind: 'best', step: 2, metrics: { loss: 0.25 }, missing: false },
    ]);
  });

  test('media are listed and read, and nothing else of the disk', async () => {
    const served = await serveProject(transport);
    const { api } = served;
    const run = record(served);
    const store = RunStore.open(join(served.root, '.accelhydra', 'store.db'));
    onTestFinished(() => store.dispose());
    const detail = { kind: 'text', characters: 2 } as const;
    const notice = {
      key: 'note',
      step: 3,
      epoch: 0,
      item: 0,
      path: 'media/text/note/step_3_0.txt',
      bytes: 3,
      time: 1,
      detail,
    };
    mkdirSync(join(run.expDir, 'media', 'text', 'note'), { recursive: true });
    writeFileSync(join(run.expDir, notice.path), 'sµ');
    store.media.save(run.id, [notice, { ...notice, step: 4, path: 'media/text/note/step_4_0.txt' }]);
    const runId = run.id;
    expect(await api['media.keys']({ runId })).toMatchObject([{ kind: 'text', key: 'note', steps: 2, lastStep: 4 }]);
    expect(await api['media.steps']({ runId, kind: 'text', key: 'note' })).toEqual([3, 4]);
    expect(await api['media.items']({ runId, kind: 'text', key: 'note', step: 3 })).toEqual([notice]);
    const { contentType, bytes } = await api['media.read']({ runId, path: notice.path });
    expect([contentType, new TextDecoder().decode(bytes)]).toEqual(['text/plain', 'sµ']);
    const gone = api['media.read']({ runId, path: 'media/text/note/step_4_0.txt' });
    await expect(gone).rejects.toMatchObject({ code: 'media.missing' });
    for (const path of ['run.json', 'media/../run.json', '/etc/hostname']) {
      await expect(api['media.read']({ runId, path })).rejects.toMatchObject({ code: 'media.not-found' });
    }
  });

  test('a run is renamed, noted and found by it, in the folder too', async () => {
    const served = await serveProject(transport);
    const { api } = served;
    const run = record(served);
    await api['runs.update']({ runId: run.id, name: 'better', tags: ['x'], notes: 'the one to keep' });
    expect(await api['runs.list']({ search: 'keep better' })).toMatchObject({ total: 1, runs: [{ name: 'better' }] });
    const store = RunStore.open(join(served.root, 'other.db'));
    onTestFinished(() => store.dispose());
    const { rebuildStore } = await import('../../engine/runs/rebuild.ts');
    rebuildStore(store, served.root);
    expect(store.runs.get(run.id)).toMatchObject({ name: 'better', tags: ['x'], notes: 'the one to keep' });
  });

  test('removing keeps the folder unless asked, and finds it again', async () => {
    const served = await serveProject(transport);
    const { api } = served;
    const run = record(served);
    await api['runs.remove']({ runId: run.id, deleteFolder: false });
    expect(await api['runs.list']({})).toMatchObject({ total: 0 });
    expect(await api['runs.scan']({})).toEqual({ added: [run.id], missing: [], problems: [] });
    await api['runs.remove']({ runId: run.id, deleteFolder: true });
    expect(existsSync(run.expDir)).toBe(false);
    await expect(api['runs.get']({ runId: run.id })).rejects.toMatchObject({ code: 'runs.not-found' });
  });

  test('a folder that is another run’s by now is never deleted', async () => {
    const served = await serveProject(transport);
    const run = record(served);
    writeFileSync(join(run.expDir, 'run.json'), '{"version":1}');
    await expect(served.api['runs.remove']({ runId: run.id, deleteFolder: true })).rejects.toMatchObject({
      code: expect.stringMatching(/^runs\.folder-/),
    });
    expect(existsSync(join(run.expDir, 'logs'))).toBe(true);
  });

  test('a checkpoint is removed with its folder, and only one of the run', async () => {
    const served = await serveProject(transport);
    const { api } = served;
    const run = record(served);
    await api['checkpoints.list']({ runId: run.id });
    for (const path of ['../../configs', 'logs', 'checkpoints/bets']) {
      await expect(api['checkpoints.remove']({ runId: run.id, path })).rejects.toMatchObject({
        code: 'checkpoints.not-found',
      });
    }
    await api['checkpoints.remove']({ runId: run.id, path: 'checkpoints/best' });
    expect(await api['checkpoints.list']({ runId: run.id })).toEqual([]);
    expect(existsSync(join(run.expDir, 'checkpoints', 'best'))).toBe(false);
  });

  test('a run whose launcher is gone is lost, not running', async () => {
    const served = await serveProject(transport);
    const run = record(served, 'running');
    await expect
      .poll(async () => (await served.api['runs.get']({ runId: run.id })).status, { timeout: 8000 })
      .toBe('lost');
    expect(served.events).toContainEqual({ type: 'run.changed', runId: run.id });
  });
});
