import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { tensorflowObstacle } from '../../engine/backend/index.ts';
import type { CompileReport } from '../../engine/launch/compileReport/compileReportProtocol.ts';
import { isProcessAlive } from '../../engine/runs/heartbeat.ts';
import { RunStore } from '../../engine/runs/runStore.ts';
import type { RunRecord } from '../../engine/runs/runTable.ts';
import { runNode } from '../support/runNode.ts';

const main = fileURLToPath(new URL('../../engine/cli/main.ts', import.meta.url));
const LONG = ['epochs=1000000', '+trainer.save_every_n_epochs=1000000'];

let folder: string;
let project: string;
const children: ChildProcess[] = [];
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'accelhydra-train-')));
  project = join(folder, 'line');
  cpSync(fileURLToPath(new URL('../fixtures/cli/project', import.meta.url)), project, { recursive: true });
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  for (const { id } of recorded(({ runs }) => runs.live())) await accelhydra('runs', 'stop', id, '--kill');
  rmSync(folder, { recursive: true, force: true });
});

const environment = () => ({
  XDG_CONFIG_HOME: join(folder, 'settings'),
  NO_COLOR: '1',
  FORCE_COLOR: undefined,
  CI: undefined,
});

function accelhydra(...commandArguments: string[]) {
  return runNode([main, ...commandArguments], { cwd: project, environment: environment(), timeoutMs: 100_000 });
}

/** A command that goes on; `said` is what it printed so far. */
function begin(...commandArguments: string[]) {
  const child = spawn(process.execPath, [main, ...commandArguments], {
    cwd: project,
    env: { ...process.env, NODE_OPTIONS: '', ...environment() },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  const output = { text: '' };
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output.text += text;
    });
  }
  const ended = once(child, 'exit').then(([code]) => code as number | null);
  return { child, output, ended };
}

interface ShownRun {
  readonly id: string;
  readonly expDir: string;
  readonly metrics: readonly { readonly key: string; readonly points: number }[];
  readonly checkpoints: readonly { readonly path: string }[];
}

/** What the launchers recorded of the project's runs. Asking a command for it each time took a third of these tests' time. */
function recorded<T>(read: (store: RunStore) => T): T {
  const store = RunStore.open(join(project, '.accelhydra', 'store.db'));
  try {
    return read(store);
  } finally {
    store.dispose();
  }
}

function newestRun(): RunRecord {
  const run = recorded(({ runs }) => runs.list({ limit: 1 }).runs[0]);
  if (run === undefined) throw new Error('There is no run');
  return run;
}

test('a training from the command line: plain lines, a record, checkpoints, and a test of the best', async () => {
  const trained = await accelhydra('train', '--num_processes', '2', 'epochs=3');
  expect(trained).toMatchObject({ code: 0 });
  expect(trained.stderr).toMatch(/^Run \d{8}-\d{6}-\w{5} {2}line {2}on cpu, cpu$/m);
  expect(trained.stderr).toMatch(/^epoch \d\/3 {2}\w+ {2}step \d+\/\d+/m);
  expect(trained.stderr).toMatch(/^completed after \d+\.?\d* s$/m);
  expect(trained.stdout).toMatch(/^val\/loss [\d.e-]+ {2}\(best [\d.e-]+\)$/m);
  const shown = await accelhydra('runs', 'show', 'last', '--json');
  const run = JSON.parse(shown.stdout) as ShownRun;
  expect(run).toMatchObject({ status: 'completed', overrides: ['epochs=3'] });
  expect(run.metrics.find((metric) => metric.key === 'val/loss')).toMatchObject({ points: 3 });
  expect(run.checkpoints.map((checkpoint) => checkpoint.path)).toContain('checkpoints/best');
  const config = await accelhydra('runs', 'show', run.id, '--config');
  expect(config.stdout).toBe(readFileSync(join(run.expDir, 'config.yaml'), 'utf8'));

  const tested = await accelhydra('infer', 'exp_dir=experiments/line');
  expect(tested).toMatchObject({ code: 0, stdout: expect.stringMatching(/^error [\d.e-]+$/m) });
  const results = join(run.expDir, 'inference', 'test');
  expect(readFileSync(join(results, 'predictions.jsonl'), 'utf8').trim().split('\n')).toHaveLength(16);
  expect(JSON.parse(readFileSync(join(results, 'metrics.json'), 'utf8'))).toMatchObject({});

  const missing = await accelhydra('infer', 'exp_dir=experiments/line', 'ckpt_dir_or_file=checkpoints/epoch_99');
  expect(missing.code).toBe(2);
  expect(missing.stderr).toContain('epoch_99');
});

