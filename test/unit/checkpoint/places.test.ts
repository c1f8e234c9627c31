import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  listCheckpoints,
  newestIntact,
  promoteBest,
  pruneCheckpoints,
  resolveCheckpoint,
  runFolderOf,
  saveCheckpoint,
  setLaterAside,
} from '../../../engine/checkpoint/index.ts';
import { dictNode, fromPlain } from '../../../engine/config/index.ts';
import { findInferenceTarget } from '../../../engine/inference/inferenceConfig.ts';

// A run whose checkpoint_dir lies outside of it.

let folder = '';
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'checkpoints-'));
  const run = join(folder, 'experiments', 'line');
  mkdirSync(run, { recursive: true });
  writeFileSync(join(run, 'run.json'), JSON.stringify({ checkpointFolders: ['../../kept'] }));
  for (const step of [4, 8]) await save(join(folder, 'kept', `step_${step}`), step, run);
});

function save(target: string, step: number, run: string) {
  const model = [{ name: 'w', dtype: 'F32' as const, shape: [1], data: () => Float32Array.of(step) }];
  const label = { kind: 'step', epoch: 0, step, metrics: { loss: step }, time: 0 } as const;
  return saveCheckpoint({ folder: target, ...label, model, state: {}, run });
}

/** Two runs that were begun before either had saved anything, in one folder. */
async function sharedByTwo() {
  const kept = join(folder, 'shared');
  const runs = ['first', 'second'].map((name) => join(folder, 'experiments', name));
  for (const [i, run] of runs.entries()) {
    mkdirSync(run, { recursive: true });
    writeFileSync(join(run, 'run.json'), JSON.stringify({ id: `run-${i}`, checkpointFolders: ['../../shared'] }));
  }
  const [first = '', second = ''] = runs;
  for (const step of [2, 6, 10]) await save(join(kept, `step_${step}`), step, first);
  for (const step of [3, 7]) await save(join(kept, `step_${step}`), step, second);
  return { kept, first, second };
}
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

test('of a folder that two runs share each has its own, and says whose the others are', async () => {
  const { kept, first, second } = await sharedByTwo();
  const entries = await listCheckpoints(second);
  const usable = entries.filter(({ problem }) => problem === undefined);
  expect(usable.map(({ path }) => path)).toEqual(['../../shared/step_3', '../../shared/step_7']);
  expect(entries.flatMap(({ problem }) => problem ?? [])).toEqual(Array(3).fill(`it is of another run, ${first}`));
  expect(await newestIntact(second)).toMatchObject({ checkpoint: { step: 7 }, damaged: [] });
  expect(await resolveCheckpoint(second)).toMatchObject({ folder: join(kept, 'step_7') });
  await expect(resolveCheckpoint(kept)).rejects.toThrow(/shared holds checkpoints of 2 runs \(run-0, run-1\)/);
  // neither of them lets the other write over what it has
  await expect(save(join(kept, 'step_6'), 6, second)).rejects.toThrow(
    `holds checkpoints of another run: step_6 of ${first}.`,
  );
  await expect(promoteBest(kept, kept, { metric_name: 'loss', mode: 'min' }, second)).resolves.toMatchObject({
    step: 3,
  });
  const best = () => promoteBest(kept, kept, { metric_name: 'loss', mode: 'min' }, first);
  await expect(best()).rejects.toThrow(/another run: best of .*second\./);
  expect((await pruneCheckpoints(kept, 1, undefined, first)).map(({ step }) => step)).toEqual([6, 2]);
  const { moved } = await setLaterAside(first, { epoch: 0, step: 0 }, kept, first);
  expect(moved.map(({ step }) => step)).toEqual([10]);
  expect(readdirSync(kept).sort()).toEqual(['best', 'step_3', 'step_7', 'superseded']);
});

test('labels of earlier versions, without an id, do for whom they name, and for a run that was moved', async () => {
  const { kept, first, second } = await sharedByTwo();
  for (const name of readdirSync(kept)) {
    const file = join(kept, name, 'manifest.json');
    writeFileSync(file, readFileSync(file, 'utf8').replace(/^ *"run_id": .*\n/m, ''));
  }
  const stepsOf = async (run: string) =>
    (await listCheckpoints(run)).filter(({ problem }) => problem === undefined).map(({ step }) => step);
  expect(await stepsOf(second)).toEqual([3, 7]);
  renameSync(first, join(folder, 'experiments', 'moved'));
  expect(await stepsOf(join(folder, 'experiments', 'moved'))).toEqual([2, 6, 10]);
});
