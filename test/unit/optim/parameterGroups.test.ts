import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, test } from 'vitest';
import { loadBackend } from '../../../engine/backend/index.ts';
import {
  AdamW,
  CosineAnnealingLR,
  LayerwiseLRDecay,
  type NamedParameter,
  NoWeightDecay,
} from '../../../engine/optim/index.ts';

beforeAll(async () => {
  await loadBackend({ backend: 'cpu' });
});

const shapes: Readonly<Record<string, number[]>> = {
  'embedding.weight': [5, 2],
  'blocks.0.attention.weight': [2, 2],
  'blocks.0.norm.weight': [2],
  'blocks.1.attention.weight': [2, 2],
  'blocks.1.norm.weight': [2],
  'head.weight': [3, 2],
  'head.bias': [3],
};

const parameters = (): NamedParameter[] =>
  Object.entries(shapes).map(([name, shape]) => ({ name, variable: tf.tidy(() => tf.variable(tf.ones(shape))) }));

const described = (optimizer: AdamW) =>
  optimizer.paramGroups.map(({ params, lr, weight_decay }) => ({
    names: params.map(({ name }) => name).join(' '),
    lr: Number(lr.toPrecision(12)),
    weight_decay,
  }));

test('biases and norms do not decay, nor does what is named', () => {
  const optimizer = new AdamW(parameters(), {
    weight_decay: 0.1,
    param_groups: new NoWeightDecay({ also: ['embedding.*'] }),
  });
  expect(described(optimizer)).toEqual([
    { names: 'blocks.0.attention.weight blocks.1.attention.weight head.weight', lr: 1e-3, weight_decay: 0.1 },
    { names: 'embedding.weight blocks.0.norm.weight blocks.1.norm.weight head.bias', lr: 1e-3, weight_decay: 0 },
  ]);
});

test('layers are found by name, the last has the full rate', () => {
  const optimizer = new AdamW(parameters(), {
    lr: 1,
    weight_decay: 0.1,
    param_groups: new LayerwiseLRDecay({ decay: 0.5 }),
  });
  expect(described(optimizer)).toEqual([
    { names: 'embedding.weight', lr: 0.125, weight_decay: 0.1 },
    { names: 'blocks.0.attention.weight blocks.0.norm.weight', lr: 0.25, weight_decay: 0.1 },
    { names: 'blocks.1.attention.weight blocks.1.norm.weight', lr: 0.5, weight_decay: 0.1 },
    { names: 'head.weight head.bias', lr: 1, weight_decay: 0.1 },
  ]);
});

test('layers of one’s own, without decay where it does not belong; a schedule scales each', () => {
  const layers = [['embedding.*', 'blocks.0.*'], 'blocks.1.*', 'head.*'];
  const param_groups = new LayerwiseLRDecay({ decay: 0.1, layers, no_weight_decay: true });
  const optimizer = new AdamW(parameters(), { lr: 1, weight_decay: 0.1, param_groups });
  const expected = [
    { names: 'embedding.weight blocks.0.attention.weight', lr: 0.01, weight_decay: 0.1 },
    { names: 'blocks.0.norm.weight', lr: 0.01, weight_decay: 0 },
    { names: 'blocks.1.attention.weight', lr: 0.1, weight_decay: 0.1 },
    { names: 'blocks.1.norm.weight', lr: 0.1, weight_decay: 0 },
    { names: 'head.weight', lr: 1, weight_decay: 0.1 },
    { names: 'head.bias', lr: 1, weight_decay: 0 },
  ];
  expect(described(optimizer)).toEqual(expected);
  const scheduler = new CosineAnnealingLR(optimizer, { T_max: 2 });
  scheduler.step();
  expect(described(optimizer).map(({ lr }) => lr)).toEqual(expected.map(({ lr }) => lr / 2));
});

test('layers keep their rates through a saved state', () => {
  const make = () => new AdamW(parameters(), { lr: 1, param_groups: new LayerwiseLRDecay({ decay: 0.5 }) });
  const [saved, restored] = [make(), make()];
  for (const group of saved.paramGroups) group.lr /= 4;
  restored.loadStateDict(saved.stateDict());
  expect(described(restored)).toEqual(described(saved));
});

test.each([
  {
    id: 'a parameter in no layer',
    make: () => new LayerwiseLRDecay({ decay: 0.5, layers: ['head.*'] }),
    says: /no entry of 'layers' names the parameter 'embedding\.weight'/,
  },
  { id: 'a decay of 0', make: () => new LayerwiseLRDecay({ decay: 0 }), says: /option 'decay' is wrong/ },
  { id: 'a slip of the pen', make: () => new NoWeightDecay({ als: [] } as object), says: /Did you mean 'also'/ },
])('$id is refused', ({ make, says }) => {
  expect(() => new AdamW(parameters(), { param_groups: make() })).toThrow(says);
});
