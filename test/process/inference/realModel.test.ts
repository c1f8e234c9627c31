import { fork } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { tensorflowObstacle } from '../../../engine/backend/index.ts';
import { saveCheckpoint, type TensorSource } from '../../../engine/checkpoint/index.ts';
import { runExport } from '../../../engine/inference/export/runExport.ts';
import { InferenceSession, runInference } from '../../../engine/inference/index.ts';
import type { ForkChild } from '../../../engine/process/childPort.ts';

const FIXTURE = fileURLToPath(new URL('../../fixtures/inference/project', import.meta.url));
const RUN = 'experiments/run';
let project: string;

const forkReal: ForkChild = ({ module, folder, environment }) =>
  fork(module, [], {
    cwd: folder,
    env: { ...process.env, ...environment },
    execArgv: [],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    serialization: 'advanced',
  });

/** Weights with which the white corner of an image decides its class. */
function weights(classes: number): TensorSource[] {
  const values = Float32Array.from({ length: classes * 4 }, (_, at) => (at % 4 === Math.floor(at / 4) ? 5 : 0));
  return [
    { name: 'head.weight', dtype: 'F32', shape: [classes, 4], data: () => values },
    { name: 'head.bias', dtype: 'F32', shape: [classes], data: () => new Float32Array(classes) },
  ];
}

async function save(
  name: string,
  step: number,
  model: TensorSource[],
  configText?: string,
  ema?: TensorSource[],
): Promise<string> {
  const folder = join(project, RUN, 'checkpoints', name);
  const kind = name === 'best' ? 'best' : 'epoch';
  await saveCheckpoint({ folder, kind, epoch: step, step, metrics: {}, time: 0, model, ema, state: {}, configText });
  return folder;
}

beforeAll(async () => {
  project = mkdtempSync(join(tmpdir(), 'accelhydra-inference-'));
  cpSync(FIXTURE, project, { recursive: true });
  mkdirSync(join(project, RUN), { recursive: true });
  cpSync(join(project, 'configs/train.yaml'), join(project, RUN, 'config.yaml'));
  await save('best', 2, weights(3));
  await save('epoch_9', 9, weights(3));
  await save('epoch_10', 10, weights(3));
});

afterAll(() => {
  rmSync(project, { recursive: true, force: true });
});

const infer = (...overrides: string[]) =>
  runInference({ fork: forkReal, projectRoot: project, configName: 'inference', overrides });

