// Graphs on a thread of the library's own: what they are given, the order they run in, and what happens when one fails.
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  type AttributeValue,
  DataType,
  type FedValue,
  type GraphNode,
  LateFailure,
  mostUnderway,
  nativeResult,
  QueuedSession,
} from '../../../engine/backend/graph/index.ts';
import { loadBackend, type NativeBinding, nativeBinding, nativeSessions } from '../../../engine/backend/index.ts';
import { ownKernelsObstacle } from '../../support/ownKernels.ts';

const missing = ownKernelsObstacle();

const float: AttributeValue = { kind: 'type', type: DataType.float };
const int: AttributeValue = { kind: 'type', type: DataType.int32 };
const text = (value: string): AttributeValue => ({ kind: 'string', value });
const node = (name: string, op: string, inputs: string[], attributes: GraphNode['attributes'] = {}): GraphNode => ({
  name,
  op,
  inputs,
  attributes,
});

/** A number v: `set` makes it x, `times` makes it v * x, `take` adds the table's value number i, and `read` gives it. */
const counter: readonly GraphNode[] = [
  node('x', 'Placeholder', [], { dtype: float }),
  node('i', 'Placeholder', [], { dtype: int }),
  node('v', 'VarHandleOp', [], { dtype: float, shape: { kind: 'shape', shape: [] }, shared_name: text('v') }),
  node('assign', 'AssignVariableOp', ['v:0', 'x:0'], { dtype: float }),
  node('set', 'Identity', ['x:0', '^assign'], { T: float }),
  node('before', 'ReadVariableOp', ['v:0'], { dtype: float }),
  node('product', 'Mul', ['before:0', 'x:0'], { T: float }),
  node('assignProduct', 'AssignVariableOp', ['v:0', 'product:0'], { dtype: float }),
  node('times', 'Identity', ['x:0', '^assignProduct'], { T: float }),
  node('table', 'Const', [], {
    dtype: float,
    value: { kind: 'tensor', tensor: { dtype: 1, shape: [3], bytes: new Uint8Array(Float32Array.of(1, 2, 3).buffer) } },
  }),
  node('axis', 'Const', [], {
    dtype: int,
    value: { kind: 'tensor', tensor: { dtype: 3, shape: [], bytes: new Uint8Array(4) } },
  }),
  node('row', 'GatherV2', ['table:0', 'i:0', 'axis:0'], { Tparams: float, Tindices: int, Taxis: int }),
  node('add', 'AssignAddVariableOp', ['v:0', 'row:0'], { dtype: float }),
  node('take', 'Identity', ['i:0', '^add'], { T: int }),
  node('read', 'ReadVariableOp', ['v:0'], { dtype: float }),
  node('same', 'Identity', ['x:0'], { T: float }),
  node('sameIndex', 'Identity', ['i:0'], { T: int }),
];

const number = (value: number): FedValue => ({ values: Float32Array.of(value), shape: [], dtype: DataType.float });
const index = (value: number): FedValue => ({ values: Int32Array.of(value), shape: [], dtype: DataType.int32 });

