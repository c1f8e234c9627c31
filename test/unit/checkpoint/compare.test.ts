import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { compareCheckpoints, saveCheckpoint, type TensorSource } from '../../../engine/checkpoint/index.ts';

let folder: string;
let count = 0;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'compare-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Content {
  readonly model?: readonly TensorSource[];
  readonly optimizer?: readonly TensorSource[];
  readonly ema?: readonly TensorSource[];
  readonly state?: unknown;
}

async function saved({ model = [weight(2, 3)], optimizer, ema, state = { step: 1 } }: Content): Promise<string> {
  const target = join(folder, `step_${count++}`);
  const label = { kind: 'step', epoch: 0, step: 1, metrics: {}, time: count } as const;
  await saveCheckpoint({ folder: target, ...label, model, optimizer, ema, state });
  return target;
}

function weight(rows: number, columns: number, changes: Readonly<Record<number, number>> = {}): TensorSource {
  const data = Float32Array.from({ length: rows * columns }, (_, index) => changes[index] ?? index / 8);
  return { name: 'layer.weight', dtype: 'F32', shape: [rows, columns], data };
}

const bias: TensorSource = { name: 'bias', dtype: 'I32', shape: [], data: Int32Array.of(3) };

test.each<{ id: string; recorded: Content; replayed: Content; expected: object | undefined }>([
  { id: 'nothing', recorded: {}, replayed: {}, expected: undefined },
  {
    id: 'NaN against the same NaN: nothing',
    recorded: { model: [weight(1, 2, { 0: Number.NaN })], state: { best: Number.NaN } },
    replayed: { model: [weight(1, 2, { 0: Number.NaN })], state: { best: Number.NaN } },
    expected: undefined,
  },
  {
    id: 'an element, with how many and how far',
    recorded: { model: [bias, weight(2, 3)] },
    replayed: { model: [bias, weight(2, 3, { 4: 0.75, 5: 0.5 })] },
    expected: {
      kind: 'tensor',
      file: 'model.safetensors',
      name: 'layer.weight',
      index: [1, 1],
      recorded: 0.5,
      replayed: 0.75,
      elements: 2,
      size: 6,
      largest: 0.25,
      tensors: 1,
    },
  },
  {
    id: 'the sign of zero',
    recorded: {},
    replayed: { model: [weight(2, 3, { 0: -0 })] },
    expected: { kind: 'tensor', index: [0, 0], elements: 1, largest: 0 },
  },
  {
    id: 'a whole number of a scalar',
    recorded: { model: [bias] },
    replayed: { model: [{ ...bias, data: Int32Array.of(4) }] },
    expected: { kind: 'tensor', index: [], recorded: 3, replayed: 4, largest: 1 },
  },
  {
    id: 'a shape',
    recorded: {},
    replayed: { model: [weight(3, 2)] },
    expected: { kind: 'layout', name: 'layer.weight', text: 'it is F32 [2,3] in the record, F32 [3,2] in the replay' },
  },
  {
    id: 'a tensor that only one has',
    recorded: { optimizer: [weight(1, 1)] },
    replayed: { optimizer: [] },
    expected: { kind: 'layout', file: 'optimizer.safetensors', text: 'only the record has it' },
  },
  {
    id: 'a file that only one has',
    recorded: {},
    replayed: { ema: [weight(1, 1)] },
    expected: { kind: 'layout', file: 'ema.safetensors', text: 'only the replay has the file' },
  },
  {
    id: 'a value of the state',
    recorded: { state: { train: { step: 4, pass: 0 }, random: [{ position: 7 }] } },
    replayed: { state: { train: { step: 4, pass: 0 }, random: [{ position: 8 }] } },
    expected: { kind: 'state', path: 'random.0.position', recorded: '7', replayed: '8' },
  },
  {
    id: 'a value that only one has',
    recorded: { state: { train: { step: 4 } } },
    replayed: { state: { train: { step: 4, more: 'x' } } },
    expected: { kind: 'state', path: 'train.more', recorded: 'nothing', replayed: '"x"' },
  },
])('the first difference is found: $id', async ({ recorded, replayed, expected }) => {
  const { difference } = await compareCheckpoints(await saved(recorded), await saved(replayed));
  if (expected === undefined) expect(difference).toBeUndefined();
  else expect(difference).toMatchObject(expected);
});

test('says how much was compared', async () => {
  const content = { model: [bias, weight(2, 3)], optimizer: [weight(2, 3)], state: { a: 1, b: [2, 3] } };
  expect(await compareCheckpoints(await saved(content), await saved(content))).toEqual({
    tensors: 3,
    values: 3,
    difference: undefined,
  });
});
