import { cpSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runNode } from '../support/runNode.ts';

const main = fileURLToPath(new URL('../../engine/cli/main.ts', import.meta.url));

let folder: string;
beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'accelhydra-multirun-')));
  cpSync(fileURLToPath(new URL('../fixtures/service/project', import.meta.url)), folder, { recursive: true });
  const sweeper = 'defaults: [train, _self_]\nhydra: {sweeper: {params: {epochs: "1,2", model: large}}}\n';
  writeFileSync(join(folder, 'configs', 'swept.yaml'), sweeper);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const dryRun = (...words: string[]) => runNode([main, 'train', '--multirun', '--dry-run', ...words], { cwd: folder });

test.each([
  {
    id: 'the last override varies fastest',
    words: ['model=small,large', 'epochs=range(2)'],
    jobs: ['model=small epochs=0', 'model=small epochs=1', 'model=large epochs=0', 'model=large epochs=1'],
  },
  { id: 'glob sees the group', words: ['optimizer=glob(*)'], jobs: ['optimizer=adam', 'optimizer=sgd'] },
  { id: 'nothing to sweep is one job', words: ['epochs=3'], jobs: ['epochs=3'] },
  {
    id: "the sweeper's own params, and the command line over them",
    words: ['-cn', 'swept', 'model=small'],
    jobs: ['epochs=1 model=small', 'epochs=2 model=small'],
  },
  {
    id: "Hydra's own overrides are not told",
    words: ['hydra.job.name=x', 'epochs=1,2'],
    jobs: ['epochs=1', 'epochs=2'],
  },
])('--multirun --dry-run: $id', async ({ words, jobs }) => {
  const { code, stdout, stderr } = await dryRun(...words);
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout.trim().split('\n')).toEqual(jobs);
});

test('a sweep that the basic sweeper cannot do is told, and its place', async () => {
  const { code, stderr } = await dryRun('epochs=interval(1,2)');
  expect(code).toBe(2);
  expect(stderr).toContain('BasicSweeper does not support sweep type : INTERVAL_SWEEP');
});

test('hydra.mode=MULTIRUN is as good as --multirun, in the config too', async () => {
  const line = [main, 'train', '--dry-run'];
  const said = await runNode([...line, 'hydra.mode=MULTIRUN', 'epochs=1,2'], { cwd: folder });
  expect([said.code, said.stdout, said.stderr]).toEqual([0, 'epochs=1\nepochs=2\n', '']);
  writeFileSync(join(folder, 'configs', 'sweeps.yaml'), 'defaults: [swept, _self_]\nhydra: {mode: MULTIRUN}\n');
  const written = await runNode([...line, '-cn', 'sweeps'], { cwd: folder });
  expect(written.stdout).toBe('epochs=1 model=large\nepochs=2 model=large\n');
});

test('without --multirun a sweep says what it needs', async () => {
  const { code, stderr } = await runNode([main, 'train', '--dry-run', 'epochs=1,2'], { cwd: folder });
  expect(code).toBe(2);
  expect(stderr).toContain('add --multirun');
});
