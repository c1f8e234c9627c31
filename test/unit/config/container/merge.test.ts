import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type ConfigNode,
  type DictNode,
  describeOrigin,
  dictNode,
  intNode,
  loadYaml,
  merge,
  mergeWith,
  strNode,
  toTagged,
  update,
} from '../../../../engine/config/index.ts';
import { contextWith, failureOf, plain, yaml } from '../support.ts';

const context = contextWith();

function merged(...texts: string[]): unknown {
  return plain(merge(texts.map(yaml), context));
}

describe('merge', () => {
  test.each([
    { id: 'goes into mappings', inputs: ['a: {b: 1, c: 2}', 'a: {b: 3}'], want: { a: { b: 3, c: 2 } } },
    { id: 'replaces lists', inputs: ['a: [1, 2]', 'a: [3]'], want: { a: [3] } },
    { id: 'lets null win over a mapping', inputs: ['a: {b: 1}', 'a: null'], want: { a: null } },
    {
      id: 'never lets a missing value win',
      inputs: ['a: {b: 1}\nc: 2', 'a: ???\nc: ???'],
      want: { a: { b: 1 }, c: 2 },
    },
    {
      id: 'copies the target of an interpolation first',
      inputs: ['a: ${b}\nb: {c: 1}', 'a: {d: 2}'],
      want: { a: { c: 1, d: 2 }, b: { c: 1 } },
    },
    { id: 'replaces an interpolation by a value', inputs: ['a: ${nope}', 'a: 1'], want: { a: 1 } },
    { id: 'keeps the first order', inputs: ['b: 1\na: 2', 'a: 3\nc: 4\nb: 5'], want: { b: 5, a: 3, c: 4 } },
    {
      id: 'treats keys of the prototype chain like any',
      inputs: ['__proto__: {a: 1}', '__proto__: {b: 2}'],
      want: JSON.parse('{"__proto__":{"a":1,"b":2}}'),
    },
  ])('$id', ({ inputs, want }) => {
    expect(merged(...inputs)).toEqual(want);
    expect(Object.keys(Object(merged(...inputs)))).toEqual(Object.keys(want));
  });

  test('a list and a mapping do not merge', () => {
    expect(failureOf(() => merged('a: [1]', 'a: {b: 1}')).message).toBe('Cannot merge incompatible container types');
  });

  test('the inputs stay as they are', () => {
    const inputs = ['a: {b: 1}\nl: [1]', 'a: {c: 2}\nl: [{d: 3}]'].map(yaml);
    const before = inputs.map(toTagged);
    const result = merge(inputs, context) as DictNode;
    update(result, 'l.0.d', intNode(9), context);
    update(result, 'a.b', intNode(9), context);
    expect(inputs.map(toTagged)).toEqual(before);
  });

  test('every value knows what it beat, back to the first', () => {
    const files = ['lr: 0.1', 'lr: 0.2', 'lr: 0.3'].map((text, index) => loadYaml(text, { source: `${index}.yaml` }));
    const result = merge(files, context) as DictNode;
    const chain: string[] = [];
    for (let node: ConfigNode | undefined = result.get('lr'); node; node = node.beat) {
      chain.push(node.origin ? describeOrigin(node.origin) : '?');
    }
    expect(chain).toEqual(['2.yaml:1:5', '1.yaml:1:5', '0.yaml:1:5']);
  });

  test('a container that replaces or is replaced is remembered too', () => {
    const result = merge(['a: {b: 1}\nl: [1]', 'a: 5\nl: [2]'].map(yaml), context) as DictNode;
    expect(result.get('a')?.beat?.kind).toBe('dict');
    expect(result.get('l')?.beat).toMatchObject({ kind: 'list', size: 1 });
  });
});

