import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { tensorflowObstacle } from '../../engine/backend/index.ts';
import { followRun, resumeRun, type StartedRun, startRun } from '../../engine/launch/index.ts';
import { isRunAlive, markLostRuns } from '../../engine/runs/liveness.ts';
import { LaunchBench, until } from '../support/launching.ts';

// The real thing: launcher, training processes, project code, TensorFlow, the exchange between the ranks.

const project = fileURLToPath(new URL('../fixtures/launch/project/', import.meta.url));
let bench: LaunchBench;

beforeEach(() => {
  bench = new LaunchBench();
});

afterEach(async () => {
  delete process.env.FAULT;
  await bench.dispose();
});

async function start(count: number, changes: Readonly<Record<string, string>>): Promise<StartedRun> {
  let config = readFileSync(join(project, 'configs', 'train.yaml'), 'utf8');
  const request = bench.request('', { count });
  for (const [key, value] of Object.entries({ exp_dir: request.expDir, ...changes })) {
    config = config.replace(new RegExp(`^( *)${key}: .*$`, 'm'), `$1${key}: ${value}`);
  }
  // unresolved: the processes resolve it
  const run = await startRun(
    { ...request, configYaml: config, resolvedYaml: undefined, projectRoot: project },
    { store: bench.store, readyTimeoutMs: 60_000 },
  );
  bench.track(run.launcherPid);
  return run;
}

interface Result {
  readonly weights: Readonly<Record<string, readonly number[]>>;
  readonly losses: readonly number[];
  readonly metrics: readonly { readonly key: string; readonly lastValue: number }[];
}

async function result(run: StartedRun): Promise<Result> {
  const followed = await followRun(run.runDir, {});
  expect(await followed.ended).toMatchObject({ status: 'completed' });
  const { store } = bench;
  return {
    weights: JSON.parse(readFileSync(join(run.runDir, 'weights0.json'), 'utf8')),
    losses: [...store.metrics.series({ runId: run.runId, key: 'train/loss', maxPoints: 1000 }).value],
    metrics: store.metrics.keys(run.runId).filter(({ key }) => key.startsWith('val/')),
  };
}

/** Whether the run has done so many steps; throws when it will not. */
function reached(run: StartedRun, steps: number): boolean {
  const { status, error, progress } = bench.store.runs.get(run.runId);
  if (status !== 'starting' && status !== 'running') throw new Error(`The run is ${status}: ${error}`);
  return (progress?.step ?? 0) > steps;
}

function expectClose(actual: readonly number[], expected: readonly number[]): void {
  expect(actual).toHaveLength(expected.length);
  const worst = Math.max(...actual.map((value, i) => Math.abs(value - (expected[i] ?? Number.NaN))));
  expect(worst).toBeLessThanOrEqual(1e-5);
}

