import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { isProcessAlive } from '../../engine/runs/heartbeat.ts';
import { createEngine } from '../../engine/service/index.ts';
import { type Served, serveProject } from '../api/realEngine.ts';
import { transports } from '../api/transports.ts';

const workerModule = fileURLToPath(new URL('../fixtures/launch/worker.ts', import.meta.url));
const options = { workerModule, trustProject: true };

/** Overrides for a fixture training of some length. */
const training = (...more: string[]) => ['trainer.scaled=1', '+mode=steps', ...more];

async function start({ api }: Served, overrides: string[], numProcesses = 1): Promise<string> {
  const { runId } = await api['launch.start']({ configName: 'train', overrides, useCpu: true, numProcesses });
  onTestFinished(async () => {
    // Whatever a test leaves undone must not outlive it.
    await api['runs.stop']({ runId, mode: 'kill' }).catch(() => undefined);
  });
  return runId;
}

async function statusOf({ api }: Served, runId: string): Promise<string> {
  return (await api['runs.get']({ runId })).status;
}

function pidsOf(expDir: string): number[] {
  const file = join(expDir, 'pids');
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').map(Number) : [];
}

describe.each(transports)('runs started over $id', (transport) => {
  test('a run is started, followed by events and recorded', async () => {
    const served = await serveProject(transport, options);
    const { api, events } = served;
    const runId = await start(served, training('+steps=20'), 2);
    await expect.poll(() => statusOf(served, runId), { timeout: 30_000 }).toBe('completed');
    const run = await api['runs.get']({ runId });
    expect(run).toMatchObject({
      name: 'tiny',
      processes: 2,
      devices: ['cpu', 'cpu'],
      command: expect.stringMatching(/^accelhydra train --num_processes 2 --use_cpu trainer.scaled=1/),
      hyperparameters: { steps: 20 },
      monitor: { key: 'val/accuracy', mode: 'max' },
    });
    expect(run.origins?.epochs).toMatchObject({ kind: 'file', file: 'configs/train.yaml' });
    expect(run.resolvedYaml).toContain('exp_dir: experiments/tiny');
    expect((await api['metrics.series']({ runId, key: 'train/loss', maxPoints: 50 })).totalPoints).toBe(20);
    expect((await api['checkpoints.list']({ runId })).length).toBeGreaterThan(0);
    expect((await api['runs.log']({ runId, file: 'rank0.log' })).text).toContain('rank 0 begins');
    const heard = new Set(
      events.filter((event) => 'runId' in event && event.runId === runId).map((event) => event.type),
    );
    expect([...heard].sort()).toEqual([
      'checkpoints.changed',
      'log.appended',
      'metrics.appended',
      'run.changed',
      'run.progress',
    ]);
  });

  test('a metric is announced within a second of its step', async () => {
    const served = await serveProject(transport, options);
    const runId = await start(served, training('+steps=2000', '+pause=50'));
    await expect
      .poll(() => served.events.some((event) => event.type === 'metrics.appended'), { timeout: 20_000 })
      .toBe(true);
    const series = await served.api['metrics.series']({ runId, key: 'train/loss', maxPoints: 5000 });
    expect(Date.now() - (series.time.at(-1) ?? 0)).toBeLessThan(1000);
    await served.api['runs.stop']({ runId, mode: 'stop' });
    await expect.poll(() => statusOf(served, runId), { timeout: 20_000 }).toBe('stopped');
  });

  test('a run outlives its engine, and another engine follows and stops it', async () => {
    const served = await serveProject(transport, options);
    const runId = await start(served, training('+steps=100000'));
    await expect.poll(() => statusOf(served, runId), { timeout: 20_000 }).toBe('running');
    const { expDir, launcherPid } = await served.api['runs.get']({ runId });
    await served.engine.dispose();
    expect(isProcessAlive(launcherPid ?? 0)).toBe(true);
    const second = await createEngine({ projectDir: served.root, settingsDir: join(served.root, '..', 'settings') });
    onTestFinished(() => second.dispose());
    const heard: string[] = [];
    second.onEvent((event) => heard.push(event.type));
    await expect.poll(() => heard, { timeout: 10_000 }).toContain('run.progress');
    await second.api['runs.stop']({ runId, mode: 'stop' });
    await expect
      .poll(async () => (await second.api['runs.get']({ runId })).status, { timeout: 20_000 })
      .toBe('stopped');
    await expect
      .poll(() => [launcherPid ?? 0, ...pidsOf(expDir)].some((pid) => isProcessAlive(pid)), { timeout: 10_000 })
      .toBe(false);
  });

  test('a launcher that is killed leaves a lost run and no process', async () => {
    const served = await serveProject(transport, options);
    const runId = await start(served, training('+steps=100000'), 2);
    const { expDir } = await served.api['runs.get']({ runId });
    await expect.poll(() => pidsOf(expDir).length, { timeout: 20_000 }).toBe(2);
    await expect.poll(() => statusOf(served, runId), { timeout: 20_000 }).toBe('running');
    await expect
      .poll(async () => (await served.api['checkpoints.list']({ runId })).length, { timeout: 10_000 })
      .toBeGreaterThan(0);
    process.kill((await served.api['runs.get']({ runId })).launcherPid ?? 0, 'SIGKILL');
    await expect.poll(() => statusOf(served, runId), { timeout: 10_000 }).toBe('lost');
    await expect.poll(() => pidsOf(expDir).some((pid) => isProcessAlive(pid)), { timeout: 15_000 }).toBe(false);
    const { runId: resumed } = await served.api['runs.resume']({ runId });
    expect(resumed).toBe(runId);
    await expect.poll(() => statusOf(served, runId), { timeout: 20_000 }).toBe('running');
    await served.api['runs.stop']({ runId, mode: 'kill' });
    await expect.poll(() => statusOf(served, runId), { timeout: 10_000 }).toBe('killed');
  });

  test('auto-resume goes on in the config’s own folder instead of starting another run', async () => {
    const served = await serveProject(transport, options);
    const overrides = training('+steps=100000', '+auto_reusme_from_latest_ckpt=true');
    const runId = await start(served, overrides);
    await expect
      .poll(async () => (await served.api['checkpoints.list']({ runId })).length, { timeout: 20_000 })
      .toBeGreaterThan(0);
    await expect(start(served, overrides)).rejects.toMatchObject({ code: 'launch.run-live' });
    await served.api['runs.stop']({ runId, mode: 'stop' });
    await expect.poll(() => statusOf(served, runId), { timeout: 20_000 }).toBe('stopped');
    expect(await start(served, overrides)).toBe(runId);
    await expect.poll(() => statusOf(served, runId), { timeout: 20_000 }).toBe('running');
    expect((await served.api['runs.list']({})).total).toBe(1);
    await served.api['runs.stop']({ runId, mode: 'kill' });
    await expect.poll(() => statusOf(served, runId), { timeout: 10_000 }).toBe('killed');
  });

  test('a training that throws is a failed run that says which rank', async () => {
    const served = await serveProject(transport, options);
    const runId = await start(served, ['trainer.scaled=1', '+mode=throw'], 2);
    await expect.poll(() => statusOf(served, runId), { timeout: 20_000 }).toBe('failed');
    expect((await served.api['runs.get']({ runId })).error).toContain('cannot read the third batch');
  });

  test('a live run is neither removed nor resumed', async () => {
    const served = await serveProject(transport, options);
    const runId = await start(served, training('+steps=100000'));
    await expect.poll(() => statusOf(served, runId), { timeout: 20_000 }).toBe('running');
    await expect(served.api['runs.remove']({ runId, deleteFolder: true })).rejects.toMatchObject({ code: 'runs.live' });
    await expect
      .poll(async () => (await served.api['checkpoints.list']({ runId })).length, { timeout: 10_000 })
      .toBeGreaterThan(0);
    await expect(served.api['runs.resume']({ runId })).rejects.toMatchObject({ code: 'launch.run-live' });
    await served.api['runs.stop']({ runId, mode: 'kill' });
    await expect.poll(() => statusOf(served, runId), { timeout: 10_000 }).toBe('killed');
  });
});
