import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Sqlite from 'better-sqlite3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runNode } from '../support/runNode.ts';

const main = fileURLToPath(new URL('../../engine/cli/main.ts', import.meta.url));
const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));

let folder: string;
let project: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'accelhydra-cli-')));
  project = join(folder, 'project');
  cpSync(fixture('service/project'), project, { recursive: true });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Runs the command in the project, with settings of its own. */
function accelhydra(...commandArguments: string[]) {
  const environment = {
    XDG_CONFIG_HOME: join(folder, 'settings'),
    HOME: folder,
    NO_COLOR: '1',
    FORCE_COLOR: undefined,
  };
  return runNode([main, ...commandArguments], { cwd: project, environment, timeoutMs: 60_000 });
}

test.each([
  'train',
  'launch',
  'infer',
  'why',
  'runs',
  'runs list',
  'runs show',
  'runs rm',
  'devices',
  'doctor',
  'init',
  'serve',
])('%s has help', async (command) => {
  const { code, stdout, stderr } = await accelhydra(...command.split(' '), '--help');
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toContain(`Usage: accelhydra ${command}`);
});

test('the version is the package’s', async () => {
  const { version } = JSON.parse(readFileSync(join(fixture('..'), '..', 'package.json'), 'utf8')) as {
    version: string;
  };
  expect(await accelhydra('--version')).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
});

test.each([
  { id: 'job', more: [], says: 'optimizer:\n  _target_: torch.optim.SGD\n  lr: 0.1\n' },
  {
    id: 'a package',
    more: ['--package', 'optimizer'],
    says: '# @package optimizer\n_target_: torch.optim.SGD\nlr: 0.1\n',
  },
  { id: 'an override', more: ['-p', 'epochs', 'epochs=7'], says: '7\n' },
  { id: 'a resolved part', more: ['--resolve', '-p', 'exp_dir'], says: 'experiments/tiny\n' },
  { id: "AccelHydra's -o", more: ['-p', 'epochs', '-o', 'epochs=7', 'model=large'], says: '7\n' },
  { id: "Hydra's short options", more: ['-cn', 'needs_value'], says: 'data:\n  path: ???\n' },
])('--cfg job prints $id and nothing else', async ({ more, says }) => {
  const { code, stdout, stderr } = await accelhydra('train', '--cfg', 'job', ...more);
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toContain(says);
});

test('the long form of launch means the same', async () => {
  const long = await accelhydra(
    'launch',
    '--num-processes',
    '2',
    '--config_file',
    'x.yaml',
    'train',
    '--cfg',
    'job',
    'epochs=7',
  );
  const short = await accelhydra('train', '--num_processes', '2', '--config_file=x.yaml', '--cfg=job', 'epochs=7');
  expect(long).toEqual(short);
  expect(long.stdout).toContain('epochs: 7');
});

test('why names the winner and the losers', async () => {
  const { stdout } = await accelhydra('why', 'optimizer.lr', 'optimizer.lr=0.5');
  expect(stdout).toContain('override 1 (optimizer.lr=0.5)');
  expect(stdout).toContain('configs/optimizer/sgd.yaml:2:5');
  const json = JSON.parse((await accelhydra('why', 'optimizer.lr', '--json')).stdout) as { winner: { text: string } };
  expect(json.winner.text).toBe('0.1');
});

test.each([
  { id: 'an unknown command', line: ['trian'], says: 'Did you mean train?' },
  { id: 'an unknown option', line: ['train', '--num-proceses', '2'], says: 'Did you mean --num_processes?' },
  { id: 'a flag of --cfg without it', line: ['train', '--resolve'], says: '--resolve says how --cfg prints' },
  { id: 'an option without its value', line: ['train', '--cfg'], says: 'argument missing' },
  { id: 'a wrong number', line: ['train', '--num_processes', 'two'], says: 'whole number' },
  { id: 'an unknown key', line: ['train', '--cfg', 'job', 'epoch=3'], says: "Did you mean 'epochs'?" },
  { id: 'an unknown option of a group', line: ['train', 'model=larg'], says: "Did you mean 'large'?" },
  { id: 'a broken override', line: ['train', '--cfg', 'job', 'a=[1'], says: 'a=[1' },
  { id: 'an unknown path', line: ['why', 'optimizer.lrr'], says: "Did you mean 'optimizer.lr'?" },
  { id: 'a missing value', line: ['train', '--config-name', 'needs_value'], says: 'data.path' },
  { id: 'no such run', line: ['runs', 'show', 'nothing'], says: "no run 'nothing'" },
  { id: 'no such status', line: ['runs', 'list', '--status', 'runing'], says: "Did you mean 'running'?" },
  { id: 'no such launch file', line: ['train', '--config_file', 'none.yaml'], says: 'none.yaml' },
  { id: 'something else to launch', line: ['launch', 'tarin'], says: "Did you mean 'train'?" },
  { id: 'no such template', line: ['init', 'x', '--template', 'mnits'], says: "Did you mean 'mnist'?" },
  { id: 'no project', line: ['train', '--project', '/nowhere/at/all'], says: '/nowhere/at/all' },
])('$id ends with 2 and says what to do, without a stack', async ({ line, says }) => {
  const { code, stdout, stderr } = await accelhydra(...line);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(/^error: /);
  expect(stderr).toContain(says);
  expect(stderr).not.toMatch(/\n\s+at .*\.ts:\d/);
});

