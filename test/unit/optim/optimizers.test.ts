import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, test } from 'vitest';
import { EngineError } from '../../../engine/api/errors.ts';
import { loadBackend } from '../../../engine/backend/index.ts';
import { AdamW, NAdam, type NamedParameter, type Optimizer, SGD } from '../../../engine/optim/index.ts';
import { makeOptimizer, numericOptimizers } from '../../conformance/families/numericOptimizers.ts';
import { numericCases } from '../../support/numeric.ts';

beforeAll(async () => {
  await loadBackend({ backend: 'cpu' });
});

interface NamedCase {
  readonly id: string;
  readonly name: string;
  readonly params: unknown;
}

function parameter(name: string, values: readonly number[]): NamedParameter {
  return { name, variable: tf.tidy(() => tf.variable(tf.tensor1d([...values]))) };
}

function stepWith(optimizer: Optimizer, gradients: Readonly<Record<string, readonly number[]>>): void {
  tf.tidy(() => {
    const entries = Object.entries(gradients).map(([name, values]): [string, tf.Tensor] => [
      name,
      tf.tensor1d([...values]),
    ]);
    optimizer.step(new Map(entries));
  });
}

function failureOf(action: () => unknown): EngineError {
  try {
    action();
  } catch (error) {
    if (error instanceof EngineError) return error;
    throw error;
  }
  throw new Error('It should have failed.');
}

test.each(numericCases<NamedCase>('optimizers.json'))('$name $params gives what PyTorch gives', async (vector) => {
  expect(await numericOptimizers.run(vector)).toBeUndefined();
});

test('a wrong result would be noticed', async () => {
  const [vector] = numericCases<NamedCase & { after_each_step: number[][][] }>('optimizers.json');
  const first = vector?.after_each_step[0]?.[0];
  if (first?.[0] === undefined) throw new Error('fixture');
  first[0] *= 1.0001;
  expect(await numericOptimizers.run(vector)).toMatch(/after step 0: value 0/);
});

test.each(numericCases<NamedCase>('optimizers.json'))('$name $params leaks no tensor', ({ name, params }) => {
  const before = tf.memory().numTensors;
  const weight = parameter('weight', [1, 2, 3]);
  const optimizer = makeOptimizer(`accelhydra.optim.${name}`, [weight], params);
  stepWith(optimizer, { weight: [0.1, -0.2, 0.3] });
  const warm = tf.memory().numTensors;
  for (let step = 0; step < 5; step++) stepWith(optimizer, { weight: [0.1, -0.2, 0.3] });
  expect(tf.memory().numTensors).toBe(warm);
  optimizer.dispose();
  weight.variable.dispose();
  expect(tf.memory().numTensors).toBe(before);
});

test.each(numericCases<NamedCase & { grads: number[][][]; initial: number[][] }>('optimizers.json'))(
  '$name $params goes on exactly from its saved state',
  ({ name, params, grads }) => {
    const steps = grads.map((gradient) => gradient.flat());
    const size = steps[0]?.length ?? 0;
    const straight = parameter('w', new Array(size).fill(0.5));
    const resumed = parameter('w', new Array(size).fill(0.5));
    const one = makeOptimizer(`torch.optim.${name}`, [straight], params);
    const first = makeOptimizer(`torch.optim.${name}`, [resumed], params);
    for (const gradient of steps.slice(0, 3)) {
      stepWith(one, { w: gradient });
      stepWith(first, { w: gradient });
    }
    const state = first.stateDict();
    const scalars = JSON.parse(JSON.stringify(state.scalars));
    // Later steps of the same optimizer must not reach into the snapshot.
    const snapshot = [...state.tensors.values()].map((tensor) => tensor.arraySync());
    const weights = resumed.variable.clone();
    stepWith(first, { w: steps[3] ?? [] });
    expect([...state.tensors.values()].map((tensor) => tensor.arraySync())).toEqual(snapshot);
    resumed.variable.assign(weights);
    const second = makeOptimizer(`torch.optim.${name}`, [resumed], params);
    second.loadStateDict({ tensors: state.tensors, scalars });
    for (const gradient of steps.slice(3)) {
      stepWith(one, { w: gradient });
      stepWith(second, { w: gradient });
    }
    expect(resumed.variable.arraySync()).toEqual(straight.variable.arraySync());
  },
);

