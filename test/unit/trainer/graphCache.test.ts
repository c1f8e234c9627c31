import { expect, test } from 'vitest';
import { GraphCache } from '../../../engine/trainer/compile/graphCache.ts';

const quiet = (): void => undefined;

test('the graph that was not used for longest goes first', () => {
  const cache = new GraphCache<number>();
  const gone = [];
  for (let i = 0; i < 10; i++) {
    cache.find(`shape ${i}`, () => true);
    gone.push(...cache.add(`shape ${i}`, i));
    cache.find('shape 0', () => true);
  }
  expect(gone).toEqual([1, 2]);
  expect(cache.find('shape 0', () => true)).toBe(0);
  expect(cache.clear()).toHaveLength(8);
});

test('one that goes on from the counts of another comes upon the storm at the same step', () => {
  const shapes = Array.from({ length: 60 }, (_, i) => `[${i < 15 ? i % 3 : i}]`);
  const stormAt = (cache: GraphCache<number>, from: number, upTo = shapes.length): number => {
    for (let i = from; i < upTo; i++) {
      const shape = shapes[i] ?? '';
      if (cache.find(shape, () => true) !== undefined) continue;
      if (!cache.mayAdd(shape, quiet)) return i;
      cache.add(shape, i);
    }
    return -1;
  };
  const whole = stormAt(new GraphCache(), 0);
  expect(whole).toBeGreaterThan(20);
  for (const at of [4, 14, 18, 22]) {
    const first = new GraphCache<number>();
    stormAt(first, 0, at);
    const resumed = new GraphCache<number>();
    resumed.restore(structuredClone(first.counts));
    expect(stormAt(resumed, at)).toBe(whole);
  }
});

test('two graphs of one signature differ by what they fit', () => {
  const cache = new GraphCache<string>();
  cache.add('shape', 'short');
  cache.add('shape', 'long');
  expect(cache.find('shape', (entry) => entry === 'long')).toBe('long');
  expect(cache.find('shape', () => false)).toBeUndefined();
});

test('a new shape at nearly every step is a storm, told once; shapes that come again are not', () => {
  const storm = new GraphCache<number>();
  const told: string[] = [];
  let made = 0;
  for (let i = 0; i < 40; i++) {
    storm.find(`[${i}]`, () => true);
    if (!storm.mayAdd(`[${i}]`, (text) => told.push(text))) continue;
    storm.add(`[${i}]`, i);
    made++;
  }
  expect(made).toBe(12);
  expect(told).toHaveLength(1);
  expect(told[0]).toMatch(/12 graphs in 13 steps.*\[12\]/);

  const calm = new GraphCache<number>();
  for (let i = 0; i < 200; i++) {
    const shape = `[${Math.floor(i / 10)}]`;
    if (calm.find(shape, () => true) === undefined) {
      expect(calm.mayAdd(shape, quiet)).toBe(true);
      calm.add(shape, i);
    }
  }
});
