// A model's call as graphs: the same answers, and calls that are no graph stay as they are, with one line why.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { loadBackend, type NativeBinding, tensorflowObstacle } from '../../../engine/backend/index.ts';
import { loadYaml } from '../../../engine/config/index.ts';
import { Module, manualSeed } from '../../../engine/index.ts';
import { type CallGraphs, callGraphsOf, compileCalls } from '../../../engine/inference/compileCalls.ts';
import { CausalConv } from '../../../resources/templates/mnist/models/causalConv.ts';
import { CharLanguageModel } from '../../../resources/templates/mnist/models/charLanguageModel.ts';
import { DigitClassifier } from '../../../resources/templates/mnist/models/classifier.ts';
import { DigitCNN } from '../../../resources/templates/mnist/models/cnn.ts';
import { CausalTransformer } from '../../../resources/templates/mnist/models/transformer.ts';
import { withBinding } from '../trainer/compiledSupport.ts';

const missing = tensorflowObstacle();
const quiet = (): void => undefined;

/** A call of one's own, which says how often it ran. */
class Own extends Module<readonly unknown[], unknown> {
  readonly weight = tf.variable(tf.tensor1d([1, 2]));
  readonly #work: (weight: tf.Tensor, ...inputs: tf.Tensor[]) => unknown;
  scale = 3;
  calls = 0;

  constructor(work: (weight: tf.Tensor, ...inputs: tf.Tensor[]) => unknown) {
    super();
    this.#work = work;
  }

  call(...inputs: tf.Tensor[]): unknown {
    runs++;
    return this.#work(this.weight.mul(this.scale), ...inputs);
  }
}

let runs = 0;

function compiled(model: Module<never[], unknown>, mode: 'auto' | true = 'auto', xla: CallGraphs['xla'] = false) {
  const notes: string[] = [];
  const asAnswering = model as Module<never[], unknown> & { call(...inputs: unknown[]): unknown };
  const compiler = compileCalls(asAnswering, { mode, xla }, (text) => notes.push(text));
  if (compiler === undefined) throw new Error('nothing compiles here');
  return { compiler, notes };
}

const numbers = (value: unknown): number[] => {
  if (!(value instanceof tf.Tensor)) throw new Error('no tensor');
  return [...value.dataSync()];
};

/** What `ask` gives for each round, before and after calls are graphs. */
function expectSame(model: Module<never[], unknown>, rounds: number, ask: (round: number) => number[]): number {
  const before = Array.from({ length: rounds }, (_, round) => ask(round));
  const { compiler, notes } = compiled(model);
  const { numTensors } = tf.memory();
  for (const [round, wanted] of before.entries()) {
    const found = ask(round);
    const worst = Math.max(...found.map((value, i) => Math.abs(value - (wanted[i] ?? Number.NaN))));
    expect(worst).toBeLessThan(1e-6);
  }
  expect(notes).toEqual([]);
  expect(tf.memory().numTensors).toBe(numTensors);
  const { graphs } = compiler;
  compiler.dispose();
  return graphs;
}

