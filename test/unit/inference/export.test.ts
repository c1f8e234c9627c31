import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { buildStepGraph, type Input, type Operation, type Value } from '../../../engine/backend/graph/index.ts';
import { exportInput } from '../../../engine/inference/export/exportInput.ts';
import { type Freed, freeBatch } from '../../../engine/inference/export/freeBatch.ts';
import { checkFree } from '../../../engine/inference/export/savedModelFolder.ts';

const float = 1;
const int32 = 3;

const ints = (...values: number[]): Value => ({
  kind: 'constant',
  value: { dtype: int32, shape: [values.length], bytes: new Uint8Array(Int32Array.from(values).buffer) },
  order: -1,
  madeAt: undefined,
});

const floats = (...values: number[]): Value => ({
  kind: 'constant',
  value: { dtype: float, shape: [values.length], bytes: new Uint8Array(Float32Array.from(values).buffer) },
  order: -1,
  madeAt: undefined,
});

/** A call that gives one operation's result: of the batch and of what `second` makes for its size. */
function call(batch: number, second: (batch: number) => Value, name = 'Reshape', flag = 0) {
  const input: Input = { kind: 'input', key: 'input', dtype: float, shape: [batch, 4] };
  const operation: Operation = {
    order: 0,
    name,
    attributes: [{ name: 'T', type: 4, value: float }, ...(flag > 0 ? [{ name: 'flag', type: 1, value: flag }] : [])],
    inputs: [input, second(batch)],
    outputs: [{ dtype: float, shape: [batch, 2, 2] }],
    calledAt: undefined,
  };
  const outputs = new Map<string, Value>([['output', { kind: 'output', operation, index: 0 }]]);
  return { input, operations: [operation], outputs };
}

const freed = (second: (batch: number) => Value, name?: string): Freed =>
  freeBatch(call(3, second, name), call(5, second, name));

function nodesOf(result: Freed) {
  if (!('call' in result)) throw new Error(result.reason);
  const { operations, outputs } = result.call;
  return buildStepGraph({ parts: [{ operations, outputs: Object.fromEntries(outputs) }] }).nodes;
}

describe('a graph for any batch size', () => {
  test('works a shape out from its input where it grows with the batch', () => {
    const nodes = nodesOf(freed((batch) => ints(batch, 2, 2)));
    const kinds = nodes.map(({ op }) => op);
    expect(kinds).toEqual(expect.arrayContaining(['Placeholder', 'Shape', 'StridedSlice', 'Pack', 'Reshape']));
    expect(kinds).not.toContain('Mul');
    expect(nodes.find(({ op }) => op === 'Placeholder')?.attributes).toMatchObject({ shape: { shape: [-1, 4] } });
    const pack = nodes.find(({ op }) => op === 'Pack');
    expect(nodes.find(({ op }) => op === 'Reshape')?.inputs[1]).toBe(`${pack?.name}:0`);
  });

  test('knows multiples of the batch', () => {
    const kinds = nodesOf(freed((batch) => ints(batch * 4, 1))).map(({ op }) => op);
    expect(kinds.filter((op) => op === 'Mul')).toHaveLength(1);
  });

  test('leaves alone what is the same for every size, even where it looks like one', () => {
    const kinds = nodesOf(freed(() => ints(3, 4))).map(({ op }) => op);
    expect(kinds).not.toContain('Shape');
  });

  test.each([
    ['a number that does not grow with it', (batch: number) => ints(batch + 1, 4), 'a shape does not grow'],
    ['its size as a float', (batch: number) => floats(batch), 'works with the batch size as a number'],
    ['a tensor of its size', (batch: number) => ints(...Array(batch).fill(1)), "a tensor of the batch's size"],
  ])('says why there is none: %s', (_, second, reason) => {
    expect(freed(second)).toMatchObject({ reason: expect.stringContaining(reason) });
  });

  test('says so when an attribute or the operations depend on it', () => {
    const same = () => ints(1);
    expect(freeBatch(call(3, same, 'Tile', 3), call(5, same, 'Tile', 5))).toMatchObject({
      reason: expect.stringContaining('attribute'),
    });
    expect(freeBatch(call(3, same, 'Tile'), call(5, same, 'Reshape'))).toMatchObject({
      reason: expect.stringContaining('something else'),
    });
  });
});

describe('what a model takes', () => {
  const model = (input: object) => ({
    inference_signature: { input, output: { type: 'text' }, arguments: [] } as never,
  });

  test('is an image, or a tensor without its first dimension', () => {
    expect(exportInput(model({ type: 'image', height: 8, width: 6, channels: 3 }), {})).toEqual({
      shape: [8, 6, 3],
      dtype: 'float32',
    });
    expect(exportInput(model({ type: 'tensor', shape: [null, 7], dtype: 'int32' }), {})).toEqual({
      shape: [7],
      dtype: 'int32',
    });
  });

  test('is what was asked for', () => {
    expect(exportInput(model({ type: 'text' }), { inputShape: [16] })).toEqual({ shape: [16], dtype: 'int32' });
    expect(exportInput({}, { inputShape: [16], inputType: 'int32' })).toEqual({ shape: [16], dtype: 'int32' });
  });

  test.each([
    ['takes text', model({ type: 'text' })],
    ['sizes open ([batch,?,3])', model({ type: 'tensor', shape: [null, null, 3], dtype: 'float32' })],
    ['no inference_signature', {}],
  ])('must be said where it stays open: %s', (reason, subject) => {
    expect(() => exportInput(subject, {})).toThrow(reason);
  });
});

describe('the folder of an exported model', () => {
  const folder = mkdtempSync(join(tmpdir(), 'accelhydra-export-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('must be new or empty, or a model that may be replaced', () => {
    checkFree(join(folder, 'none'), false);
    checkFree(folder, false);
    mkdirSync(join(folder, 'model'));
    writeFileSync(join(folder, 'model', 'saved_model.pb'), '');
    expect(() => checkFree(join(folder, 'model'), false)).toThrow('--overwrite');
    checkFree(join(folder, 'model'), true);
    expect(() => checkFree(folder, true)).toThrow('holds other files (model');
  });
});
