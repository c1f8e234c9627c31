import { existsSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { LauncherEvent } from '../../engine/api/launch.ts';
import {
  attachRun,
  type FollowedRun,
  followRun,
  freeRunFolder,
  resumeRun,
  type StartedRun,
  startRun,
} from '../../engine/launch/index.ts';
import { isProcessAlive } from '../../engine/runs/heartbeat.ts';
import { isRunAlive, markLostRuns } from '../../engine/runs/liveness.ts';
import { readMetricJournal } from '../../engine/runs/metricJournal.ts';
import { scanCheckpoints } from '../../engine/runs/rebuild.ts';
import { RunStore } from '../../engine/runs/runStore.ts';
import { LaunchBench, until } from '../support/launching.ts';

let bench: LaunchBench;

beforeEach(() => {
  bench = new LaunchBench();
});

afterEach(() => bench.dispose());

async function start(config: string, plan: Parameters<LaunchBench['request']>[1] = {}): Promise<StartedRun> {
  const started = await startRun(bench.request(config, plan), bench.dependencies);
  bench.track(started.launcherPid);
  return started;
}

const row = (run: StartedRun) => bench.store.runs.get(run.runId);

describe('a run', () => {
  test('trains to its end, and everything is in its folder and in the store', async () => {
    const run = await start('mode: steps\nsteps: 12\n');
    const events: LauncherEvent[] = [];
    let log = '';
    const followed = await followRun(run.runDir, {
      onEvent: (event) => events.push(event),
      onLog: (file, text) => {
        if (file === 'rank1.log') log += text;
      },
    });
    expect(await followed.ended).toMatchObject({ status: 'completed' });
    expect(row(run)).toMatchObject({
      status: 'completed',
      launcherPid: run.launcherPid,
      hyperparameters: { steps: 12 },
    });
    expect(row(run).progress).toMatchObject({ step: 12 });
    expect(row(run).endedAt).toBeGreaterThanOrEqual(row(run).startedAt ?? Number.POSITIVE_INFINITY);
    const series = bench.store.metrics.series({ runId: run.runId, key: 'train/loss', maxPoints: 100 });
    expect([...series.value]).toEqual([0.5, 1.5, Number.NaN, ...Array.from({ length: 9 }, (_, i) => i + 3.5)]);
    expect(bench.store.checkpoints.list(run.runId, run.runDir).map(({ path }) => path)).toEqual([
      'checkpoints/step_10',
      'checkpoints/step_5',
    ]);
    expect(events.map((event) => event.type)).toEqual(
      expect.arrayContaining(['progress', 'metrics', 'checkpoints', 'ended']),
    );
    expect(log).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z rank 1 begins$/m);
    expect(
      readFileSync(join(run.runDir, 'metrics', 'metrics.jsonl'), 'utf8')
        .trim()
        .split('\n'),
    ).toHaveLength(12);
    expect(readFileSync(join(run.runDir, '.hydra', 'overrides.yaml'), 'utf8')).toBe('- a=1\n');
    expect(readdirSync(run.runDir)).toEqual(
      expect.arrayContaining([
        'config.yaml',
        'environment.json',
        'origins.json',
        'run.json',
        'launch.json',
        'heartbeat',
      ]),
    );
    expect(JSON.parse(readFileSync(join(run.runDir, 'environment.json'), 'utf8'))).toMatchObject({
      command: 'accelhydra train a=1',
      backend: 'nothing at all',
    });
    expect(existsSync(join(run.runDir, 'control.sock'))).toBe(false);
  });

  test('goes on when those who started and watched it are gone, and can be attached again', async () => {
    const run = await start('mode: steps\nsteps: 400\n');
    const first = await followRun(run.runDir, {});
    await bench.workers(run.runDir, 2);
    first.dispose();
    await sleep(200);
    expect(isRunAlive(row(run))).toBe(true);
    let step = 0;
    const again = await followRun(run.runDir, { onProgress: (progress) => (step = progress.step) });
    await until(() => step > 0, 'progress after attaching again');
    const handle = await attachRun(run.runDir);
    expect(await handle.status()).toMatchObject({
      status: 'running',
      pid: run.launcherPid,
      workers: [
        { rank: 0, state: 'running' },
        { rank: 1, state: 'running' },
      ],
    });
    handle.dispose();
    await again.stop();
    expect(await again.ended).toMatchObject({ status: 'stopped' });
  });

  test('in a folder with a long path has its socket elsewhere', async () => {
    await bench.dispose();
    bench = new LaunchBench(
      join(mkdtempSync(join(tmpdir(), 'launch-')), 'a folder with a name that goes on and on '.repeat(4)),
    );
    const run = await start('mode: steps\nsteps: 400\n');
    const handle = await attachRun(run.runDir);
    expect(await handle.status()).toMatchObject({ runId: run.runId });
    await handle.kill();
    await until(() => !isProcessAlive(run.launcherPid), 'the launcher to end');
    expect(existsSync(join(run.runDir, 'control.path'))).toBe(false);
    handle.dispose();
  });

  test('never writes over another one', async () => {
    const run = await start('mode: steps\nsteps: 3\n');
    await (await followRun(run.runDir, {})).ended;
    await expect(
      startRun({ ...bench.request('mode: steps\n'), expDir: run.runDir }, bench.dependencies),
    ).rejects.toMatchObject({
      code: 'launch.folder-taken',
    });
    expect(freeRunFolder(run.runDir)).toBe(`${run.runDir}-2`);
    // nor into what is no folder
    const expDir = join(run.runDir, 'run.json', 'inside');
    expect(freeRunFolder(expDir)).toBe(expDir); // none beside it would do either
    await expect(startRun({ ...bench.request('mode: steps\n'), expDir }, bench.dependencies)).rejects.toMatchObject({
      code: 'launch.folder-unwritable',
      message: expect.stringMatching(/cannot be made: a part of that path is a file\. Choose another exp_dir/),
    });
    expect(bench.store.runs.list().total).toBe(1);
  });

  test('that cannot be launched leaves nothing', async () => {
    const request = bench.request('mode: steps\n');
    const dependencies = { ...bench.dependencies, readyTimeoutMs: 1 };
    await expect(startRun(request, dependencies)).rejects.toMatchObject({ code: 'launch.launcher-failed' });
    expect(existsSync(join(bench.root, 'experiments'))).toBe(false);
    expect(bench.store.runs.list().total).toBe(0);
  });
});