describe.skipIf(missing)(`compiled calls${missing ? ` (${missing})` : ''}`, () => {
  beforeAll(async () => {
    await loadBackend({ backend: 'tensorflow', threads: 1, interOpThreads: 1 });
    manualSeed(3);
  });

  test('a classifier answers the same over batches of two sizes, and with weights that change', () => {
    const backbone = new DigitCNN({ channels: [4, 8], out_features: 8, image_size: 28 });
    const model = new DigitClassifier({ backbone, dropout: 0.5, mean: 0.1, std: 0.3 }).eval();
    const ask = (round: number): number[] => {
      const images = tf.randomUniform([round === 4 ? 3 : 5, 28, 28, 1], 0, 1, 'float32', round);
      const labels = tf.zeros([images.shape[0] ?? 0], 'int32');
      const { predictions } = model.infer_batch([images, labels]);
      tf.dispose([images, labels]);
      return predictions.map((item) => Number(Reflect.get(item, 'probability')));
    };
    expect(expectSame(model, 6, ask)).toBe(1);
    const { notes, compiler } = compiled(model);
    const images = tf.ones([2, 28, 28, 1]);
    const first = [0, 1, 2].map(() => numbers(model.call(images)))[2];
    const bias = numbers(model.head.bias);
    model.head.bias?.assign(tf.fill([10], 7));
    const second = numbers(model.call(images));
    second.forEach((value, i) => {
      expect(value - (first?.[i] ?? Number.NaN)).toBeCloseTo(7 - (bias[i % 10] ?? Number.NaN), 4);
    });
    // in training mode dropout draws: another computation
    model.train();
    expect(numbers(model.call(images))).not.toEqual(numbers(model.call(images)));
    expect(notes).toHaveLength(1);
    expect(notes[0]).toContain('DigitClassifier.call cannot run as one graph: it draws noise');
    compiler.dispose();
  });

  test.each([
    ['a transformer', () => new CausalTransformer({ dim: 16, depth: 1, heads: 2, ff_mult: 2, dropout: 0.1 }), 3],
    ['convolutions', () => new CausalConv({ dim: 16, depth: 2, kernel_size: 3 }), 3],
  ] as const)('%s writes the same text, with few graphs', async (_, backbone, graphs) => {
    const model = new CharLanguageModel({ backbone: backbone(), characters: 'abcdefgh ', context_length: 40 }).eval();
    const write = () => model.predict({ type: 'text', text: 'a bad cab' }, { length: 60, temperature: 1, seed: 4 });
    const eager = await write();
    const { compiler, notes } = compiled(model);
    expect(await write()).toEqual(eager);
    expect({ notes, graphs: compiler.graphs }).toEqual({ notes: [], graphs });
    compiler.dispose();
    const texts = () =>
      tf.tensor2d(
        Array.from({ length: 80 }, (__, i) => (i * 5) % 9),
        [2, 40],
        'int32',
      );
    expectSame(model, 3, () => tf.tidy(() => numbers(model.call(texts()))));
  });

  test('lists and objects of tensors come back as they are; fields and aliases are looked at', () => {
    const list = new Own((weight, a) => [weight.add(a ?? weight)]);
    const object = new Own((weight, a, b) => ({ sum: weight.add(a ?? 0), product: (a ?? weight).mul(b ?? 1) }));
    const [a, b] = [tf.tensor1d([1, 5]), tf.tensor1d([2, 3])];
    const [one, two] = [compiled(list, true), compiled(object, true)];
    const callAll = () => {
      const [sum] = list.call(a) as tf.Tensor[];
      const both = object.call(a, b) as Record<string, tf.Tensor>;
      const same = object.call(a, a) as Record<string, tf.Tensor>;
      return [sum, both.sum, both.product, same.product].map(numbers);
    };
    for (const round of [1, 2, 3, 4]) {
      if (round === 3) list.scale = 4;
      const factor = round < 3 ? 3 : 4;
      expect(callAll()).toEqual([
        [factor + 1, 2 * factor + 5],
        [4, 11],
        [2, 15],
        [1, 25],
      ]);
    }
    expect([one.compiler.graphs, two.compiler.graphs]).toEqual([2, 2]);
    runs = 0;
    callAll();
    expect(runs).toBe(0);
    one.compiler.dispose();
    two.compiler.dispose();
    callAll();
    expect(runs).toBe(3);
  });

  test.each([
    ['a value read back', (x: tf.Tensor) => (Number(x.dataSync()[0]) > 0 ? x.neg() : x), 'reads a value back'],
    ['a number of chance', (x: tf.Tensor) => x.mul(Math.random() + 1), 'another value on the host each time'],
    ['noise of TensorFlow', (x: tf.Tensor) => x.mul(tf.randomStandardNormal([2])), 'another value on the host'],
    ['a variable', (x: tf.Tensor) => x.add(tf.variable(tf.scalar(1))), 'creates a variable'],
    ['a number', (x: tf.Tensor) => ({ size: x.size }), 'something else than tensors'],
    ['a promise', async (x: tf.Tensor) => Promise.resolve(x), 'something else than tensors'],
  ])('%s: one line, and eager from there on; an error with true', (_, work, reason) => {
    const x = tf.tensor1d([1, 2]);
    const model = new Own((__, input) => work(input ?? x));
    const { notes, compiler } = compiled(model);
    runs = 0;
    for (let i = 0; i < 3; i++) void model.call(x);
    expect(runs).toBeGreaterThanOrEqual(3);
    expect(notes).toHaveLength(1);
    expect(notes[0]).toContain(reason);
    compiler.dispose();
    const strict = compiled(model, true);
    void model.call(x);
    expect(() => model.call(x)).toThrow(reason);
    strict.compiler.dispose();
  });

  test('XLA compiles the graphs where that is asked for, with the same answers', async () => {
    const model = new Own((weight, x) => weight.mul(x ?? 0).tanh());
    const x = tf.tensor1d([0.25, 0.5]);
    const marks: number[] = [];
    const loading = (binding: NativeBinding): Partial<NativeBinding> => ({
      loadSavedModel: (folder, tags) => {
        marks.push(readFileSync(join(folder, 'saved_model.pb'), 'latin1').split('_XlaCompile').length - 1);
        return binding.loadSavedModel(folder, tags);
      },
    });
    const eager = numbers(model.call(x));
    for (const xla of [false, true]) {
      const { compiler, notes } = compiled(model, true, xla);
      await withBinding(loading, () => {
        const answers = [1, 2, 3].map(() => numbers(model.call(x)));
        const close = eager.map((value) => expect.closeTo(value, 5));
        for (const answer of answers) expect(answer).toEqual(close);
      });
      expect(notes).toEqual([]);
      compiler.dispose();
    }
    expect(marks).toEqual([0, expect.toSatisfy((count: number) => count > 1)]);
  });

  test('an error of the model comes with its own message, graphs or not', () => {
    const model = new Own((weight, x) => {
      if (x?.shape[0] === 3) throw new RangeError('three are too many');
      return weight.add(x ?? 0);
    });
    const { notes, compiler } = compiled(model);
    for (let i = 0; i < 3; i++) {
      expect(() => model.call(tf.ones([3]))).toThrow('three are too many');
      expect(numbers(model.call(tf.ones([2])))).toEqual([4, 7]);
    }
    expect(notes).toEqual([]);
    expect(compiler.graphs).toBe(1);
    // gradients are taken of what runs one operation at a time
    const gradient = tf.grad((x: tf.Tensor) => (model.call(x) as tf.Tensor).square().sum());
    expect(numbers(gradient(tf.ones([2])))).toEqual([8, 14]);
    compiler.dispose();
  });
});

