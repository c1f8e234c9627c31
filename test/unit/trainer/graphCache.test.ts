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
