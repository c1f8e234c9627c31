import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import type { ModelSignature, PredictInput } from '../../../engine/api/inferenceModel.ts';
import { loadYaml } from '../../../engine/config/index.ts';
import { ListDataset } from '../../../engine/data/index.ts';
import { asTrained } from '../../../engine/inference/labelSignature.ts';
import type { InferenceModel } from '../../../engine/inference/modelContract.ts';
import { predictOnce } from '../../../engine/inference/predictOnce.ts';
import { SampleSource } from '../../../engine/inference/samples.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const signature = (dtype: string): ModelSignature => ({
  input: { type: 'tensor', shape: [null, 2], dtype },
  output: { type: 'tensor', shape: [null, 2] },
  arguments: [],
});

const samples = [[Float32Array.of(3, 4), 1] as const, [Float32Array.of(5, 6), 0] as const];

/** Asks a model that doubles what it is given; `seen` is the tensor that it got. */
async function ask(input: PredictInput, dtype = 'float32', own: Partial<InferenceModel> = {}) {
  let seen: tf.Tensor | undefined;
  const model = {
    call: (x: tf.Tensor) => {
      seen = x;
      return x.mul(tf.scalar(2, x.dtype));
    },
    ...own,
  };
  const dataset = async () => new ListDataset({ samples });
  const source = new SampleSource(new Map([['test', dataset]]), model, signature(dtype));
  const { output, expected } = await predictOnce(model, signature(dtype), input, {}, source);
  return { output, expected, dtype: seen?.dtype, page: await source.page('test', 0, 1) };
}

const numbers = (shape: number[], ...values: number[]): PredictInput => ({
  type: 'tensor',
  shape,
  values: Float64Array.from(values),
});

test.each(['float32', 'int32'])('numbers become a tensor of the dtype that the signature says: %s', async (dtype) => {
  const asked = await ask(numbers([1, 2], 1, 2), dtype);
  expect(asked).toMatchObject({ dtype, output: { type: 'tensor', shape: [1, 2], values: [2, 4] } });
});

test.each([
  { id: 'another size', input: numbers([1, 3], 1, 2, 3) },
  { id: 'no batch', input: numbers([2], 1, 2) },
  { id: 'fewer values than the shape has', input: numbers([2, 2], 1, 2) },
])('$id is refused with the shape that the model takes', async ({ input }) => {
  await expect(ask(input)).rejects.toThrow('The model takes a tensor of shape [?, 2], the batch first');
});

test('a sample of the data is asked about as a batch of one', async () => {
  const asked = await ask({ type: 'sample', split: 'test', index: 1 });
  expect(asked).toMatchObject({ expected: '0', output: { shape: [1, 2], values: [10, 12] } });
  expect(asked.page.samples).toEqual([{ index: 0, label: '1' }]);
});

test('describe_sample says which part of a sample the model takes', async () => {
  const describe_sample = () => ({ label: 'seven', tensor: { data: Float32Array.of(7, 7), shape: [2] } });
  const asked = await ask({ type: 'sample', split: 'test', index: 0 }, 'float32', { describe_sample });
  expect(asked).toMatchObject({ expected: 'seven', output: { values: [14, 14] } });
});

describe('labels, of which several may hold', () => {
  const names = ['a', 'b'];
  const askNamed = async (type: 'classes' | 'labels', own: Partial<InferenceModel> = {}) => {
    const stated: ModelSignature = { ...signature('float32'), output: { type, names } };
    const model = { call: (x: tf.Tensor) => x, ...own };
    const source = new SampleSource(new Map(), model, stated);
    return (await predictOnce(model, stated, numbers([1, 2], 1, 2), {}, source)).output;
  };
  const answering = (...probabilities: number[]): Partial<InferenceModel> => ({
    predict: () => ({
      type: 'classes',
      classes: probabilities.map((probability, at) => ({ name: `${at}`, probability })),
    }),
  });

  test('have a sigmoid each, classes one softmax', async () => {
    const labels = await askNamed('labels');
    expect(labels.type === 'labels' && labels.labels.map(({ name }) => name)).toEqual(['b', 'a']);
    expect(labels.type === 'labels' && labels.labels[0]?.probability).toBeCloseTo(1 / (1 + Math.exp(-2)), 6);
    const classes = await askNamed('classes');
    expect(classes.type === 'classes' && classes.classes[0]?.probability).toBeCloseTo(1 / (1 + Math.exp(-1)), 6);
  });

  test.each([
    { id: 'more than one in all', own: answering(0.9, 0.8), type: 'labels' },
    { id: 'less than one in all of every class', own: answering(0.2, 0.1), type: 'labels' },
    { id: 'a distribution, rounded', own: answering(0.66, 0.33), type: 'classes' },
    { id: 'the likeliest of more', own: answering(0.4), type: 'classes' },
  ])('are told from classes by their sum: $id', async ({ own, type }) => {
    expect((await askNamed('classes', own)).type).toBe(type);
  });

  test('are named where a sample has one value for each', async () => {
    const stated: ModelSignature = { ...signature('float32'), output: { type: 'labels', names } };
    const tagged = [
      [0, 1],
      [1, 1],
      [0, 0],
    ].map((tags) => [Float32Array.of(3, 4), Float32Array.from(tags)]);
    const dataset = async () => new ListDataset({ samples: tagged });
    const source = new SampleSource(new Map([['test', dataset]]), {}, stated);
    const { samples: told } = await source.page('test', 0, 3);
    expect(told.map(({ label }) => label)).toEqual(['b', 'a, b', 'none']);
  });

  test.each([
    { loss: 'torch.nn.BCEWithLogitsLoss', output: { type: 'labels', names } },
    { loss: 'torch.nn.MultiLabelSoftMarginLoss', output: { type: 'labels', names } },
    { loss: 'torch.nn.SoftMarginLoss', output: { type: 'labels', names } },
    { loss: 'torch.nn.BCELoss', output: { type: 'labels', names, fromLogits: false } },
    { loss: 'torch.nn.CrossEntropyLoss', output: { type: 'classes', names } },
    { loss: 'losses.OwnBCEWithLogitsLossScaled', output: { type: 'classes', names } },
    // what its terms are, the model alone knows
    { loss: 'accelhydra.losses.LossSumWrapper', output: { type: 'classes', names } },
  ])('are what $loss trains: $output.type', ({ loss, output }) => {
    const stated: ModelSignature = { ...signature('float32'), output: { type: 'classes', names } };
    const config = loadYaml(`loss_fn: {_target_: ${loss}}`);
    expect(asTrained(stated, config).output).toEqual(output);
  });

  test('of a model that ends with a sigmoid of its own, which BCELoss takes, have no second one', async () => {
    const labels = { type: 'labels', names, threshold: 0.7 } as const;
    const config = loadYaml('loss_fn: {_target_: torch.nn.BCELoss}');
    const trained = asTrained({ ...signature('float32'), output: labels }, config);
    expect(trained.output).toEqual({ ...labels, fromLogits: false });
    const model = { call: (x: tf.Tensor) => tf.sigmoid(x) };
    const { output } = await predictOnce(
      model,
      trained,
      numbers([1, 2], 0, 2),
      {},
      new SampleSource(new Map(), {}, trained),
    );
    expect(output).toMatchObject({ type: 'labels', labels: [{ name: 'b' }, { name: 'a', probability: 0.5 }] });
    const told = asTrained({ ...trained, output: { ...labels, fromLogits: true } }, config);
    expect(told.output).toEqual({ ...labels, fromLogits: true });
  });
});
