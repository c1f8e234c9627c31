import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, test } from 'vitest';
import { Dropout, Linear, Sequential } from '../../../engine/trainer/model/layers/index.ts';
import { asModule } from '../../../engine/trainer/model/layersModel.ts';
import { Module } from '../../../engine/trainer/model/module.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

class Tied extends Module {
  readonly scale = tf.variable(tf.scalar(2));
  readonly counter = this.buffer(tf.scalar(0));
  readonly scratch = this.buffer(tf.zeros([2]), { persistent: false });
  readonly first: Linear;
  readonly blocks: readonly Module[];
  readonly byName: Readonly<Record<string, Module>>;
  readonly note = 'not a parameter';

  constructor() {
    super();
    this.first = new Linear({ in_features: 2, out_features: 2, bias: false });
    this.blocks = [new Linear({ in_features: 2, out_features: 2 }), new Dropout({ p: 0.1 })];
    this.byName = { again: this.first, other: new Linear({ in_features: 2, out_features: 1 }) };
  }

  call(input: tf.Tensor): tf.Tensor {
    return this.first.call(input).mul(this.scale);
  }
}

test('parameters are found by field, lists and objects included, shared ones once', () => {
  const model = new Tied();
  expect(model.namedParameters().map(({ name }) => name)).toEqual([
    'scale',
    'first.weight',
    'blocks.0.weight',
    'blocks.0.bias',
    'byName.other.weight',
    'byName.other.bias',
  ]);
  expect(model.namedBuffers().map(({ name }) => name)).toEqual(['counter', 'scratch']);
  expect([...model.stateDict().keys()].at(-1)).toBe('counter');
  expect(model.countParams()).toEqual({ total: 14, trainable: 14 });
  model.first.requiresGrad(false);
  expect(model.countParams()).toEqual({ total: 14, trainable: 10 });
});

test('train and eval reach every module', () => {
  const model = new Tied();
  model.eval();
  expect(model.namedModules().every(({ module }) => !module.training)).toBe(true);
  model.train();
  expect(model.blocks[1]?.training).toBe(true);
});

test('a state is copied, or refused whole with what differs', () => {
  const model = new Sequential(new Linear({ in_features: 2, out_features: 1 }));
  const other = new Sequential(new Linear({ in_features: 2, out_features: 1 }));
  other.loadStateDict(model.stateDict());
  expect(other.stateDict().get('modules.0.weight')?.dataSync()).toEqual(
    model.stateDict().get('modules.0.weight')?.dataSync(),
  );
  const state = new Map<string, tf.Tensor>([
    ['net.modules.0.weight', tf.ones([1, 3])],
    ['net.extra', tf.zeros([1])],
  ]);
  const before = model.stateDict().get('modules.0.bias')?.dataSync();
  expect(() => model.loadStateDict(state, { stripPrefix: 'net.' })).toThrow(
    'missing in the state: modules.0.bias; unknown to the model: extra; of another shape: modules.0.weight (model [1,2], state [1,3])',
  );
  expect(model.loadStateDict(state, { strict: false, stripPrefix: 'net.' })).toMatchObject({
    loaded: [],
    missing: ['modules.0.bias'],
  });
  expect(model.stateDict().get('modules.0.bias')?.dataSync()).toEqual(before);
});

test('a tf.LayersModel is a module with stable names', async () => {
  const make = () =>
    tf.sequential({
      layers: [
        tf.layers.dense({ units: 3, inputShape: [2], activation: 'tanh' }),
        tf.layers.batchNormalization(),
        tf.layers.dense({ units: 1 }),
      ],
    });
  const model = asModule(make());
  const again = asModule(make());
  const names = model.namedParameters().map(({ name }) => name);
  expect(names).toEqual([
    '0.kernel',
    '0.bias',
    '1.gamma',
    '1.beta',
    '1.moving_mean',
    '1.moving_variance',
    '2.kernel',
    '2.bias',
  ]);
  expect(again.namedParameters().map(({ name }) => name)).toEqual(names);
  expect(
    model
      .namedParameters()
      .filter(({ variable }) => !variable.trainable)
      .map(({ name }) => name),
  ).toEqual(['1.moving_mean', '1.moving_variance']);
  again.loadStateDict(model.stateDict());
  if (!isCallable(model) || !isCallable(again)) throw new Error('no call');
  const input = tf.ones([1, 2]);
  expect(again.call(input).dataSync()).toEqual(model.call(input).dataSync());
});

test('other things are refused as models', () => {
  expect(() => asModule({})).toThrow(/must be a Module.*it is a Object/);
  expect(() => asModule(tf.sequential({ layers: [tf.layers.dense({ units: 1 })] }))).toThrow(/inputShape/);
});

function isCallable(model: object): model is { call(input: tf.Tensor): tf.Tensor } {
  return 'call' in model;
}