describe('two processes', () => {
  test.each([
    { id: 'SGD', optimizer_name: 'torch.optim.SGD', accumulation: '1' },
    { id: 'AdamW, two micro-batches a step', optimizer_name: 'torch.optim.AdamW', accumulation: '2' },
  ])('train as one with the doubled batch does: $id', async ({ id: _id, ...changes }) => {
    const [pair, single] = [
      await start(2, { ...changes, batch_size: '8' }),
      await start(1, { ...changes, batch_size: '16' }),
    ];
    const [two, one] = [await result(pair), await result(single)];
    expectClose(two.losses, one.losses);
    expect(Object.keys(two.weights)).toEqual(Object.keys(one.weights));
    for (const [name, values] of Object.entries(one.weights)) expectClose(two.weights[name] ?? [], values);
    expect(two.metrics.map(({ key }) => key)).toEqual(['val/accuracy', 'val/loss']);
    expectClose(
      two.metrics.map(({ lastValue }) => lastValue),
      one.metrics.map(({ lastValue }) => lastValue),
    );
    // both processes end with the very same weights
    expect(readFileSync(join(pair.runDir, 'weights1.json'), 'utf8')).toBe(JSON.stringify(two.weights));
    expect(two.losses.at(-1)).toBeLessThan(two.losses[0] ?? 0);
    const { progress } = bench.store.runs.get(pair.runId);
    expect(progress?.steps).toBe(tensorflowObstacle() === undefined ? 'graph' : undefined);
    // the first process says once how steps run
    const announced = (rank: number) =>
      readFileSync(join(pair.runDir, 'logs', `rank${rank}.log`), 'utf8').split('runs as one TensorFlow graph').length -
      1;
    expect([announced(0), announced(1)]).toEqual([tensorflowObstacle() === undefined ? 1 : 0, 0]);
  });

  test('an error in a hook names rank, step and hook', async () => {
    process.env.FAULT = 'throw';
    const run = await start(2, {});
    const followed = await followRun(run.runDir, {});
    const end = await followed.ended;
    expect(end.status).toBe('failed');
    expect(end.error).toMatch(/^training_step .*\(rank 1, /); // said once: the launcher adds no rank of its own
    expect(end.error).toContain('a fault on purpose');
    expect(end.error).toMatch(/step 5/);
    expect(readFileSync(join(run.runDir, 'logs', 'rank1.log'), 'utf8')).toContain('points.ts');
  });

  test('stopped or killed, a run goes on to the very same end', async () => {
    const changes = { epochs: '16', save_every_n_steps: '30', save_last_k: '2' };
    const whole = await result(await start(2, changes));
    const run = await start(2, changes);
    let { launcherPid } = run;
    // stopped first, and killed when it goes on
    for (const [how, steps] of [
      ['stop', 70],
      ['SIGKILL', 150],
    ] as const) {
      const followed = await followRun(run.runDir, {});
      await until(() => reached(run, steps), 'some steps', 90_000);
      if (how === 'stop') await followed.stop();
      else process.kill(launcherPid, 'SIGKILL');
      expect(await followed.ended).toMatchObject({ status: how === 'stop' ? 'stopped' : 'lost' });
      await until(() => !isRunAlive(bench.store.runs.get(run.runId)), 'the launcher to end');
      markLostRuns(bench.store);
      const newest = bench.store.checkpoints.list(run.runId, run.runDir)[0];
      expect(newest?.step).toBeGreaterThanOrEqual(steps - 20);
      const resumed = await resumeRun({ runId: run.runId, checkpoint: newest?.path ?? '' }, { store: bench.store });
      launcherPid = resumed.launcherPid;
      bench.track(launcherPid);
    }
    const { weights, losses } = await result(run);
    expect(weights).toEqual(whole.weights);
    expect(losses).toEqual(whole.losses);
  }, 400_000);

  test('a leak is found, and other processes take over at the next checkpoint', async () => {
    process.env.FAULT = 'leak';
    const leak_guard = '{window: 3, recycle_worker_at_checkpoint: true}';
    const run = await start(1, { leak_guard, save_every_n_steps: '5', epochs: '2' });
    const { losses } = await result(run);
    expect(losses).toHaveLength(2 * 24);
    const said = readFileSync(join(run.runDir, 'logs', 'rank0.log'), 'utf8');
    expect(said).toMatch(/training_step leaves 1 behind at each call.* replaced at the next checkpoint/);
    expect(said).toMatch(/New processes take over from checkpoints\/step_\d+, to free memory/);
    expect(said).not.toMatch(/The process left with/);
  }, 120_000);

  test.each([1, 2])(
    'a loss that spikes rolls %i processes back, and the resolved config is in the folder',
    async (count) => {
      process.env.FAULT = 'spike';
      const run = await start(count, {
        count: '192\n    outlier: 90',
        save_every_n_steps: '4',
        leak_guard: 'null\n  loss_spike: {policy: rollback, threshold: 1000, window: 10, min_history: 4}',
      });
      await until(() => bench.store.runs.get(run.runId).status !== 'starting', 'training', 60_000);
      expect(readFileSync(join(run.runDir, 'config.resolved.yaml'), 'utf8')).toContain(`project_dir: ${run.runDir}`);
      const { losses, weights } = await result(run);
      expect(losses).toHaveLength((2 * 24) / count);
      expect(Math.max(...losses)).toBeLessThan(2); // of the steps that count
      const [at, to] = count === 1 ? [11, 8] : [5, 4];
      const said = readFileSync(join(run.runDir, 'logs', 'rank0.log'), 'utf8');
      expect(said).toMatch(
        new RegExp(`Step ${at}: The loss jumped .*Rolled back to checkpoints/step_${to} .*roll-back 1 of`),
      );
      const last = JSON.parse(readFileSync(join(run.runDir, `weights${count - 1}.json`), 'utf8'));
      expect(last).toEqual(weights);
    },
  );
});