describe('stopping', () => {
  test.each([1, 2])('a polite stop of %i processes saves and ends', async (count) => {
    const run = await start('mode: steps\nsteps: 4000\n', { count });
    const followed = await followRun(run.runDir, {});
    await bench.workers(run.runDir, count);
    await until(() => (row(run).progress?.step ?? 0) > 2, 'a few steps');
    await followed.stop();
    expect(await followed.ended).toMatchObject({ status: 'stopped' });
    expect(row(run).status).toBe('stopped');
    const saved = bench.store.checkpoints.list(run.runId, run.runDir)[0];
    expect(saved?.step).toBe(row(run).progress?.step);
  });

  test('a kill ends at once, even processes that are stuck', async () => {
    const run = await start('mode: busy\n');
    const followed = await followRun(run.runDir, {});
    const workers = await bench.workers(run.runDir, 2);
    await until(() => row(run).status === 'running', 'training');
    await followed.stop();
    await sleep(300);
    expect(workers.every((pid) => isProcessAlive(pid))).toBe(true);
    await followed.kill();
    expect(await followed.ended).toMatchObject({ status: 'killed' });
    expect(workers.some((pid) => isProcessAlive(pid))).toBe(false);
  });

  test('before training began there is nothing to save', async () => {
    const run = await start('mode: late\n');
    const followed = await followRun(run.runDir, {});
    await bench.workers(run.runDir, 2);
    await followed.stop();
    expect(await followed.ended).toMatchObject({ status: 'stopped' });
  });

  test('a signal to one process or to the launcher stops all politely', async () => {
    for (const target of ['worker', 'launcher'] as const) {
      const run = await start('mode: steps\nsteps: 4000\n');
      const followed = await followRun(run.runDir, {});
      const workers = await bench.workers(run.runDir, 2);
      await until(() => row(run).status === 'running', 'training');
      process.kill(target === 'worker' ? (workers[1] ?? 0) : run.launcherPid, 'SIGTERM');
      expect(await followed.ended).toMatchObject({ status: 'stopped' });
    }
  });

  test('a second signal to the launcher ends at once', async () => {
    const run = await start('mode: deaf\nsteps: 4000\n');
    const followed = await followRun(run.runDir, {});
    await bench.workers(run.runDir, 2);
    process.kill(run.launcherPid, 'SIGINT');
    await until(() => row(run).status === 'stopping', 'stopping');
    process.kill(run.launcherPid, 'SIGINT');
    expect(await followed.ended).toMatchObject({ status: 'killed' });
  });
});