test('where graphs cannot be had true is an error and auto is silent', async () => {
  await loadBackend({ backend: 'cpu' });
  const model = new Own((weight) => weight);
  expect(() => compileCalls(model, { mode: true, xla: false }, quiet)).toThrow('needs the native TensorFlow backend');
  expect(compileCalls(model, { mode: 'auto', xla: false }, quiet)).toBeUndefined();
  // XLA that was asked for is refused; of a run that was trained with it, it is told that there is none
  expect(() => compileCalls(model, { mode: 'auto', xla: true }, quiet)).toThrow(
    /compile_xla: true needs a TensorFlow that was built with XLA, and the native TensorFlow backend is not in use/,
  );
  const notes: string[] = [];
  compileCalls(model, { mode: 'auto', xla: 'inherited' }, (text) => notes.push(text));
  expect(notes).toEqual([expect.stringMatching(/trained with compile_xla: true, which needs .* answers without XLA/)]);
});

test.each([
  { run: '{}', asked: {}, graphs: { mode: 'auto', xla: false } },
  { run: '{trainer: {compile_xla: true}}', asked: {}, graphs: { mode: 'auto', xla: 'inherited' } },
  { run: '{trainer: {compile_xla: true}}', asked: { compile_xla: false }, graphs: { mode: 'auto', xla: false } },
  { run: '{trainer: {compile: false}}', asked: {}, graphs: { mode: false, xla: false } },
  { run: '{}', asked: { compile: true, compile_xla: true }, graphs: { mode: true, xla: true } },
] as const)('a run trained with $run, asked with $asked', ({ run, asked, graphs }) => {
  const both = { compile: undefined, compile_xla: undefined, ...asked };
  expect(callGraphsOf(loadYaml(run, { source: 'run' }), both)).toEqual(graphs);
});

test('XLA without graphs is told with what stands against it', () => {
  const ask = (run: string, compile: false | undefined) => () =>
    callGraphsOf(loadYaml(run, { source: 'run' }), { compile, compile_xla: true });
  expect(ask('{}', false)).toThrow(/compile_xla is true .*\(compile is false\)/);
  expect(ask('{trainer: {compile: false}}', undefined)).toThrow(/\(the run was trained with compile: false\)/);
});
