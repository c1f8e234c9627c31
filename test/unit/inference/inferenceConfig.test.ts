import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { saveCheckpoint } from '../../../engine/checkpoint/index.ts';
import { compose, dictNode, fromPlain, toPlain } from '../../../engine/config/index.ts';
import { findInferenceTarget, readRunConfig } from '../../../engine/inference/inferenceConfig.ts';
import { inheritedOverrides, readRunChoices } from '../../../engine/inference/runChoices.ts';
import { readWeights } from '../../../engine/trainer/index.ts';

let project: string;
const inRun = (...parts: string[]): string => join(project, 'experiments/run', ...parts);

async function save(folder: string, kind: 'best' | 'epoch' | 'permanent', step: number): Promise<void> {
  const model = [{ name: 'w', dtype: 'F32' as const, shape: [1], data: () => Float32Array.of(step) }];
  await saveCheckpoint({ folder, kind, epoch: 1, step, metrics: {}, time: 0, model, state: {} });
}

beforeAll(async () => {
  project = mkdtempSync(join(tmpdir(), 'accelhydra-choice-'));
  mkdirSync(inRun('checkpoints'), { recursive: true });
  await save(inRun('checkpoints/best'), 'best', 2);
  await save(inRun('checkpoints/epoch_9'), 'epoch', 9);
  await save(inRun('checkpoints/epoch_10'), 'epoch', 10);
  await save(inRun('ckpt_step_4'), 'permanent', 4);
});

afterAll(() => {
  rmSync(project, { recursive: true, force: true });
});

const find = (settings: Readonly<Record<string, unknown>>) => {
  const config = fromPlain(settings);
  return findInferenceTarget(project, config.kind === 'dict' ? config : dictNode());
};

describe('which checkpoint is meant', () => {
  test.each([
    { id: 'the best of a run', settings: { exp_dir: 'experiments/run' }, folder: 'checkpoints/best' },
    {
      id: 'the last by step, not by name',
      settings: { exp_dir: 'experiments/run', use_best: false },
      folder: 'checkpoints/epoch_10',
    },
    {
      id: 'a path from the project',
      settings: { ckpt_dir_or_file: 'experiments/run/checkpoints/epoch_9' },
      folder: 'checkpoints/epoch_9',
    },
    {
      id: 'a name in the run',
      settings: { exp_dir: 'experiments/run', ckpt_dir_or_file: 'epoch_9' },
      folder: 'checkpoints/epoch_9',
    },
    { id: 'a permanent one', settings: { ckpt_dir_or_file: 'experiments/run/ckpt_step_4' }, folder: 'ckpt_step_4' },
    {
      id: "AccelHydra's older key",
      settings: { exp_dir: '', ckpt_dir: 'experiments/run', use_best: false },
      folder: 'checkpoints/epoch_10',
    },
  ])('$id', async ({ settings, folder }) => {
    const target = await find({ ckpt_dir_or_file: '', ...settings });
    expect(target).toMatchObject({
      checkpoint: { type: 'folder', folder: inRun(folder) },
      outputDir: inRun('inference/test'),
    });
  });

  test('a file of weights, and another place for the results', async () => {
    const file = 'experiments/run/checkpoints/epoch_9/model.safetensors';
    expect(await find({ ckpt_dir_or_file: file, output_name: 'mine' })).toMatchObject({
      checkpoint: { type: 'file', file: join(project, file) },
      expDir: inRun(),
      outputDir: inRun('inference/mine'),
    });
  });

  test('averaged weights are taken where there are some, and left alone when asked to', async () => {
    const folder = inRun('checkpoints/epoch_11');
    const tensor = (name: string, value: number) => ({
      name,
      dtype: 'F32' as const,
      shape: [1],
      data: () => Float32Array.of(value),
    });
    const model = [tensor('w', 1), tensor('running_mean', 5)];
    await saveCheckpoint({
      folder,
      kind: 'epoch',
      epoch: 11,
      step: 1,
      metrics: {},
      time: 0,
      model,
      ema: [tensor('w', 2)],
      state: {},
    });
    const valuesWith = async (use_ema: boolean | undefined) => {
      const { checkpoint, useEma } = await find({ ckpt_dir_or_file: folder, use_ema: use_ema ?? null });
      const { tensors, isAveraged } = await readWeights(checkpoint, useEma);
      return { isAveraged, values: Object.fromEntries([...tensors].map(([name, { data }]) => [name, data[0]])) };
    };
    expect(await valuesWith(undefined)).toEqual({ isAveraged: true, values: { w: 2, running_mean: 5 } });
    expect(await valuesWith(false)).toEqual({ isAveraged: false, values: { w: 1, running_mean: 5 } });
    rmSync(folder, { recursive: true });
  });

  test("the checkpoint's own run goes before another that is named", async () => {
    writeFileSync(inRun('config.yaml'), 'a: 1\n');
    const target = await find({ exp_dir: 'experiments/other', ckpt_dir_or_file: 'experiments/run/checkpoints/best' });
    expect(target.expDir).toBe(inRun());
    rmSync(inRun('config.yaml'));
  });

  test.each([
    {
      id: 'no such checkpoint',
      settings: { exp_dir: 'experiments/run', ckpt_dir_or_file: 'epoch_11' },
      code: 'checkpoint.not-found',
      says: "Did you mean 'epoch_10'?",
    },
    {
      id: 'no such run',
      settings: { exp_dir: 'experiments/nowhere' },
      code: 'checkpoint.not-found',
      says: 'experiments/nowhere',
    },
    { id: 'nothing named', settings: { exp_dir: null }, code: 'inference.no-checkpoint-named', says: 'exp_dir=' },
    {
      id: 'a wrong type',
      settings: { exp_dir: 'experiments/run', use_best: 'yes' },
      code: 'inference.settings',
      says: "'use_best'",
    },
  ])('refuses $id', async ({ settings, code, says }) => {
    await expect(find(settings)).rejects.toMatchObject({ code, message: expect.stringContaining(says) });
  });
});

