import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseIdx } from '../../../engine/data/files/idxFile.ts';
import { initProject } from '../../../engine/instantiate/index.ts';

const run = promisify(execFile);
const LOADER = fileURLToPath(new URL('../../../engine/instantiate/loader/registerProjectLoader.ts', import.meta.url));
const TRAIN = fileURLToPath(new URL('../../fixtures/template/trainSteps.ts', import.meta.url));
let project: string;

beforeAll(() => {
  project = initProject(join(mkdtempSync(join(tmpdir(), 'accelhydra-template-')), 'digits'), 'mnist').root;
});

afterAll(() => {
  rmSync(join(project, '..'), { recursive: true, force: true });
});

/** Prepares the digits in a process of its own, in a project that has no node_modules. */
async function prepare(root: string): Promise<{ readonly samples: number; readonly progress: string }> {
  const script = `
    import { registerProjectLoader } from ${JSON.stringify(LOADER)};
    registerProjectLoader({ sourceRoots: [${JSON.stringify(project)}] });
    const { digits } = await import(${JSON.stringify(`file://${project}/datasets/mnist.ts`)});
    console.log((await digits({ root: ${JSON.stringify(root)}, split: 'test' })).length);`;
  const { stdout, stderr } = await run(process.execPath, ['--input-type=module', '-e', script], { cwd: project });
  return { samples: Number(stdout), progress: stderr };
}

describe('digits are prepared', () => {
  test('once, whole and as IDX files, when two processes ask at the same time', async () => {
    const root = join(project, 'data/mnist'); // where the trainings below find them
    const both = await Promise.all([prepare(root), prepare(root)]);
    expect(both.map(({ samples }) => samples)).toEqual([1500, 1500]);
    expect(both.filter(({ progress }) => progress.includes('Preparing MNIST digits: 100 %'))).toHaveLength(1);
    expect(readdirSync(root).sort()).toEqual([
      't10k-images-idx3-ubyte',
      't10k-labels-idx1-ubyte',
      'train-images-idx3-ubyte',
      'train-labels-idx1-ubyte',
    ]);
    const images = parseIdx(readFileSync(join(root, 'train-images-idx3-ubyte')), 'train');
    const labels = parseIdx(readFileSync(join(root, 't10k-labels-idx1-ubyte')), 'test');
    expect(images.shape).toEqual([8500, 28, 28]);
    expect(Math.max(...images.data.subarray(0, 7840))).toBe(255);
    const counts = Array.from({ length: 10 }, (_, digit) => labels.data.filter((label) => label === digit).length);
    expect(Math.min(...counts)).toBeGreaterThan(100);
    const digest = createHash('sha256')
      .update(readFileSync(join(root, 'train-labels-idx1-ubyte')))
      .digest('hex');
    expect(digest).toMatchInlineSnapshot(`"6222cd56142c1bc6880537913398ac428083e4694b9571a9568f0f61e97e1a60"`);
  });

  test('although a process died while it prepared them', async () => {
    const root = join(project, 'data/abandoned');
    mkdirSync(root, { recursive: true });
    const { stdout } = await run(process.execPath, ['-e', 'console.log(process.pid)']);
    writeFileSync(join(root, '.preparing'), stdout.trim());
    expect((await prepare(root)).samples).toBe(1500);
    expect(existsSync(join(root, '.preparing'))).toBe(false);
  });

  test('not at all when MNIST is there, gzipped or not', async () => {
    const root = join(project, 'data/full');
    mkdirSync(root, { recursive: true });
    for (const name of [
      'train-images-idx3-ubyte.gz',
      'train-labels-idx1-ubyte',
      't10k-images-idx3-ubyte',
      't10k-labels-idx1-ubyte',
    ]) {
      writeFileSync(join(root, name), 'not really');
    }
    await expect(prepare(root)).rejects.toThrow('is no IDX file');
    expect(readdirSync(root)).toHaveLength(4);
  });
});

interface Trained {
  readonly status?: string;
  readonly step?: number;
  readonly lr?: number;
  readonly metrics?: Readonly<Record<string, number>>;
  readonly error?: string;
}

const short = ['epochs=1', '+trainer.save_every_n_steps=null', 'trainer.save_every_n_epochs=null', 'epoch_length=3'];

const steps: Trained = { status: 'completed', step: 3 };
const aboveZero: unknown = expect.toSatisfy((value: number) => value > 0, 'is above 0');
const trainings: readonly { readonly id: string; readonly overrides: readonly string[]; readonly expected: unknown }[] =
  [
    {
      id: 'as it is',
      overrides: [],
      expected: { ...steps, metrics: { 'val/accuracy': aboveZero, 'val/loss': aboveZero } },
    },
    {
      id: 'with another backbone, optimizer, schedule and loss',
      overrides: ['model/backbone=mlp', 'optimizer=sgd', 'lr_scheduler=one_cycle', 'loss@loss_fn=label_smoothing'],
      expected: { ...steps, metrics: { 'val/accuracy': aboveZero } },
    },
    {
      id: "with the issue's overrides",
      overrides: [
        'warmup_params.warmup_steps=500',
        'train_dataloader.batch_size=12',
        '+data_dict.mnist.test.max_samples=100',
      ],
      expected: { ...steps, metrics: { 'val/accuracy': aboveZero } },
    },
    {
      id: 'a language model',
      overrides: ['+experiment=char_lm'],
      expected: { ...steps, metrics: { 'val/loss': aboveZero, 'val/perplexity': aboveZero } },
    },
    {
      id: 'a language model on convolutions',
      overrides: ['+experiment=char_lm', 'model/backbone=causal_conv'],
      expected: { ...steps, metrics: { 'val/perplexity': aboveZero } },
    },
    {
      id: 'with its own resolver: the learning rate follows the batch',
      overrides: [
        '+experiment=cosine',
        'train_dataloader.batch_size=128',
        'warmup_params.warmup_steps=0',
        'lr_scheduler=constant',
      ],
      expected: { lr: expect.closeTo(0.1, 10) },
    },
    {
      id: 'to nothing but a clear message with a backbone for another kind of data',
      overrides: ['model/backbone=transformer'],
      expected: { error: expect.stringContaining('choose model/backbone=cnn or mlp') },
    },
  ];

describe('a project from the template trains', () => {
  // one process for all: starting it and loading TensorFlow takes longer than three steps
  let lines: readonly string[];
  beforeAll(async () => {
    const lists = trainings.map(({ overrides }) => [...short, ...overrides]);
    const { stdout } = await run(process.execPath, [TRAIN, project, JSON.stringify(lists)], { cwd: project });
    lines = stdout.split('\n').filter((line) => line.startsWith('{'));
  });

  test.each(trainings.map(({ id, expected }, index) => ({ id, expected, index })))('$id', ({ expected, index }) => {
    const trained: Trained = JSON.parse(lines[index] ?? 'null');
    expect(trained).toMatchObject(expected as Trained);
  });
});