describe('a checkpoint over a data split', () => {
  test('writes a line a sample and the metrics, beside the run', async () => {
    const progress: (readonly [number, number | undefined])[] = [];
    const notes: string[] = [];
    const result = await runInference({
      fork: forkReal,
      projectRoot: project,
      configName: 'inference',
      overrides: [`exp_dir=${RUN}`, 'output_name=mine'],
      onProgress: (done, total) => progress.push([done, total]),
      onNote: (text) => notes.push(text),
    });
    if (tensorflowObstacle() === undefined) expect(notes).toContain("The model's call ran as a graph");
    const folder = join(project, RUN, 'inference/mine');
    expect(result).toMatchObject({ outputDir: folder, samples: 5, step: 2, metrics: { accuracy: 1 } });
    expect(progress).toEqual([
      [2, 5],
      [4, 5],
      [5, 5],
    ]);
    const lines = readFileSync(join(folder, 'predictions.jsonl'), 'utf8').trim().split('\n');
    expect(lines.map((line): unknown => JSON.parse(line))[4]).toEqual({ index: 4, predicted: 1, expected: 1 });
    expect(JSON.parse(readFileSync(join(folder, 'metrics.json'), 'utf8'))).toMatchObject({
      checkpoint: join(project, RUN, 'checkpoints/best'),
      samples: 5,
      metrics: { accuracy: 1 },
    });
  });

  test('takes bare weights, with the config of the run, and no graphs where that is said', async () => {
    const file = `${RUN}/checkpoints/epoch_9/model.safetensors`;
    const notes: string[] = [];
    const overrides = [`exp_dir=${RUN}`, `ckpt_dir_or_file=${file}`, '+compile=false'];
    const result = await runInference({
      fork: forkReal,
      projectRoot: project,
      configName: 'inference',
      overrides,
      onNote: (text) => notes.push(text),
    });
    expect(result).toMatchObject({ step: 0, metrics: { accuracy: 1 } });
    expect(notes.join()).not.toContain('graph');
    await expect(infer(`exp_dir=${RUN}`, '+compile=often')).rejects.toMatchObject({ code: 'inference.settings' });
  });

  test('takes the data that the run was trained with, where nobody says otherwise', async () => {
    mkdirSync(join(project, 'configs/data'), { recursive: true });
    for (const [name, count] of [
      ['few', 2],
      ['many', 7],
    ] as const) {
      writeFileSync(
        join(project, `configs/data/${name}.yaml`),
        `test_data: {_target_: datasets.points.points, count: ${count}}\n`,
      );
    }
    const inference = readFileSync(join(project, 'configs/inference.yaml'), 'utf8').replace(/data_dict:\n.*\n/, '');
    writeFileSync(
      join(project, 'configs/infer_groups.yaml'),
      `defaults:\n  - data@data_dict: few\n  - _self_\n${inference}`,
    );
    mkdirSync(join(project, RUN, '.hydra'), { recursive: true });
    writeFileSync(join(project, RUN, '.hydra/hydra.yaml'), 'runtime:\n  choices:\n    data@data_dict: many\n');
    const run = (...overrides: string[]) =>
      runInference({
        fork: forkReal,
        projectRoot: project,
        configName: 'infer_groups',
        overrides: [`exp_dir=${RUN}`, ...overrides],
      });
    expect(await run()).toMatchObject({ samples: 7 });
    expect(await run('data@data_dict=few')).toMatchObject({ samples: 2 });
    rmSync(join(project, RUN, '.hydra'), { recursive: true });
  });

  test('a data set that cannot be built is told with its key', async () => {
    const wrong = '++data_dict.test_data._target_=datasets.points.pionts';
    await expect(infer(`exp_dir=${RUN}`, wrong)).rejects.toMatchObject({
      code: 'instantiate.target-not-found',
      message: expect.stringMatching(/Did you mean 'datasets.points.points'\?[\s\S]*full_key: data_dict.test_data/),
    });
  });

  test('a checkpoint of another model: which tensors differ', async () => {
    await save('epoch_20', 20, weights(2), readFileSync(join(project, RUN, 'config.yaml'), 'utf8'));
    const failure = infer(`ckpt_dir_or_file=${RUN}/checkpoints/epoch_20`);
    await expect(failure).rejects.toMatchObject({
      code: 'checkpoint.other-model',
      message: expect.stringContaining('head.weight is [2,4] there and [3,4] in the model'),
    });
    rmSync(join(project, RUN, 'checkpoints/epoch_20'), { recursive: true });
  });

  test('the config inside the checkpoint goes before the one of the run', async () => {
    const own = readFileSync(join(project, RUN, 'config.yaml'), 'utf8').replace('classes: 3', 'classes: 2');
    await save('epoch_21', 21, weights(2), own);
    expect(await infer(`ckpt_dir_or_file=${RUN}/checkpoints/epoch_21`)).toMatchObject({ metrics: { accuracy: 0.8 } });
    rmSync(join(project, RUN, 'checkpoints/epoch_21'), { recursive: true });
  });

  test('stopped early, nothing is written', async () => {
    const stop = new AbortController();
    stop.abort();
    const overrides = [`exp_dir=${RUN}`, 'output_name=stopped'];
    const running = runInference({
      fork: forkReal,
      projectRoot: project,
      configName: 'inference',
      overrides,
      signal: stop.signal,
    });
    await expect(running).rejects.toMatchObject({ code: 'inference.stopped' });
    expect(existsSync(join(project, RUN, 'inference/stopped/predictions.jsonl'))).toBe(false);
  });
});