describe('flags', () => {
  test('struct refuses new keys and names the nearest', () => {
    const config = yaml('model: {learning_rate: 1}');
    config.setFlag('struct', true);
    const error = failureOf(() => mergeWith(config, [yaml('model: {learning_rte: 2}')], context));
    expect(error.exception).toBe('ConfigKeyError');
    expect(error.message.split('\n')).toEqual([
      "Key 'learning_rte' is not in struct. Did you mean: 'learning_rate'?",
      '    full_key: model.learning_rte',
      '    object_type=dict',
    ]);
  });

  test('a deeper node may lift what is set above it', () => {
    const config = yaml('a: {b: 1}') as DictNode;
    config.setFlag('struct', true);
    config.get('a')?.setFlag('struct', false);
    mergeWith(config, [yaml('a: {c: 2}')], context);
    expect(plain(config)).toEqual({ a: { b: 1, c: 2 } });
  });

  test('merge_with minds read-only, merge does not', () => {
    const config = yaml('a: {b: 1}\nl: [1]');
    config.setFlag('readonly', true);
    expect(failureOf(() => mergeWith(config, [yaml('a: {b: 2}')], context)).exception).toBe('ReadonlyConfigError');
    expect(failureOf(() => mergeWith(config, [yaml('l: [2]')], context)).fullKey).toBe('l[0]');
    const result = merge([config, yaml('a: {b: 2}')], context);
    expect(plain(result)).toEqual({ a: { b: 2 }, l: [1] });
    expect(result.getFlag('readonly')).toBe(true);
  });
});

describe('merging mappings of values', () => {
  const keys = fc.constantFrom('a', 'b', 'c', '__proto__');
  const { config } = fc.letrec<{ config: ConfigNode; child: ConfigNode }>((tie) => ({
    child: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      fc.integer({ min: 0, max: 9 }).map((n) => intNode(n)),
      tie('config'),
    ),
    config: fc
      .array(fc.tuple(keys, tie('child')), { maxLength: 4 })
      .map((entries) => dictNode(entries.map(([key, value]) => [key, value.clone()] as const))),
  }));
  // Associativity holds for configs of one shape; a scalar between two mappings would cut the first off.
  const shaped = (seed: number) =>
    fc
      .tuple(
        fc.option(fc.integer({ min: 0, max: 9 })),
        fc.option(fc.integer({ min: 0, max: 9 })),
        fc.option(fc.constant('???')),
      )
      .map(([x, y, missing]) => {
        const inner = dictNode();
        if (x !== null) inner.set('x', intNode(x + seed));
        if (missing !== null) inner.set('m', strNode(missing));
        const outer = dictNode([['inner', inner]]);
        if (y !== null) outer.set('y', intNode(y + seed));
        return outer;
      });

  test('is associative where the shapes agree', () => {
    fc.assert(
      fc.property(shaped(0), shaped(10), shaped(20), (a, b, c) => {
        const left = toTagged(merge([merge([a, b], context), c], context));
        const right = toTagged(merge([a, merge([b, c], context)], context));
        expect(sortKeys(left)).toEqual(sortKeys(right));
      }),
    );
  });

  test('has the empty config as its neutral element and itself as its own', () => {
    fc.assert(
      fc.property(config, (generated) => {
        if (generated.kind !== 'dict') return;
        expect(toTagged(merge([dictNode(), generated], context))).toEqual(toTagged(generated));
        expect(toTagged(merge([generated, dictNode()], context))).toEqual(toTagged(generated));
        expect(toTagged(merge([generated, generated], context))).toEqual(toTagged(generated));
      }),
    );
  });
});

/** Only the values are compared: in which order keys first came up depends on the grouping. */
function sortKeys(tagged: ReturnType<typeof toTagged>): unknown {
  if (tagged.t === 'dict') {
    const entries = tagged.v.map(([key, value]) => [JSON.stringify(key), sortKeys(value)] as const);
    return entries.sort(([a], [b]) => (a < b ? -1 : 1));
  }
  return tagged.t === 'list' ? tagged.v.map(sortKeys) : tagged;
}