test('names in the state are flat and say the slot first', () => {
  const optimizer = new AdamW([parameter('conv1.weight', [1])], { lr: 0.1 });
  stepWith(optimizer, { 'conv1.weight': [1] });
  const { tensors, scalars } = optimizer.stateDict();
  expect([...tensors.keys()]).toEqual(['exp_avg.conv1.weight', 'exp_avg_sq.conv1.weight']);
  expect(scalars).toMatchObject({
    optimizer: 'AdamW',
    param_groups: [{ params: ['conv1.weight'], lr: 0.1, betas: [0.9, 0.999], weight_decay: 0.01 }],
    state: { 'conv1.weight': { step: 1 } },
  });
});

test('groups select by pattern or test; the first that matches wins and the rest come first', () => {
  const parameters = ['conv.weight', 'conv.bias', 'norm.weight', 'head.weight'].map((name) => parameter(name, [1]));
  const optimizer = new AdamW(parameters, {
    lr: 0.1,
    weight_decay: 0.5,
    param_groups: [
      { params: ['*.bias', 'norm.*'], weight_decay: 0 },
      { params: ({ name }) => name.startsWith('head') || name.endsWith('bias'), lr: 0.2 },
    ],
  });
  expect(
    optimizer.paramGroups.map((group) => [group.params.map((item) => item.name), group.lr, group.weight_decay]),
  ).toEqual([
    [['conv.weight'], 0.1, 0.5],
    [['conv.bias', 'norm.weight'], 0.1, 0],
    [['head.weight'], 0.2, 0.5],
  ]);
});

test('a changed rate of one group changes that group alone', () => {
  const [a, b] = [parameter('a', [1]), parameter('b', [1])];
  const optimizer = new SGD([a, b], { lr: 0.1, param_groups: [{ params: 'b', lr: 0.1 }] });
  const group = optimizer.paramGroups[1];
  if (group) group.lr = 0.5;
  stepWith(optimizer, { a: [1], b: [1] });
  expect(a.variable.dataSync()[0]).toBeCloseTo(0.9, 6);
  expect(b.variable.dataSync()[0]).toBeCloseTo(0.5, 6);
});

test('a parameter without gradient keeps its value and its count', () => {
  const [a, b] = [parameter('a', [1]), parameter('b', [1])];
  const optimizer = new NAdam([a, b], { lr: 0.1 });
  stepWith(optimizer, { a: [1] });
  stepWith(optimizer, { a: [1], b: [1] });
  const { scalars } = optimizer.stateDict();
  expect(scalars.state).toMatchObject({ a: { step: 2 }, b: { step: 1 } });
  const alone = parameter('b', [1]);
  stepWith(new NAdam([alone], { lr: 0.1 }), { b: [1] });
  expect(b.variable.dataSync()[0]).toBe(alone.variable.dataSync()[0]);
});

test('an assigned weight is the one that is updated next', () => {
  const a = parameter('a', [1]);
  const optimizer = new SGD([a], { lr: 0.1 });
  stepWith(optimizer, { a: [1] });
  tf.tidy(() => a.variable.assign(tf.tensor1d([5])));
  stepWith(optimizer, { a: [1] });
  expect(a.variable.dataSync()[0]).toBeCloseTo(4.9, 6);
});