describe('failing', () => {
  async function endOf(followed: FollowedRun, run: StartedRun): Promise<string> {
    const end = await followed.ended;
    expect(end.status).toBe('failed');
    expect(row(run)).toMatchObject({ status: 'failed', error: end.error });
    return end.error ?? '';
  }

  test.each([
    {
      id: 'an error in project code',
      mode: 'throw',
      error: /^Rank 1: TypeError: cannot read the third batch \(at \S*worker\.ts:\d+:\d+\)$/,
    },
    { id: 'a process killed by the system', mode: 'die', error: /^Rank 1: .*SIGKILL.*memory.*logs\/rank1\.log/ },
    { id: 'an exit without a word', mode: 'exit', error: /^Rank [01]: .*exit code 0 before its training was over/ },
  ])('$id ends all and is the run’s error', async ({ mode, error }) => {
    const run = await start(`mode: ${mode}\nsteps: 4000\n`);
    const followed = await followRun(run.runDir, {});
    expect(await endOf(followed, run)).toMatch(error);
  });

  test('a taken port is said to be taken', async () => {
    const server = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const bound = server.address();
    const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
    const run = await start('mode: steps\n', { port });
    const followed = await followRun(run.runDir, {});
    expect(await endOf(followed, run)).toMatch(`Rank 0: Port ${port} on 127.0.0.1 is taken`);
    await new Promise((resolve) => server.close(resolve));
  });

  test.each([
    { id: 'in the run', place: 'checkpoints' },
    { id: 'in a checkpoint_dir elsewhere', place: '../elsewhere/saved' },
  ])('restarts go on from the newest checkpoint $id, and the abandoned steps are not kept', async ({ place }) => {
    const run = await start(`mode: die-once\nsteps: 12\ncheckpoint_dir: ${place}\n`, { maxRestarts: 2 });
    const followed = await followRun(run.runDir, {});
    expect(await followed.ended).toMatchObject({ status: 'completed' });
    const log = readFileSync(join(run.runDir, 'logs', 'rank0.log'), 'utf8');
    expect(log).toContain(`Restart 1 of 2, from ${place}/step_5.`);
    expect(log).toContain(`rank 0 begins from ${join(run.runDir, place, 'step_5')}`);
    expect(bench.store.metrics.keys(run.runId)).toMatchObject([{ key: 'train/loss', points: 12, lastStep: 11 }]);
    expect(readFileSync(join(run.runDir, 'metrics', 'metrics.jsonl'), 'utf8')).toContain('{"truncate":5}');
    // the folder alone knows where they are
    expect(scanCheckpoints(run.runDir).map(({ path }) => path)).toEqual(
      ['step_10', 'step_5'].map((name) => `${place}/${name}`),
    );
  });

  test('restarts come to a stated end', async () => {
    const run = await start('mode: die\nsteps: 400\n', { maxRestarts: 1 });
    expect(await endOf(await followRun(run.runDir, {}), run)).toMatch(/Gave up after 1 restarts?\.$/);
  });
});