describe("the run's own config", () => {
  test('is the one in the checkpoint, then the one in the folder', () => {
    writeFileSync(inRun('config.yaml'), 'a: folder\n');
    const target = { expDir: inRun(), expConfigPath: undefined };
    expect(toPlain(readRunConfig(target, 'a: checkpoint\n'))).toEqual({ a: 'checkpoint' });
    expect(toPlain(readRunConfig(target, undefined))).toEqual({ a: 'folder' });
    writeFileSync(join(project, 'other.yaml'), 'a: other\n');
    const named = { expDir: inRun(), expConfigPath: join(project, 'other.yaml') };
    expect(toPlain(readRunConfig(named, 'a: checkpoint\n'))).toEqual({ a: 'other' });
  });

  test('missing is said with what to do', () => {
    const target = { expDir: join(project, 'nowhere'), expConfigPath: undefined };
    expect(() => readRunConfig(target, undefined)).toThrow(/exp_config_path/);
  });
});

describe("the run's group choices", () => {
  const inference = (overrides: string[]) => {
    const configs = join(project, 'configs');
    mkdirSync(join(configs, 'data'), { recursive: true });
    writeFileSync(join(configs, 'inference.yaml'), 'defaults:\n  - data@data_dict: few\n  - _self_\n');
    for (const name of ['few', 'many']) writeFileSync(join(configs, `data/${name}.yaml`), `name: ${name}\n`);
    return compose({ searchPath: [configs], configName: 'inference', overrides, cwd: project });
  };

  test.each([
    { id: 'hold where nobody says otherwise', overrides: [], expected: ['data@data_dict=many'] },
    { id: 'yield to an override', overrides: ['data@data_dict=few'], expected: [] },
    { id: 'need not be repeated', overrides: ['data@data_dict=many'], expected: [] },
  ])('$id', ({ overrides, expected }) => {
    mkdirSync(inRun('.hydra'), { recursive: true });
    writeFileSync(
      inRun('.hydra/hydra.yaml'),
      'runtime:\n  choices:\n    data@data_dict: many\n    model: cnn\n    hydra/launcher: x\n',
    );
    expect(inheritedOverrides(inference(overrides), readRunChoices(inRun()))).toEqual(expected);
  });

  test('are none without a .hydra folder', () => {
    expect(readRunChoices(join(project, 'nowhere')).size).toBe(0);
  });
});