describe.skipIf(missing)(`graphs on a thread of their own${missing ? ` (${missing})` : ''}`, () => {
  let binding: NativeBinding;
  const sessions: QueuedSession[] = [];
  let tensors = 0;

  beforeAll(async () => {
    await loadBackend({ backend: 'tensorflow', threads: 1, interOpThreads: 1 });
    binding = nativeBinding(tf);
    tensors = binding.getNumOfTensors();
  });

  afterEach(() => {
    for (const session of sessions.splice(0)) session.dispose();
    // whatever happened, nothing is left behind
    expect(binding.getNumOfTensors()).toBe(tensors);
  });

  function open(nodes = counter): QueuedSession {
    const native = nativeSessions(binding);
    if (native === undefined) throw new Error('the library is not loaded');
    const session = new QueuedSession(binding, native, nodes);
    sessions.push(session);
    return session;
  }

  function run(session: QueuedSession, inputs: FedValue[], feeds: string, fetches: string): number[] {
    return session.run(inputs, feeds, fetches).flatMap((result) => {
      const { id } = nativeResult(binding, result);
      const values = [...binding.tensorDataSync(id)];
      binding.deleteTensor(id);
      return values;
    });
  }

  const read = (session: QueuedSession) => run(session, [], '', 'read:0')[0];

  function failureOf(work: () => unknown): LateFailure {
    try {
      work();
    } catch (error) {
      if (error instanceof LateFailure) return error;
      throw error;
    }
    throw new Error('nothing failed');
  }

  test('memory of inputs is used again, never while somebody has what lies in it', () => {
    const calls = fc.array(
      fc.record({ size: fc.constantFrom(17, 1000, 70_000), keeps: fc.boolean(), waits: fc.boolean() }),
      { maxLength: 25 },
    );
    fc.assert(
      fc.property(calls, (asked) => {
        const session = open();
        const held: { readonly id: number; readonly value: number; readonly size: number }[] = [];
        let kept: { readonly ticket: number; readonly value: number; readonly size: number } | undefined;
        const take = () => {
          if (kept === undefined) return;
          session.settle();
          // the very memory that the input was copied to
          for (const result of session.takeOutputs(kept.ticket) ?? [])
            held.push({ ...kept, id: nativeResult(binding, result).id });
          kept = undefined;
        };
        asked.forEach(({ size, keeps, waits }, value) => {
          const input: FedValue = { values: new Float32Array(size).fill(value), shape: [size], dtype: DataType.float };
          if (waits) {
            const [first, ...rest] = run(session, [input], 'x:0', 'same:0');
            expect([first, rest.every((other) => other === first)]).toEqual([value, true]);
            return;
          }
          if (keeps) take();
          const ticket = session.start([input], 'x:0', 'same:0', keeps);
          if (keeps) kept = { ticket, value, size };
        });
        take();
        for (const { id, value, size } of held) {
          const values = binding.tensorDataSync(id);
          expect([values.length, values.every((one) => one === value)]).toEqual([size, true]);
          binding.deleteTensor(id);
        }
      }),
    );
  });

  test('run in the order they are asked for in, waited for or not, in several sessions at once', () => {
    const calls = fc.array(
      fc.record({
        session: fc.integer({ min: 0, max: 1 }),
        kind: fc.constantFrom('set', 'times', 'take', 'read'),
        waits: fc.boolean(),
        value: fc.integer({ min: 0, max: 2 }),
      }),
      { maxLength: 25 },
    );
    fc.assert(
      fc.property(calls, (asked) => {
        const pair = [open(), open()];
        const expected = [1, 1];
        for (const session of pair) session.start([number(1)], 'x:0', 'set:0');
        for (const { session: which, kind, waits, value } of asked) {
          const session = pair[which] as QueuedSession;
          const before = expected[which] as number;
          if (kind === 'read') {
            expect(read(session)).toBe(before);
            continue;
          }
          const input = kind === 'take' ? index(value) : number(value);
          const feed = kind === 'take' ? 'i:0' : 'x:0';
          if (waits) expect(run(session, [input], feed, `${kind}:0`)).toEqual([value]);
          else session.start([input], feed, `${kind}:0`);
          expected[which] = kind === 'set' ? value : kind === 'times' ? before * value : before + value + 1;
        }
        expect(pair.map(read)).toEqual(expected);
      }),
      { numRuns: 40 },
    );
  });

  test('are given what lay in memory when they were asked for, also in that of a tensor', () => {
    const session = open();
    // TensorFlow takes memory as it is where it begins at a multiple of 64: one of the four does
    for (const offset of [0, 16, 32, 48]) {
      session.start([number(1)], 'x:0', 'set:0');
      const memory = new Float32Array(new ArrayBuffer(64), offset, 1);
      for (let round = 1; round <= 20; round++) {
        memory[0] = round % 2 === 0 ? 2 : 0.5;
        const id = binding.createTensor([], DataType.float, memory);
        session.start([id], 'x:0', 'times:0');
        session.start([{ values: memory, shape: [], dtype: DataType.float }], 'x:0', 'times:0');
        memory[0] = 77;
        binding.deleteTensor(id);
      }
      expect(read(session)).toBe(1);
    }
  });

  test('give numbers of every kind and count as they are', () => {
    const kinds = {
      float: { dtype: DataType.float, of: (value: number) => Float32Array.of(value) },
      int32: { dtype: DataType.int32, of: (value: number) => Int32Array.of(value) },
      bool: { dtype: DataType.bool, of: (value: number) => Uint8Array.of(value & 1) },
    };
    const names = Object.keys(kinds) as (keyof typeof kinds)[];
    const session = open(
      names.flatMap((name) => {
        const type: AttributeValue = { kind: 'type', type: kinds[name].dtype };
        return [
          node(name, 'Placeholder', [], { dtype: type }),
          node(`same_${name}`, 'Identity', [`${name}:0`], { T: type }),
        ];
      }),
    );
    for (const name of names) {
      const { dtype, of } = kinds[name];
      // a few come in another way than many
      for (const count of [0, 1, 2, 15, 16, 17, 64, 65, 1000]) {
        const values = Array.from({ length: count }, (_, i) => of(i * 3 - 7)[0] ?? 0);
        const array = Reflect.construct(of(0).constructor, [values]) as ReturnType<typeof of>;
        const [result] = session.run([{ values: array, shape: [1, count], dtype }], `${name}:0`, `same_${name}:0`);
        expect(result).toMatchObject({ dtype, shape: [1, count] });
        if (result === undefined) continue;
        const { id } = nativeResult(binding, result);
        expect([...binding.tensorDataSync(id)]).toEqual(values);
        binding.deleteTensor(id);
      }
    }
  });

  test('as many may be underway as the library lets wait, and one', () => {
    expect(mostUnderway).toBe((nativeSessions(binding)?.shortRunsWaiting ?? 0) + 1);
  });

  test('what started runs gave is there once they have ended, for those that are asked about in turn', () => {
    const session = open();
    const [first, second, third, fourth] = [3, 4, 5, 6].map((value) =>
      session.start([number(value)], 'x:0', 'set:0,same:0', true),
    ) as [number, number, number, number];
    const unkept = session.start([number(7)], 'x:0', 'set:0');
    session.settle();
    const valuesOf = (ticket: number) =>
      session.takeOutputs(ticket)?.map((result) => 'values' in result && result.values[0]);
    expect(valuesOf(second)).toEqual([4, 4]);
    expect(valuesOf(second)).toEqual([]);
    expect(valuesOf(first)).toEqual([]);
    expect(valuesOf(fourth)).toEqual([6, 6]);
    expect(valuesOf(third)).toEqual([]);
    expect(valuesOf(unkept)).toEqual([]);
    expect(session.takeOutputs(unkept + 1)).toBeUndefined();
    // more than a few numbers
    const list = session.start(
      [{ values: new Float32Array(100).fill(2), shape: [100], dtype: DataType.float }],
      'x:0',
      'same:0',
      true,
    );
    session.settle();
    const [result] = session.takeOutputs(list) ?? [];
    if (result === undefined) throw new Error('nothing came');
    const { id } = nativeResult(binding, result);
    expect([...binding.tensorDataSync(id)]).toEqual(Array.from({ length: 100 }, () => 2));
    binding.deleteTensor(id);
  });

  test('a run that fails gives nothing, nor do those after it', () => {
    const session = open();
    const good = session.start([index(1)], 'i:0', 'sameIndex:0', true);
    const bad = session.start([index(7)], 'i:0', 'take:0', true);
    // which may be too late to be asked for
    const failure = failureOf(() => {
      session.start([index(1)], 'i:0', 'take:0', true);
      session.settle();
    });
    expect(session.takeOutputs(good)).toMatchObject([{ values: Int32Array.of(1) }]);
    expect(session.takeOutputs(bad)).toEqual([]);
    expect(session.takeOutputs(bad + 1) ?? []).toEqual([]);
    for (const { id } of failure.inputs) binding.deleteTensor(id);
  });

  test('one that fails is told at the next call, with what it was fed; what was asked for after it does not run', () => {
    const session = open();
    session.start([number(10)], 'x:0', 'set:0');
    const ticket = session.start([index(7)], 'i:0', 'take:0');
    const failure = failureOf(() => {
      for (let more = 0; more < mostUnderway; more++) session.start([index(1)], 'i:0', 'take:0');
    });
    expect(failure).toMatchObject({ ticket, feeds: 'i:0', message: expect.stringContaining('7 is not in [0, 3)') });
    expect(failure.inputs.map(({ id }) => [...binding.tensorDataSync(id)])).toEqual([[7]]);
    for (const { id } of failure.inputs) binding.deleteTensor(id);
    // once it was told, all goes on from what was there before it
    expect(read(session)).toBe(10);
    session.start([index(1)], 'i:0', 'take:0');
    expect(read(session)).toBe(12);
  });

  test.each(['settle', 'read'] as const)('one that fails is told by %s, once, and not to another session', (how) => {
    const [session, other] = [open(), open()];
    session.start([number(10)], 'x:0', 'set:0');
    const ticket = session.start([index(-1)], 'i:0', 'take:0');
    other.start([number(4)], 'x:0', 'set:0');
    expect(read(other)).toBe(4);
    other.settle();
    const failure = failureOf(() => (how === 'settle' ? session.settle() : read(session)));
    expect(failure.ticket).toBe(ticket);
    for (const { id } of failure.inputs) binding.deleteTensor(id);
    session.settle();
    expect(read(session)).toBe(10);
  });

  test('one that is waited for throws by itself, and nothing else is the matter', () => {
    const session = open();
    session.start([number(3)], 'x:0', 'set:0');
    expect(() => run(session, [index(9)], 'i:0', 'take:0')).toThrow('9 is not in [0, 3)');
    expect(read(session)).toBe(3);
  });

  test.each<{ id: string; work: (session: QueuedSession) => unknown; says: RegExp }>([
    { id: 'a feed that is not there', work: (s) => s.start([number(1)], 'y:0', 'set:0'), says: /y/ },
    { id: 'a fetch that is not there', work: (s) => run(s, [number(1)], 'x:0', 'gone:0'), says: /gone/ },
    { id: 'too few inputs', work: (s) => run(s, [], 'x:0', 'set:0'), says: /1.*0|0.*1|feed/ },
    { id: 'another type', work: (s) => run(s, [index(1)], 'x:0', 'set:0'), says: /float|int32|type/ },
    {
      id: 'fewer values than the shape has',
      work: (s) => s.start([{ values: Float32Array.of(1), shape: [2], dtype: DataType.float }], 'x:0', 'set:0'),
      says: /values do not fit/,
    },
    {
      id: 'a shape below zero',
      work: (s) => s.start([{ values: Float32Array.of(1), shape: [-1], dtype: DataType.float }], 'x:0', 'set:0'),
      says: /-1/,
    },
  ])('are refused: $id', ({ work, says }) => {
    const session = open();
    session.start([number(5)], 'x:0', 'set:0');
    expect(() => work(session)).toThrow(says);
    expect(read(session)).toBe(5);
  });

  test('a graph that TensorFlow does not know is refused with its message', () => {
    expect(() => open([node('x', 'Tanj', [], {})])).toThrow(/Op type not registered 'Tanj'/);
  });
});
