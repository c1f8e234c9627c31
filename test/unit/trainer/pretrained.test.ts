import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadCheckpoint, resolveCheckpoint, tensorSource } from '../../../engine/checkpoint/index.ts';
import { writeSafetensors } from '../../../engine/checkpoint/safetensors/write.ts';
import { folderFiles } from '../../../engine/trainer/checkpoints/folderFiles.ts';
import { assignWeights, bringFrozenWeights, type Module, readWeights } from '../../../engine/trainer/index.ts';
import { Linear, Sequential, Tanh } from '../../../engine/trainer/model/layers/index.ts';
import { manualSeed } from '../../../engine/trainer/model/randomness.ts';
import { MetricMonitor } from '../../../engine/trainer/monitor/metricMonitor.ts';
import { loadPretrained, readPretrained } from '../../../engine/trainer/prepare/loadPretrained.ts';
import { setUp, weightsOf } from './support.ts';

const folder = mkdtempSync(join(tmpdir(), 'pretrained-'));
beforeAll(async () => {
  await tf.setBackend('cpu');
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Its first layer is not trained. */
function halfFrozen(seed = 1): Module {
  manualSeed(seed);
  const first = new Linear({ in_features: 3, out_features: 5 });
  first.requiresGrad(false);
  return new Sequential(first, new Tanh(), new Linear({ in_features: 5, out_features: 1 }));
}

function training(name: string, options: object, environment: object = {}, seed = 1) {
  const project_dir = join(folder, name);
  const metric_monitor = new MetricMonitor();
  const built = setUp({
    shuffle: true,
    options: { project_dir, metric_monitor, save_trainable_only: true, ...options, model: halfFrozen(seed) as never },
    environment: { runDir: project_dir, ...environment },
  });
  built.trainer.storeCheckpointsIn(folderFiles);
  return built;
}

describe('save_trainable_only', () => {
  test('a checkpoint lacks the frozen weights, and a run goes on from it as if it had them', async () => {
    await training('half', { epochs: 2 }).trainer.fit();
    const saved = await loadCheckpoint(join(folder, 'half', 'checkpoints', 'epoch_2'));
    expect([...saved.model.keys()]).toEqual(['modules.2.bias', 'modules.2.weight']);
    expect(saved.manifest.frozen).toEqual({
      names: ['modules.0.bias', 'modules.0.weight'],
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    const more = training('half', { epochs: 4, restore_best: true }, { resumeFrom: saved.folder });
    await more.trainer.fit();
    const whole = training('whole', { epochs: 4, save_trainable_only: false, restore_best: true });
    await whole.trainer.fit();
    expect(await weightsOf(more.trainer.model)).toEqual(await weightsOf(whole.trainer.model));
  });

  test('other frozen weights than those of the training are refused', async () => {
    const { trainer: first } = training('other', { epochs: 1 });
    const { checkpoint = '' } = await first.fit();
    await expect(training('other', { epochs: 2 }, { resumeFrom: checkpoint }, 2).trainer.fit()).rejects.toMatchObject({
      code: 'checkpoint.frozen',
      message: expect.stringMatching(/2 frozen ones \(modules\.0\.bias, .* has others under these names/),
    });
  });

  test('inference builds the frozen weights from the seed, or refuses', async () => {
    const { trainer } = training('asked', { epochs: 1 });
    const { checkpoint = '' } = await trainer.fit();
    const weights = await readWeights(await resolveCheckpoint(checkpoint));
    const frozen = weights.frozen ?? { names: [], sha256: '' };
    // what a constructor draws follows from manualSeed, as in prepareTraining
    const build = async () => {
      const first = new Linear({ in_features: 3, out_features: 5 });
      first.requiresGrad(false);
      return new Sequential(first, new Tanh(), new Linear({ in_features: 5, out_features: 1 }));
    };
    const model = await bringFrozenWeights(build, { seed: 1 }, frozen, weights.source);
    assignWeights(model, weights);
    expect(await weightsOf(model)).toEqual(await weightsOf(trainer.model));
    await expect(bringFrozenWeights(build, { seed: 2 }, frozen, weights.source)).rejects.toMatchObject({
      code: 'checkpoint.frozen',
    });
  });
});

async function file(name: string, tensors: Readonly<Record<string, tf.Tensor>>): Promise<string> {
  const chunks: Uint8Array[] = [];
  const sources = Object.entries(tensors).map(([key, tensor]) => tensorSource(key, tensor));
  await writeSafetensors({ write: async (bytes) => void chunks.push(bytes.slice()) }, sources);
  writeFileSync(join(folder, name), Buffer.concat(chunks));
  return join(folder, name);
}

function settings(load_pretrained: unknown) {
  const read = readPretrained({ load_pretrained });
  if (read === undefined) throw new Error('the test names a file');
  return read;
}

describe('load_pretrained', () => {
  test('takes what agrees in name and shape, and reports the rest', async () => {
    const path = await file('wrapped.safetensors', {
      'module.modules.0.weight': tf.fill([5, 3], 0.5),
      'module.modules.2.weight': tf.zeros([7, 5]),
      'module.head.bias': tf.zeros([2]),
    });
    const model = halfFrozen();
    const before = await weightsOf(model);
    const report = await loadPretrained(model, settings({ ckpt_path: path, strip_prefix: 'module.' }));
    expect(report.isWhole).toBe(false);
    expect(report.text).toBe(
      `load_pretrained: 1 of the model's 4 tensors are those of ${path}. Not in the file: modules.0.bias, modules.2.bias; only in the file: module.head.bias; of another shape: modules.2.weight ([7,5] there, [1,5] in the model).`,
    );
    const turned = await file('turned.safetensors', {
      'model.modules.0.weight': tf.zeros([5, 3]),
      'modules.2.weight': tf.zeros([5, 1]),
    });
    expect(
      (await loadPretrained(halfFrozen(), settings(turned)).catch((error: Error) => ({ text: error.message }))).text,
    ).toMatch(/set strip_prefix: model\. in.* modules\.2\.weight has its dimensions in another order there/);
    await expect(loadPretrained(model, settings(join(folder, 'turnt.safetensors')))).rejects.toThrow(
      /no file .*Did you mean 'turned\.safetensors'\? .* has: /,
    );
    expect(await weightsOf(model)).toEqual([...Array.from({ length: 15 }, () => 0.5), ...before.slice(15)]);
  });

  test('a checkpoint of another run gives its averages unless told otherwise', async () => {
    const { trainer } = training('averaged', { epochs: 2, save_trainable_only: false, ema_decay: 0.5 });
    await trainer.fit();
    const [averaged, last] = [halfFrozen(3), halfFrozen(3)];
    const ckpt_path = join(folder, 'averaged', 'checkpoints', 'epoch_2');
    expect(await loadPretrained(averaged, settings(ckpt_path))).toMatchObject({ isWhole: true });
    await loadPretrained(last, settings({ ckpt_path, use_ema: false }));
    expect(await weightsOf(last)).toEqual(await weightsOf(trainer.model));
    expect(await weightsOf(averaged)).not.toEqual(await weightsOf(last));
  });

  test.each([
    { id: 'a difference, with strict', strict: true, says: /not in the file: modules\.0\.bias/ },
    { id: 'a file of which nothing fits', strict: false, says: /no tensor fits at all/ },
  ])('refuses $id, and changes nothing', async ({ strict, says }) => {
    const path = await file('one.safetensors', { [strict ? 'modules.0.weight' : 'x']: tf.fill([5, 3], 0.5) });
    const model = halfFrozen();
    const before = await weightsOf(model);
    await expect(loadPretrained(model, settings({ ckpt_path: path, strict }))).rejects.toThrow(says);
    expect(await weightsOf(model)).toEqual(before);
  });

  test.each([
    { value: 3, says: /must be a path, or a section/ },
    { value: { strict: true }, says: /needs 'ckpt_path'/ },
    { value: { ckpt_path: 'x', strict: 'no' }, says: /'strict' must be true or false; it is "no"/ },
    { value: { ckpt_path: 'x', prefix: 'y' }, says: /no option 'prefix'.*It takes: ckpt_path, strict, strip_prefix/ },
  ])('refuses $value', ({ value, says }) => {
    expect(() => readPretrained({ load_pretrained: value })).toThrow(says);
  });
});