test('--debug adds code and stack', async () => {
  const { code, stderr } = await accelhydra('--debug', 'runs', 'show', 'nothing');
  expect(code).toBe(2);
  expect(stderr).toContain('code: runs.not-found');
  expect(stderr).toMatch(/\n\s+at .*\.ts:\d/);
});

test('a YAML error names file, line and column', async () => {
  writeFileSync(join(project, 'configs', 'model', 'broken.yaml'), 'size: 1\n  deeper: [1\n');
  const { code, stderr } = await accelhydra('train', '--cfg', 'job', 'model=broken');
  expect(code).toBe(2);
  expect(stderr).toMatch(/configs\/model\/broken\.yaml:\d+:\d+|"configs\/model\/broken\.yaml", line \d+, column \d+/);
});

test.each([
  {
    id: 'newer',
    code: 'newer version of the app',
    prepare: writeNewerStore,
  },
  { id: 'damaged', code: 'damaged', prepare: (file: string) => writeFileSync(file, 'x'.repeat(4096)) },
])('a store that is $id ends with 3 and is left alone', async ({ code: says, prepare }) => {
  const file = join(project, '.accelhydra', 'store.db');
  mkdirSync(join(project, '.accelhydra'));
  prepare(file);
  const before = readFileSync(file);
  const { code, stderr } = await accelhydra('runs', 'list');
  expect(code).toBe(3);
  expect(stderr).toContain(says);
  expect(stderr).toContain(file);
  expect(readFileSync(file).equals(before)).toBe(true);
});

function writeNewerStore(file: string): void {
  const store = new Sqlite(file);
  store.pragma('user_version = 99');
  store.close();
}

test('runs list is empty at first, and JSON for programs', async () => {
  const empty = await accelhydra('runs', 'list');
  expect([empty.code, empty.stdout]).toEqual([0, '']);
  expect(empty.stderr).toContain('no run yet');
  expect(JSON.parse((await accelhydra('runs', 'list', '--json')).stdout)).toEqual({ runs: [], total: 0 });
});

test('removing without anybody to ask is refused', async () => {
  const run = { version: 1, id: '20260101-000000-aaaaa', name: 'old', status: 'completed', configName: 'train' };
  const rest = { overrides: [], command: '', createdAt: 1, processes: 1, devices: [], host: '', user: '' };
  const expDir = join(project, 'experiments', 'old');
  mkdirSync(expDir, { recursive: true });
  writeFileSync(join(expDir, 'run.json'), JSON.stringify({ ...run, ...rest }));
  expect(JSON.parse((await accelhydra('runs', 'list', '--json')).stdout)).toMatchObject({ runs: [{ name: 'old' }] });
  const refused = await accelhydra('runs', 'rm', 'old', '--folder');
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain('--yes');
  expect(existsSync(expDir)).toBe(true);
  expect((await accelhydra('runs', 'rm', '20260101', '--folder', '--yes')).code).toBe(0);
  expect(existsSync(expDir)).toBe(false);
});

test('init writes a project that composes, and never over another', async () => {
  const init = (name: string) =>
    runNode([main, 'init', join(folder, name)], { cwd: project, environment: { PATH: join(folder, 'bin') } });
  const created = await init('digits');
  expect(created.code).toBe(0);
  // a command that no shell finds would lead nowhere
  expect(created.stdout).toMatch(/\n {2}\(cd \S+ && npm link\) .*\n {2}cd \S+\n {2}accelhydra train --cfg job/);
  mkdirSync(join(folder, 'bin'));
  writeFileSync(join(folder, 'bin/accelhydra'), '');
  expect((await init('more')).stdout).not.toContain('npm link');
  expect(readFileSync(join(folder, 'digits/tsconfig.json'), 'utf8')).toContain('./.accelhydra/tsconfig.json');
  const composed = await accelhydra('train', '--project', join(folder, 'digits'), '--cfg', 'job', 'model/backbone=mlp');
  expect(composed.stdout).toContain('_target_: models.mlp.MLP');
  const again = await accelhydra('init', join(folder, 'digits'));
  expect([again.code, again.stderr]).toEqual([2, expect.stringContaining('nothing was written')]);
});

test('devices and doctor say something on every machine', async () => {
  const devices = JSON.parse((await accelhydra('devices', '--json')).stdout) as { id: string }[];
  expect(devices.map((device) => device.id)).toContain('cpu');
  const doctor = await accelhydra('doctor', '--json');
  expect(JSON.parse(doctor.stdout)).toMatchObject({ backend: { name: expect.any(String) }, checks: expect.any(Array) });
});

test('a pipe that closes early is no failure', async () => {
  const { stdout } = await runNode(
    [
      '-e',
      `const c = require('node:child_process').spawn(process.execPath, ${JSON.stringify([main, 'train', '--cfg', 'all'])}, { stdio: ['ignore', 'pipe', 'inherit'] }); c.stdout.once('data', () => c.stdout.destroy()); c.on('exit', (code) => console.log(code));`,
    ],
    { cwd: project },
  );
  expect(stdout).toBe('0\n');
});