test.skipIf(tensorflowObstacle())('compile-report: graphs before and after TensorFlow optimises them', async () => {
  const graphs = join(folder, 'graphs');
  const { code, stdout } = await accelhydra('compile-report', '--steps', '6', '--output', graphs, '--json');
  expect(code).toBe(0);
  const report: CompileReport = JSON.parse(stdout);
  expect(report).toMatchObject({ steps: 6, logdir: graphs, compiledMs: expect.any(Number) });
  const [graph] = report.graphs;
  if (graph?.optimised === undefined) throw new Error('TensorFlow did not tell its graph');
  expect(graph.optimised.operations).toBeGreaterThan(0);
  expect(graph.optimised.operations).toBeLessThanOrEqual(graph.operations);
  expect(readdirSync(graphs)).toContain('graph_1.pb');
});

test('Ctrl-C once saves and ends cleanly', async () => {
  const { child, output, ended } = begin('train', ...LONG);
  await expect.poll(() => output.text, { timeout: 60_000 }).toMatch(/training {2}step/);
  child.kill('SIGINT');
  expect(await ended).toBe(130);
  expect(output.text).toContain('Saving and stopping');
  const run = newestRun();
  expect(output.text).toMatch(new RegExp(`newest checkpoint is \\S+ .* To go on: accelhydra runs resume ${run.id}`));
  expect(run.status).toBe('stopped');
  expect(recorded(({ checkpoints }) => checkpoints.list(run.id, run.expDir)).length).toBeGreaterThan(0);
  expect(isProcessAlive(run.launcherPid ?? 0)).toBe(false);
});

test('Ctrl-C twice ends at once and leaves no process', async () => {
  const { child, output, ended } = begin('train', '--num_processes', '2', ...LONG);
  await expect.poll(() => output.text, { timeout: 60_000 }).toMatch(/training {2}step/);
  child.kill('SIGINT');
  child.kill('SIGINT');
  await new Promise((resolve) => setTimeout(resolve, 50));
  child.kill('SIGINT');
  expect(await ended).toBe(130);
  const run = newestRun();
  expect(['killed', 'stopped']).toContain(run.status);
  await expect.poll(() => isProcessAlive(run.launcherPid ?? 0), { timeout: 10_000 }).toBe(false);
});

test('a training outlives its command and is stopped by another', async () => {
  const { child, output } = begin('train', ...LONG);
  await expect.poll(() => output.text, { timeout: 60_000 }).toMatch(/training {2}step/);
  child.kill('SIGKILL');
  const { id, status, launcherPid } = newestRun();
  expect(status).toBe('running');
  expect((await accelhydra('runs', 'rm', id, '--yes', '--folder')).code).toBe(2);
  expect((await accelhydra('runs', 'stop', id)).code).toBe(0);
  await expect.poll(() => newestRun().status, { timeout: 20_000 }).toBe('stopped');
  await expect.poll(() => isProcessAlive(launcherPid ?? 0), { timeout: 10_000 }).toBe(false);
});

