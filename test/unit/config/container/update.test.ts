import { describe, expect, test } from 'vitest';
import { closeMatches } from '../../../../engine/config/container/closeMatches.ts';
import { fromPlain, splitKeyPath, update, updateFromDotlist } from '../../../../engine/config/index.ts';
import { contextWith, failureOf, plain, yaml } from '../support.ts';

const context = contextWith();

describe('update', () => {
  test.each([
    { id: 'creates the way', text: '{}', key: 'a.b.c', value: 1, want: { a: { b: { c: 1 } } } },
    { id: 'replaces a scalar on the way', text: 'a: x', key: 'a.b', value: 1, want: { a: { b: 1 } } },
    { id: 'merges a mapping', text: 'a: {b: 1}', key: 'a', value: { c: 2 }, want: { a: { b: 1, c: 2 } } },
    {
      id: 'goes into lists, from either end',
      text: 'a: [1, {b: 2}]',
      key: 'a.-1.b',
      value: 3,
      want: { a: [1, { b: 3 }] },
    },
    {
      id: 'writes through an interpolation',
      text: 'a: ${b}\nb: {c: 1}',
      key: 'a.c',
      value: 2,
      want: { a: '${b}', b: { c: 2 } },
    },
    { id: 'takes escaped dots for a part of the key', text: 'a.b: 1', key: 'a\\.b', value: 2, want: { 'a.b': 2 } },
  ])('$id', ({ text, key, value, want }) => {
    const config = yaml(text);
    update(config, key, fromPlain(value), context);
    expect(plain(config)).toEqual(want);
  });

  test('without merging it replaces a mapping', () => {
    const config = yaml('a: {b: 1}');
    update(config, 'a', fromPlain({ c: 2 }), context, { merge: false });
    expect(plain(config)).toEqual({ a: { c: 2 } });
  });

  test('struct mode refuses, forcing adds', () => {
    const config = yaml('a: {b: 1}');
    config.setFlag('struct', true);
    expect(failureOf(() => update(config, 'a.c', fromPlain(1), context)).exception).toBe('ConfigAttributeError');
    expect(failureOf(() => update(config, 'x.y', fromPlain(1), context)).exception).toBe('ConfigKeyError');
    update(config, 'x.y', fromPlain(1), context, { forceAdd: true });
    expect(plain(config)).toEqual({ a: { b: 1 }, x: { y: 1 } });
    expect(config.getFlag('struct')).toBe(true);
  });

  test.each([
    { id: 'a list index that is none', key: 'a.x', value: 1, exception: 'ValueError' },
    { id: 'an index out of range', key: 'a.5', value: 1, exception: 'ConfigIndexError' },
    { id: 'a list over a mapping', key: 'm', value: [], exception: 'ConfigTypeError' },
    { id: 'a path of thousands', key: 'x.'.repeat(3000), value: 1, exception: 'RecursionError' },
  ])('$id is refused', ({ key, value, exception }) => {
    const config = yaml('a: [1]\nm: {}');
    expect(failureOf(() => update(config, key, fromPlain(value), context)).exception).toBe(exception);
  });

  test('keys of the prototype chain pollute nothing', () => {
    const config = yaml('{}');
    update(config, '__proto__.polluted', fromPlain(1), context);
    expect(Reflect.get({}, 'polluted')).toBeUndefined();
    expect(config.kind === 'dict' && config.has('__proto__')).toBe(true);
  });

  test('a dotlist holds YAML', () => {
    const config = yaml('a: [1, 2]');
    updateFromDotlist(config, ['a[1]=9', 'b={c: yes}', 'd', 'e=1:30'], context);
    expect(plain(config)).toEqual({ a: [1, 9], b: { c: true }, d: null, e: 90 });
  });
});

test.each([
  { path: 'a.b', parts: ['a', 'b'] },
  { path: 'a[b].c', parts: ['a', 'b', 'c'] },
  { path: '[a].b', parts: ['a', 'b'] },
  { path: '..a', parts: ['', '', 'a'] },
  { path: 'a.', parts: ['a', ''] },
  { path: 'a\\.b.c', parts: ['a.b', 'c'] },
  { path: 'a\\[0\\]', parts: ['a[0]'] },
  { path: 'a\\b', parts: ['a\\b'] },
  { path: '', parts: [''] },
])("the parts of '$path'", ({ path, parts }) => {
  expect(splitKeyPath(path)).toEqual(parts);
});

test('close matches are those of difflib', () => {
  expect(closeMatches('appel', ['ape', 'apple', 'peach', 'puppy'])).toEqual(['apple', 'ape']);
  expect(closeMatches('x', ['y'])).toEqual([]);
});