test.each([
  {
    id: 'a misspelt option',
    make: () => makeOptimizer('torch.optim.AdamW', [parameter('a', [1])], { wieght_decay: 0.1 }),
    code: 'optim.option.unknown',
    message: /accelhydra\.optim\.AdamW has no option 'wieght_decay'\. Did you mean 'weight_decay'\?/,
  },
  {
    id: 'a negative rate',
    make: () => new SGD([parameter('a', [1])], { lr: -1 }),
    code: 'optim.option.invalid',
    message: /option 'lr'/,
  },
  {
    id: 'a misspelt option within a group',
    make: () => new SGD([parameter('a', [1])], { param_groups: [{ params: 'a', momentun: 0.9 }] }),
    code: 'optim.option.unknown',
    message: /'momentum'/,
  },
  {
    id: 'a group that selects nothing',
    make: () => new SGD([parameter('conv.weight', [1])], { param_groups: [{ params: ['conv.wieght'] }] }),
    code: 'optim.parameters.no-match',
    message: /param_groups\[0\].*Did you mean 'conv\.weight'/,
  },
  { id: 'no parameters', make: () => new SGD([]), code: 'optim.parameters.empty', message: /no parameters/ },
  {
    id: 'two parameters of one name',
    make: () => new SGD([parameter('a', [1]), parameter('a', [1])]),
    code: 'optim.parameters.duplicate',
    message: /'a'/,
  },
  {
    id: 'nesterov without momentum',
    make: () => new SGD([parameter('a', [1])], { nesterov: true }),
    code: 'optim.option.invalid',
    message: /nesterov/,
  },
  {
    id: 'fused where no backend has it',
    make: () => stepWith(new SGD([parameter('a', [1])], { fused: true }), { a: [1] }),
    code: 'optim.option.invalid',
    message: /'cpu' backend/,
  },
  {
    id: 'a gradient of another shape',
    make: () => stepWith(new SGD([parameter('a', [1])]), { a: [1, 2] }),
    code: 'optim.gradient.shape',
    message: /'a' has shape \[2\], the parameter \[1\]/,
  },
  {
    id: 'only foreign gradients',
    make: () => stepWith(new SGD([parameter('a', [1])]), { b: [1] }),
    code: 'optim.gradient.none',
    message: /None of the 1 gradients/,
  },
])('$id is refused', ({ make, code, message }) => {
  const error = failureOf(make);
  expect(error.code).toBe(code);
  expect(error.message).toMatch(message);
});

test.each([
  {
    id: 'of another optimizer',
    change: (scalars: Record<string, unknown>) => ({ ...scalars, optimizer: 'SGD' }),
    code: 'optim.state.other-optimizer',
  },
  {
    id: 'of other parameters',
    change: (scalars: Record<string, unknown>) => ({ ...scalars, param_groups: [{ params: ['b'] }] }),
    code: 'optim.state.other-parameters',
  },
  { id: 'that is broken', change: () => ({ optimizer: 'AdamW' }), code: 'optim.state.invalid' },
])('a state $id is refused and changes nothing', ({ change, code }) => {
  const a = parameter('a', [1]);
  const optimizer = new AdamW([a], { lr: 0.1 });
  stepWith(optimizer, { a: [1] });
  const state = optimizer.stateDict();
  const scalars: Record<string, unknown> = { ...state.scalars };
  const error = failureOf(() => optimizer.loadStateDict({ tensors: state.tensors, scalars: change(scalars) }));
  expect(error.code).toBe(code);
  expect(optimizer.stateDict().scalars).toEqual(state.scalars);
});

test.each(['momentum_buffer', 'exp_avg'])(
  'a parameter that had no state has none again, whatever it has by now: %s',
  (slot) => {
    const a = parameter('a', [1]);
    const optimizer = slot === 'exp_avg' ? new AdamW([a]) : new SGD([a], { momentum: 0.9 });
    const untouched = optimizer.stateDict();
    stepWith(optimizer, { a: [1] });
    optimizer.loadStateDict(untouched);
    expect(optimizer.stateDict().scalars.state).toEqual({});
    expect(optimizer.stateDict().tensors.get(`${slot}.a`)?.dataSync()).toEqual(Float32Array.of(0));
  },
);

test('a state without one of its tensors is refused', () => {
  const optimizer = new AdamW([parameter('a', [1])]);
  stepWith(optimizer, { a: [1] });
  const { tensors, scalars } = optimizer.stateDict();
  const rest = new Map([...tensors].filter(([name]) => name !== 'exp_avg_sq.a'));
  expect(failureOf(() => optimizer.loadStateDict({ tensors: rest, scalars })).message).toMatch(
    /'exp_avg_sq\.a' is missing/,
  );
});