test('a sweep ends with what came of each job', async () => {
  const { code, stdout } = await accelhydra('train', '--multirun', 'epochs=1', 'optimizer.lr=0.1,0.01');
  expect(code).toBe(0);
  const table = stdout.trim().split('\n').slice(-3);
  expect(table[0]).toMatch(/^JOB {2}RUN +STATUS +RESULT +OVERRIDES$/);
  expect(table[1]).toMatch(/^ #0 {2}\S+ {2}completed {2}best val\/loss [\d.e-]+ +epochs=1 optimizer\.lr=0\.1$/);
  expect(table[2]).toMatch(/^ #1 {2}\S+ {2}completed {2}best val\/loss [\d.e-]+ +epochs=1 optimizer\.lr=0\.01$/);
});

test.each([
  { id: 'a target that is not there', more: ['model._target_=line.Lien'], says: 'line.Lien' },
  { id: 'a constructor that throws', more: ['train_dataloader.batch_size=-1'], says: 'batch_size' },
])('$id fails the run with 1 and says where, once and without a stack', async ({ more, says }) => {
  const { code, stderr, stdout } = await accelhydra('train', ...more);
  expect(code).toBe(1);
  const output = stderr + stdout;
  expect(output).toContain(says);
  expect(output).not.toMatch(/EngineError|^ +at .*:\d+:\d+/m);
  expect(output.match(/full_key:/g)).toHaveLength(1);
  expect(newestRun()).toMatchObject({ status: 'failed', error: expect.stringContaining(says) });
});

test('a run is resumed in its folder and branched into another, and both know of each other', async () => {
  expect((await accelhydra('train', '+trainer.save_every_n_steps=3', 'trainer.save_last_k=9')).code).toBe(0);
  const parent = newestRun();
  expect(await accelhydra('runs', 'resume', 'line')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('epochs=4'),
  });
  const longer = await accelhydra('runs', 'resume', 'line', 'epochs=3', '--num_processes', '2');
  expect(longer).toMatchObject({ code: 0, stderr: expect.stringMatching(/^Run \S+ {2}line {2}on cpu, cpu$/m) });
  // of its log, which goes on in the same file, what is new is shown
  expect(longer.stdout).toContain('was written by 1 processes, this run has 2');
  expect(longer.stdout.match(/The training is completed/g)).toHaveLength(1);
  const resumed = newestRun();
  expect([resumed.id, resumed.status, resumed.overrides.at(-1)]).toEqual([parent.id, 'completed', 'epochs=3']);
  const keys = recorded(({ metrics }) => metrics.keys(resumed.id));
  expect(keys.find(({ key }) => key === 'val/loss')?.points).toBe(3);
  expect((await accelhydra('runs', 'branch', 'line', '--step', '11')).stderr).toContain('--step 9 and --step 12');
  const change = ['optimizer.lr=0.01', '--name', 'slow', '--num_processes', '1'];
  const misfit = await accelhydra('runs', 'branch', 'line', '--step', '12', ...change, '+optimizer.momentum=0.9');
  expect([misfit.code, misfit.stderr]).toEqual([2, expect.stringContaining('++trainer.reset_optimizer=true')]);
  expect(readdirSync(join(project, 'experiments'))).toEqual(['line']);
  const branched = await accelhydra('runs', 'branch', 'line', '--step', '12', ...change);
  expect([branched.code, branched.stderr]).toEqual([
    0,
    expect.stringMatching(new RegExp(`^A branch of line \\(${parent.id}\\) at step 12[^]* on cpu$`, 'm')),
  ]);
  expect(branched.stdout + branched.stderr).toContain('optimizer.lr: the config');
  const journal = readFileSync(join(project, 'experiments/line-2/metrics/metrics.jsonl'), 'utf8');
  expect(journal.match(/"train\/lr".*?"value":[\d.]+/g)?.at(-1)).toContain('"value":0.01');
  const shown = await accelhydra('runs', 'show', 'slow');
  expect(shown.stdout).toMatch(/^folder +.*experiments\/line-2$/m);
  expect(shown.stdout).toMatch(new RegExp(`^parent +line \\(${parent.id}\\), from step 12, checkpoints/step_12$`, 'm'));
  expect((await accelhydra('runs', 'show', parent.id)).stdout).toMatch(/^branches +slow \(\S+\) at step 12$/m);
});

test('--detach prints the id alone; a folder that is in use is left alone, and what cannot begin leaves none', async () => {
  const detached = await accelhydra('train', '--detach', 'epochs=1');
  expect(detached.code).toBe(0);
  expect(detached.stdout).toBe(`${newestRun().id}\n`);
  const refused = await accelhydra('train', 'epochs=1', 'exp_dir=experiments/line');
  expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('experiments/line')]);
  expect((await accelhydra('train', 'epochs=1')).code).toBe(0);
  await expect
    .poll(() => recorded(({ runs }) => runs.list().runs.map(({ status }) => status)), { timeout: 60_000 })
    .toEqual(['completed', 'completed']);
  const incomplete = await accelhydra('train', '~optimizer');
  expect(incomplete.code).toBe(2);
  expect(incomplete.stderr).toContain(
    "The config has no section 'optimizer'.\n    at override 1 (~optimizer)\n    Add it",
  );
  expect(readdirSync(join(project, 'experiments')).sort()).toEqual(['line', 'line-2']);
});

test('serve prints a link that opens the engine, and ends politely', async () => {
  const { child, output, ended } = begin('serve', '--headless', '--port', '0');
  await expect.poll(() => output.text, { timeout: 30_000 }).toMatch(/http:\/\/127\.0\.0\.1:\d+\/\?token=/);
  const link = /http:\S+/.exec(output.text)?.[0] ?? '';
  const response = await fetch(link, { redirect: 'manual' });
  expect([response.status, response.headers.get('set-cookie')]).toEqual([303, expect.stringContaining('HttpOnly')]);
  child.kill('SIGTERM');
  expect(await ended).toBe(0);
  await expect(fetch(link)).rejects.toThrow();
});

test('a port that is taken is told', async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const { port } = other.address() as AddressInfo;
  const refused = await accelhydra('serve', '--headless', '--port', String(port));
  other.close();
  expect([refused.code, refused.stderr]).toEqual([3, expect.stringContaining(`Port ${port} is taken`)]);
  expect(existsSync(join(project, 'experiments'))).toBe(false);
});
