import { expect, test } from 'vitest';
import { difference, type Operation, type Value } from '../../../engine/backend/graph/index.ts';

const input: Value = { kind: 'input', key: 'batch:0', dtype: 1, shape: [2] };

function constant(value: number): Value {
  const bytes = new Uint8Array(Float32Array.of(value).buffer);
  return { kind: 'constant', value: { dtype: 1, shape: [], bytes }, madeAt: new Error('made here'), order: 0 };
}

function recording(...steps: readonly [name: string, second: Value, axis?: number][]): Operation[] {
  const operations: Operation[] = [];
  for (const [name, second, axis = 0] of steps) {
    const before = operations.at(-1);
    const first: Value = before === undefined ? input : { kind: 'output', operation: before, index: 0 };
    operations.push({
      order: operations.length,
      name,
      attributes: [{ name: 'axis', type: 1, value: axis }],
      inputs: [first, second],
      outputs: [{ dtype: 1, shape: [2] }],
      calledAt: new Error('called here'),
    });
  }
  return operations;
}

test('the same step twice is no difference', () => {
  const again = () => recording(['Mul', constant(2)], ['AddV2', input]);
  expect(difference(again(), again())).toBeUndefined();
});

test.each([
  {
    id: 'a constant',
    other: recording(['Mul', constant(3)], ['AddV2', input]),
    says: /made on the host.*\(2, then 3\)/,
  },
  { id: 'an operation', other: recording(['Mul', constant(2)], ['Sub', input]), says: /operation 2: AddV2, then Sub/ },
  { id: 'the number of operations', other: recording(['Mul', constant(2)]), says: /operation 2: AddV2, then its end/ },
  { id: 'an attribute', other: recording(['Mul', constant(2), 1], ['AddV2', input]), says: /'axis' of Mul/ },
  {
    id: 'a tensor',
    other: recording(['Mul', constant(2)], ['AddV2', constant(2)]),
    says: /AddV2 does not work on the same/,
  },
])('what differs is named: $id', ({ other, says }) => {
  const found = difference(recording(['Mul', constant(2)], ['AddV2', input]), other);
  expect(found?.reason).toMatch(says);
  expect(found?.at).toBeInstanceOf(Error);
});