test('a session describes the model, shows samples and answers', async () => {
  const start = {
    projectRoot: project,
    expDir: join(project, RUN),
    checkpoint: join(project, RUN, 'checkpoints/best'),
  };
  const { session, description } = await InferenceSession.open({ fork: forkReal, start });
  try {
    expect(description).toMatchObject({
      signature: { input: { type: 'image', height: 2, width: 2 }, output: { names: ['first', 'second', 'third'] } },
      parameters: 15,
      hasAverages: false,
      isAveraged: false,
      step: 2,
      splits: ['test', 'train'],
    });
    const page = await session.samples('train', 2, 10);
    expect(page).toMatchObject({ total: 4, offset: 2 });
    expect(page.samples.map(({ index, label }) => [index, label])).toEqual([
      [2, 'third'],
      [3, 'first'],
    ]);
    expect([...(page.samples[0]?.pixels ?? [])]).toEqual([0, 0, 1, 0]);

    const drawn = await session.predict({ type: 'image', pixels: Float64Array.of(0, 1, 0, 0) });
    expect(drawn.output).toMatchObject({ type: 'classes', classes: [{ name: 'second' }, {}, {}] });
    const picked = await session.predict({ type: 'sample', split: 'test', index: 2 });
    expect(picked).toMatchObject({ expected: 'third', output: { classes: [{ name: 'third' }, {}, {}] } });

    const small = session.predict({ type: 'image', pixels: Float64Array.of(1) });
    await expect(small).rejects.toMatchObject({ code: 'inference.input' });
    await expect(session.samples('tset', 0, 1)).rejects.toMatchObject({
      message: expect.stringContaining("Did you mean 'test'?"),
    });
    await expect(session.predict({ type: 'text', text: 'a' })).rejects.toMatchObject({ code: 'inference.input' });
  } finally {
    await session.dispose();
  }
});

describe.skipIf(tensorflowObstacle() !== undefined)('a checkpoint as a SavedModel', () => {
  test('takes any number of samples, gives what the model gives, and is not replaced unasked', async () => {
    const target = join(project, RUN, 'checkpoints/best');
    const request = { fork: forkReal, projectRoot: project, target, overwrite: false, useEma: true };
    const done = await runExport(request);
    expect(done).toMatchObject({
      output: join(project, RUN, 'export/best'),
      checkpoint: target,
      step: 2,
      input: { name: 'input', dtype: 'float32', shape: [-1, 2, 2, 1] },
      outputs: [{ name: 'output', dtype: 'float32', shape: [-1, 3] }],
      parameters: 15,
    });
    expect(done.difference).toBeLessThan(1e-6);
    expect(done.fixedBecause).toBeUndefined();
    expect(JSON.parse(readFileSync(join(done.output, 'assets.extra/accelhydra.json'), 'utf8'))).toMatchObject({
      step: 2,
    });
    await expect(runExport(request)).rejects.toThrow('--overwrite');
  });
});

test("where training averaged the weights, the last step's own answer when they are asked for; by its loss with labels; a call that is no graph says so", async () => {
  const [weight, bias] = weights(3);
  if (weight === undefined || bias === undefined) throw new Error('the model has two tensors');
  // the averages know the pixels, the last step says 'first' to everything
  const own = [
    { ...weight, data: () => new Float32Array(12) },
    { ...bias, data: () => Float32Array.of(1, 0, 0) },
  ];
  const trained = readFileSync(join(project, RUN, 'config.yaml'), 'utf8');
  const config = `${trained.replace('models.corner.Corner', 'models.restless.Restless')}\nloss_fn: {_target_: torch.nn.BCEWithLogitsLoss}\n`;
  const checkpoint = await save('epoch_30', 30, own, config, weights(3));
  const start = { projectRoot: project, expDir: join(project, RUN), checkpoint, useEma: false };
  const { session, description } = await InferenceSession.open({ fork: forkReal, start });
  try {
    expect(description).toMatchObject({ hasAverages: true, isAveraged: false });
    const drawn = await session.predict({ type: 'image', pixels: Float64Array.of(0, 1, 0, 0) });
    expect(description.signature.output).toEqual({ type: 'labels', names: ['first', 'second', 'third'] });
    const first = { name: 'first', probability: expect.closeTo(1 / (1 + Math.exp(-1)), 3) };
    expect(drawn.output).toMatchObject({ type: 'labels', labels: [first, {}, {}] });
    // the second answer would be a graph's: that it is none is told with it and those that follow
    const again = [1, 2].map(() => session.predict({ type: 'image', pixels: Float64Array.of(0, 1, 0, 0) }));
    const notes = (await Promise.all(again)).map(({ note }) => note);
    if (tensorflowObstacle() === undefined)
      expect(notes).toEqual(
        Array(2).fill(
          expect.stringMatching(/^Restless\.call cannot run as one graph: it makes another value.*restless\.ts:8/),
        ),
      );
  } finally {
    await session.dispose();
    rmSync(checkpoint, { recursive: true });
  }
});
