import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  boolNode,
  bytesNode,
  type ConfigNode,
  dictNode,
  floatNode,
  intNode,
  listNode,
  loadYaml,
  nullNode,
  strNode,
  toTagged,
  toYaml,
} from '../../../../engine/config/index.ts';
import { contextWith, yaml } from '../support.ts';

describe('scalars', () => {
  test.each([
    { id: 'an exponent gets a point', node: floatNode(1e-5), text: 'a: 1.0e-05\n' },
    { id: 'a small number is written in full', node: floatNode(0.0003), text: 'a: 0.0003\n' },
    { id: 'a large one with its sign', node: floatNode(1e16), text: 'a: 1.0e+16\n' },
    { id: 'a whole float keeps its point', node: floatNode(1), text: 'a: 1.0\n' },
    { id: 'a bool-like string', node: strNode('on'), text: "a: 'on'\n" },
    { id: 'a single letter that YAML once took for a bool', node: strNode('y'), text: "a: 'y'\n" },
    { id: 'a number-like string', node: strNode('1_000'), text: "a: '1_000'\n" },
    { id: 'no number in YAML 1.1', node: strNode('0o17'), text: 'a: 0o17\n' },
    { id: 'a date', node: strNode('2020-01-01'), text: "a: '2020-01-01'\n" },
    { id: 'an emoji is escaped', node: strNode('😀'), text: 'a: "\\U0001F600"\n' },
    { id: 'an accent is not', node: strNode('é'), text: 'a: é\n' },
    { id: 'a tab', node: strNode('a\tb'), text: 'a: "a\\tb"\n' },
    { id: 'bytes', node: bytesNode(new Uint8Array([0x31])), text: 'a: !!binary |\n  MQ==\n' },
    { id: 'an interpolation stays as it is', node: strNode('${b}'), text: 'a: ${b}\n' },
    { id: 'a missing value', node: strNode('???'), text: 'a: ???\n' },
  ])('$id', ({ node, text }) => {
    expect(toYaml(dictNode([['a', node]]))).toBe(text);
  });

  test('lines fold at 80', () => {
    const words = Array(20).fill('abcdefg').join(' ');
    expect(toYaml(dictNode([['a', strNode(words)]]))).toBe(`a: ${words.slice(0, 79)}\n  ${words.slice(80)}\n`);
  });
});

test('lists stay at their key, flow style and sorting are options', () => {
  const config = yaml('b: [1, {c: 2}]\na: x\n');
  expect(toYaml(config)).toBe('b:\n- 1\n- c: 2\na: x\n');
  expect(toYaml(config, { sortKeys: true })).toBe('a: x\nb:\n- 1\n- c: 2\n');
  expect(toYaml(config, { flowStyle: 'flow' })).toBe('{b: [1, {c: 2}], a: x}\n');
});

test('a context resolves what is written', () => {
  expect(toYaml(yaml('a: ${b}\nb: {c: 1}\n'), { resolve: contextWith() })).toBe('a:\n  c: 1\nb:\n  c: 1\n');
});

describe('what is written reads back', () => {
  const text = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 30 }),
    fc.constantFrom('yes', '1e3', '~', '<<', '=', '- a', 'a: b', '# x', '\n', ' ', "it's", '"', '0x1f', '...', '---'),
    fc
      .array(fc.constantFrom('word', ' ', '  ', '\n', ': ', '#', "'", '"', '\t'), { maxLength: 40 })
      .map((p) => p.join('')),
  );
  // A `${` would have to be a valid interpolation, and the reader refuses control characters, so neither is generated.
  const safeText = text.filter((value) => !value.includes('${'));
  const scalar: fc.Arbitrary<ConfigNode> = fc.oneof(
    safeText.map((value) => strNode(value)),
    fc.integer().map((value) => intNode(value)),
    fc.bigInt().map((value) => intNode(value)),
    fc.double({ noNaN: true }).map((value) => floatNode(value)),
    fc.boolean().map((value) => boolNode(value)),
    fc.uint8Array({ maxLength: 80 }).map((value) => bytesNode(value)),
    fc.constant(null).map(() => nullNode()),
  );
  // Generators repeat values while they shrink, and a node has one place only: hence the clones.
  const { node } = fc.letrec<{ node: ConfigNode }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      scalar,
      fc.array(tie('node'), { maxLength: 4 }).map((items) => listNode(items.map((item) => item.clone()))),
      fc
        .array(fc.tuple(safeText, tie('node')), { maxLength: 4 })
        .map((entries) => dictNode(entries.map(([key, value]) => [key, value.clone()] as const))),
    ),
  }));

  test.each([{ flowStyle: 'block' as const }, { flowStyle: 'flow' as const }, { flowStyle: 'auto' as const }])(
    'in $flowStyle style',
    ({ flowStyle }) => {
      fc.assert(
        fc.property(node, (value) => {
          const config = dictNode([['root', value.clone()]]);
          expect(toTagged(loadYaml(toYaml(config, { flowStyle }), { maxExpandedNodes: null }))).toEqual(
            toTagged(config),
          );
        }),
        { numRuns: 300 },
      );
    },
  );
});
