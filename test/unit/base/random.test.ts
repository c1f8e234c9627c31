import { expect, test } from 'vitest';
import { deriveSeed, philoxBlock, Random } from '../../../engine/base/random.ts';

// Known answers published with Random123 (kat_vectors, philox4x32 10).
test.each([
  {
    id: 'zeros',
    counter: [0, 0, 0, 0],
    key: [0, 0],
    out: [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
  },
  {
    id: 'ones',
    counter: [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
    key: [0xffffffff, 0xffffffff],
    out: [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
  },
  {
    id: 'digits of pi',
    counter: [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    key: [0xa4093822, 0x299f31d0],
    out: [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
  },
])('philox known answer: $id', ({ counter, key, out }) => {
  const block = new Uint32Array(4);
  philoxBlock(counter, key, block);
  expect([...block]).toEqual(out);
});

test('a restored stream goes on with the same numbers', () => {
  const random = new Random(42, 3);
  for (let i = 0; i < 7; i++) random.nextUint32();
  const state = JSON.parse(JSON.stringify(random.state()));
  const expected = Array.from({ length: 9 }, () => random.nextUint32());
  const restored = new Random(0);
  restored.restore(state);
  expect(Array.from({ length: 9 }, () => restored.nextUint32())).toEqual(expected);
});

test('streams and seeds differ, equal ones agree', () => {
  const first = new Random(1, 0).permutation(50);
  expect(new Random(1, 0).permutation(50)).toEqual(first);
  expect(new Random(1, 1).permutation(50)).not.toEqual(first);
  expect(new Random(2, 0).permutation(50)).not.toEqual(first);
  expect(new Random(-1, 0).permutation(50)).not.toEqual(first);
  expect([...first].sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i));
});

test('moments are those of the distributions', () => {
  const random = new Random(7);
  const count = 20_000;
  let uniform = 0;
  let normal = 0;
  let square = 0;
  for (let i = 0; i < count; i++) {
    uniform += random.uniform();
    const value = random.normal();
    normal += value;
    square += value * value;
  }
  expect(uniform / count).toBeCloseTo(0.5, 1);
  expect(normal / count).toBeCloseTo(0, 1);
  expect(square / count).toBeCloseTo(1, 1);
});

test('derived seeds tell labels apart', () => {
  const seeds = [deriveSeed(1, 'a', 1), deriveSeed(1, 'a', 2), deriveSeed(1, 'a1'), deriveSeed(2, 'a', 1)];
  expect(new Set(seeds).size).toBe(4);
  expect(seeds.every((seed) => Number.isSafeInteger(seed) && seed >= 0)).toBe(true);
});

// checkpoints and runs depend on them: the numbers of today are those of ever
test.each([
  { labels: ['a', 1], seed: 1, derived: 1129114000431008 },
  { labels: ['sample', 123], seed: 0, derived: 1176115070868111 },
  { labels: ['trainer'], seed: -7, derived: 6930607702948377 },
  { labels: ['Größe 🎲', 3.5], seed: 2 ** 40, derived: 5394103944348320 },
  { labels: ['', -1], seed: 3, derived: 4620920161089739 },
])('the seed derived from $seed for $labels', ({ seed, labels, derived }) => {
  expect(deriveSeed(seed, ...labels)).toBe(derived);
});

test.each([0, 1, 3, 4, 5, 17])('filling %i words is drawing them one by one, from any position', (count) => {
  for (const start of [0, 1, 2, 4]) {
    const [single, bulk] = [new Random(9), new Random(9)];
    for (let i = 0; i < start; i++) [single, bulk].map((random) => random.nextUint32());
    const words = new Uint32Array(count);
    bulk.fill(words);
    expect([...words]).toEqual(Array.from({ length: count }, () => single.nextUint32()));
    expect(bulk.nextUint32()).toBe(single.nextUint32());
  }
});