describe('a launcher that is killed', () => {
  test('leaves everything that its processes were told is kept', async () => {
    const run = await start('mode: kept\nsteps: 4000\n', { count: 1 });
    await until(() => !isProcessAlive(run.launcherPid), 'the end of the launcher');
    const steps = readMetricJournal(run.runDir).flatMap((entry) =>
      entry.type === 'points' ? entry.points.map(({ step }) => step) : [],
    );
    expect(steps.slice(0, 5)).toEqual([0, 1, 2, 3, 4]);
  });

  test.each(['steps', 'busy'])('takes its processes with it (%s), and the run is shown as lost', async (mode) => {
    const run = await start(`mode: ${mode}\nsteps: 4000\n`);
    const followed = await followRun(run.runDir, {});
    const workers = await bench.workers(run.runDir, 2);
    await until(() => row(run).status === 'running', 'training');
    process.kill(run.launcherPid, 'SIGKILL');
    expect(await followed.ended).toMatchObject({ status: 'lost' });
    await until(() => workers.every((pid) => !isProcessAlive(pid)), 'the training processes to end');
    expect(markLostRuns(bench.store)).toEqual([run.runId]);
    expect(row(run).status).toBe('lost');
    await expect(attachRun(run.runDir)).rejects.toMatchObject({ code: 'launch.not-running' });
  });

  test('can be resumed in its folder', async () => {
    const run = await start('mode: steps\nsteps: 30\n');
    await bench.workers(run.runDir, 2);
    await expect(
      resumeRun({ runId: run.runId, checkpoint: 'checkpoints/step_5' }, bench.dependencies),
    ).rejects.toMatchObject({ code: 'launch.run-live' });
    await until(() => bench.store.checkpoints.list(run.runId, run.runDir).length > 0, 'a checkpoint');
    process.kill(run.launcherPid, 'SIGKILL');
    await until(() => !isProcessAlive(run.launcherPid), 'the launcher to end');
    markLostRuns(bench.store);
    expect(existsSync(join(run.runDir, 'held'))).toBe(true); // and hinders nobody
    const request = { runId: run.runId, checkpoint: 'checkpoints/step_5' };
    const [begun, second] = await Promise.allSettled([1, 2].map(() => resumeRun(request, bench.dependencies)));
    if (begun?.status !== 'fulfilled') throw begun?.reason;
    const resumed = begun.value;
    expect(second).toMatchObject({
      reason: { code: 'launch.run-live', message: expect.stringMatching(/\(process \d+ since .*runs stop/) },
    });
    bench.track(resumed.launcherPid);
    const followed = await followRun(run.runDir, {});
    expect(await followed.ended).toEqual({ status: 'completed', error: undefined, type: 'ended' });
    expect(row(run)).toMatchObject({ status: 'completed', error: undefined });
    expect(bench.store.metrics.keys(run.runId)).toMatchObject([{ points: 30 }]);
  });
});

describe('trouble with the store', () => {
  test('a locked store costs nothing', async () => {
    const run = await start('mode: steps\nsteps: 120\n', { count: 1 });
    const other = RunStore.open(bench.store.file);
    await until(() => row(run).status === 'running', 'training');
    // a write transaction kept open, as another program would
    other.transaction(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1500));
    other.dispose();
    const followed = await followRun(run.runDir, {});
    expect(await followed.ended).toMatchObject({ status: 'completed' });
    expect(bench.store.metrics.keys(run.runId)).toMatchObject([{ points: 120 }]);
    expect(readFileSync(join(run.runDir, 'logs', 'launcher.log'), 'utf8')).toMatch(/locked[\s\S]*works again/);
  });
});
