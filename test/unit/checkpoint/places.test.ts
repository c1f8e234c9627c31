import { cpSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { listCheckpoints, resolveCheckpoint, runFolderOf, saveCheckpoint } from '../../../engine/checkpoint/index.ts';
import { dictNode, fromPlain } from '../../../engine/config/index.ts';
import { findInferenceTarget } from '../../../engine/inference/inferenceConfig.ts';

// A run whose checkpoint_dir lies outside of it.

let folder = '';
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'checkpoints-'));
  const run = join(folder, 'experiments', 'line');
  mkdirSync(run, { recursive: true });
  writeFileSync(join(run, 'run.json'), JSON.stringify({ checkpointFolders: ['../../kept'] }));
  for (const step of [4, 8]) {
    const model = [{ name: 'w', dtype: 'F32' as const, shape: [1], data: () => Float32Array.of(step) }];
    const label = { kind: 'step', epoch: 0, step, metrics: {}, time: 0 } as const;
    await saveCheckpoint({ folder: join(folder, 'kept', `step_${step}`), ...label, model, state: {}, run });
  }
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('the run finds its checkpoints, and each of them its run, also after everything was moved', async () => {
  const check = async (root: string) => {
    const run = join(root, 'experiments', 'line');
    expect((await listCheckpoints(run)).map(({ path }) => path)).toEqual(['../../kept/step_4', '../../kept/step_8']);
    expect(await resolveCheckpoint(run)).toMatchObject({ folder: join(root, 'kept', 'step_8') });
    expect(runFolderOf(join(root, 'kept', 'step_4'))).toBe(run);
    const named = fromPlain({ exp_dir: 'experiments/line', ckpt_dir_or_file: 'step_4' });
    const target = await findInferenceTarget(root, named.kind === 'dict' ? named : dictNode());
    expect(target).toMatchObject({ expDir: run, checkpoint: { folder: join(root, 'kept', 'step_4') } });
  };
  await check(folder);
  const moved = join(folder, 'moved');
  mkdirSync(moved);
  for (const name of ['experiments', 'kept']) renameSync(join(folder, name), join(moved, name));
  await check(moved);
});

test('one that was set aside still knows its run; a copy elsewhere belongs to where it lies', () => {
  const aside = join(folder, 'kept', 'superseded', '1');
  mkdirSync(aside, { recursive: true });
  renameSync(join(folder, 'kept', 'step_8'), join(aside, 'step_8'));
  expect(runFolderOf(join(aside, 'step_8'))).toBe(join(folder, 'experiments', 'line'));
  cpSync(join(folder, 'kept', 'step_4'), join(folder, 'copies', 'step_4'), { recursive: true });
  expect(runFolderOf(join(folder, 'copies', 'step_4'))).toBe(join(folder, 'copies'));
});
