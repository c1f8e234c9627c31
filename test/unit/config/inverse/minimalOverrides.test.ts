import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compose } from '../../../../engine/config/compose/compose.ts';
import { MemorySource } from '../../../../engine/config/compose/memorySource.ts';
import { parseOverride } from '../../../../engine/config/grammar/parser.ts';
import type { OverrideValue } from '../../../../engine/config/grammar/types.ts';
import { sameConfig } from '../../../../engine/config/inverse/equality.ts';
import { leafEdits } from '../../../../engine/config/inverse/leafEdits.ts';
import { minimalOverrides } from '../../../../engine/config/inverse/minimalOverrides.ts';
import type { ConfigNode, DictNode } from '../../../../engine/config/node/node.ts';
import { fromPlain } from '../../../../engine/config/node/plain.ts';

const source = new MemorySource({
  'config.yaml':
    'defaults:\n  - model: mlp\n  - optimizer: sgd\n  - logger: null\n  - _self_\nseed: 1\ntags: [a, b]\nname: run_${seed}\nextra: {a: 1, b: {c: 2}}\nbyNumber: {1: one}\n',
  'model/mlp.yaml': 'defaults:\n  - backbone: small\n  - _self_\nname: mlp\ndepth: 2\nwidth: 64\n',
  'model/vit.yaml': 'defaults:\n  - backbone: small\n  - _self_\nname: vit\ndepth: 12\nheads: 3\n',
  'model/backbone/small.yaml': 'dim: 8\nlayers: 1\nact: relu\n',
  'model/backbone/large.yaml': 'dim: 1024\nlayers: 24\nact: gelu\n',
  'optimizer/sgd.yaml': 'lr: 0.1\nmomentum: 0.9\n',
  'optimizer/adam.yaml': 'lr: 0.001\nbetas: [0.9, 0.999]\neps: 1e-8\n',
  'logger/csv.yaml': 'to: file\n',
  'experiment/big.yaml':
    '# @package _global_\ndefaults:\n  - override /model: vit\n  - override /optimizer: adam\nseed: 99\nmodel: {depth: 48}\n',
});

function base(overrides: readonly string[] = []) {
  return compose({ searchPath: [source], configName: 'config', overrides, env: {} });
}

function inverse(edited: DictNode, from: readonly string[] = []) {
  return minimalOverrides(base(from), edited);
}

describe('minimalOverrides finds what was done', () => {
  test.each([
    { overrides: [] },
    { overrides: ['seed=7'] },
    { overrides: ['model=vit'] },
    { overrides: ['model/backbone=large'] },
    { overrides: ['model=vit', 'model/backbone=large', 'optimizer=adam', 'optimizer.lr=0.5'] },
    { overrides: ['logger=csv'] },
    { overrides: ['+experiment=big'] },
    { overrides: ['+experiment=big', 'model/backbone=large', 'seed=5'] },
    { overrides: ['~optimizer'] },
    { overrides: ['~seed', '+fresh={a:1,b:[x,y]}'] },
    { overrides: ['tags.1=z'] },
    { overrides: ['tags=extend_list(c)'] },
    { overrides: ["name='a, b'", 'extra.b.c=null'] },
    { overrides: ['model.depth=3', 'model=vit'] },
  ])('$overrides', ({ overrides }) => {
    const edited = base(overrides);
    const found = inverse(edited.config);
    expect(found).toMatchObject({ exact: true, differences: [] });
    expect(found.overrides.length).toBeLessThanOrEqual(overrides.length);
    expect(sameConfig(base(found.overrides).config, edited.config)).toBe(true);
  });

  test('options are swapped before values are edited', () => {
    expect(inverse(base(['model.heads=9', 'model=vit', '++seed=3']).config).overrides).toEqual([
      'model=vit',
      'model.heads=9',
      'seed=3',
    ]);
  });

  test('what the base overrides did is told again, Hydra’s own are kept', () => {
    const from = ['model=vit', 'hydra.job.name=x'];
    expect(inverse(base(['model=vit', 'seed=2']).config, from).overrides).toEqual([
      'hydra.job.name=x',
      'model=vit',
      'seed=2',
    ]);
    expect(inverse(base().config, from).overrides).toEqual(['hydra.job.name=x']);
  });

  test.each([
    { id: 'a number that becomes text', path: ['seed'], value: '1', overrides: ["seed='1'"] },
    { id: 'a mapping that becomes a list', path: ['extra'], value: [1], overrides: ['~extra', '+extra=[1]'] },
    { id: 'a list that becomes a mapping', path: ['tags'], value: { a: 1 }, overrides: ['~tags', '+tags={a:1}'] },
    {
      id: 'a key that only a mapping can write',
      path: ['extra', 'a.b c'],
      value: 1,
      overrides: ['++extra={a.b\\ c:1}'],
    },
    { id: 'an empty text', path: ['name'], value: '', overrides: ["name=''"] },
    { id: 'a missing value', path: ['seed'], value: '???', overrides: ['seed=???'] },
  ])('$id', ({ path, value, overrides }) => {
    const edited = base().config.clone();
    let parent: ConfigNode = edited;
    for (const key of path.slice(0, -1)) parent = parent.kind === 'dict' ? (parent.get(key) ?? parent) : parent;
    if (parent.kind === 'dict') parent.set(path.at(-1) ?? '', fromPlain(value));
    expect(inverse(edited)).toMatchObject({ overrides, exact: true });
  });

  test('what cannot be told is named', () => {
    const edited = base().config.clone();
    edited.set('a key with blanks', fromPlain(1));
    expect(inverse(edited)).toMatchObject({ exact: false, differences: ['a key with blanks'] });
  });
});

/** A tree in which several lists of overrides lead to the same config, so that the shortest has to be told. */
const rivals = new MemorySource({
  'config.yaml':
    'defaults:\n  - net: a\n  - opt: x\n  - log: null\n  - tools: [t1]\n  - _self_\nseed: 1\nextra: {a: 1, b: 2, c: {d: 3}}\n',
  'net/a.yaml': 'defaults:\n  - part: p\n  - _self_\nsize: 1\n',
  'net/b.yaml': 'defaults:\n  - part: p\n  - _self_\nsize: 2\nheads: 3\n',
  'net/c.yaml': 'defaults:\n  - part: ???\n  - _self_\nsize: 3\ndim: 4\n',
  'net/part/p.yaml': 'act: relu\n',
  'net/part/q.yaml': 'act: gelu\nslope: 1\n',
  'opt/x.yaml': 'lr: 1\nmomentum: 0\n',
  'opt/y.yaml': 'lr: 2\nmomentum: 0\n',
  'log/csv.yaml': 'to: file\nevery: 5\n',
  'tools/t1.yaml': 'one: 1\n',
  'tools/t2.yaml': 'two: 2\nthree: 3\n',
  'preset/big.yaml':
    '# @package _global_\ndefaults:\n  - override /net: b\n  - override /opt: y\n  - _self_\nseed: 9\nnet: {size: 8}\n',
});

function rival(overrides: readonly string[] = []) {
  return compose({ searchPath: [rivals], configName: 'config', overrides, env: {} });
}

const everySelection = allSelections([
  ['', 'net=a', 'net=b', 'net=c', '~net'],
  ['', 'net/part=p', 'net/part=q', '~net/part'],
  ['', 'opt=x', 'opt=y', '~opt'],
  ['', 'log=csv'],
  ['', 'tools=[]', 'tools=[t2]', 'tools=[t1,t2]', 'tools=[t2,t1]'],
  ['', '+preset=big'],
]).flatMap((selection) => {
  try {
    return [{ selection, config: rival(selection).config }];
  } catch {
    return []; // not every selection can be composed
  }
});

function allSelections(choices: readonly (readonly string[])[]): readonly (readonly string[])[] {
  const [first, ...rest] = choices;
  if (first === undefined) return [[]];
  return allSelections(rest).flatMap((others) => first.map((choice) => (choice === '' ? others : [choice, ...others])));
}

/** The shortest length of all, and how many options the list of that length with the most of them chooses. */
function shortestOfAll(edited: DictNode): { readonly length: number; readonly options: number } {
  let best = { length: Number.POSITIVE_INFINITY, options: 0 };
  for (const { selection, config } of everySelection) {
    const { weight, inexpressible } = leafEdits(config, edited);
    if (inexpressible.length > 0) continue;
    const found = { length: selection.length + weight, options: selection.length };
    if (found.length < best.length || (found.length === best.length && found.options > best.options)) best = found;
  }
  return best;
}

const rivalGroups = new Set(['net', 'net/part', 'opt', 'log', 'tools', 'preset']);

/** Options chosen and values given, told from the texts alone. */
function lengthOf(overrides: readonly string[]): { readonly length: number; readonly options: number } {
  let [length, options] = [0, 0];
  for (const text of overrides) {
    const { keyOrGroup, value } = parseOverride(text);
    if (rivalGroups.has(keyOrGroup) && value?.type !== 'dict') options++;
    length += value?.type === 'dict' ? Math.max(1, valuesIn(value)) : 1;
  }
  return { length, options };
}

function valuesIn(value: OverrideValue): number {
  if (value.type !== 'dict') return 1;
  return value.entries.reduce((sum, [, inner]) => sum + Math.max(1, valuesIn(inner)), 0);
}

test('no list is shorter, and none as short chooses more options: compared with every selection of options', () => {
  expect(everySelection.length).toBeGreaterThan(300);
  const value = fc.oneof(fc.integer({ min: 0, max: 9 }), fc.constantFrom('relu', 'gelu', 'file', null));
  const path = fc.constantFrom(
    'seed',
    'net.size',
    'net.heads',
    'net.part.act',
    'opt.lr',
    'log.to',
    'tools.two',
    'extra.a',
  );
  const edits = fc.array(fc.tuple(path, value), { maxLength: 3 });
  fc.assert(
    fc.property(fc.constantFrom(...everySelection), edits, ({ config }, changes) => {
      const edited = config.clone();
      edited.flags = undefined;
      for (const [path, to] of changes) setAt(edited, path.split('.'), fromPlain(to));
      const found = minimalOverrides(rival(), edited);
      expect(found).toMatchObject({ exact: true, exhaustive: true, differences: [] });
      expect({ list: found.overrides, ...lengthOf(found.overrides) }).toMatchObject(shortestOfAll(edited));
    }),
    { numRuns: 25 },
  );
}, 60_000);

describe('options come first', () => {
  test.each([
    { id: 'one value that an option gives, too', overrides: ['opt.lr=2'], shortest: ['opt=y'] },
    { id: 'an option that brings a mandatory choice', overrides: ['net=c', 'net/part=q'], shortest: undefined },
    { id: 'a list of options', overrides: ['tools=[t1,t2]'], shortest: undefined },
    { id: 'an option left out of a list', overrides: ['tools=[]'], shortest: undefined },
    { id: 'a preset that sets one value back', overrides: ['+preset=big', 'seed=1'], shortest: undefined },
  ])('$id', ({ overrides, shortest }) => {
    const found = minimalOverrides(rival(), rival(overrides).config);
    expect(found.overrides.toSorted()).toEqual((shortest ?? overrides).toSorted());
  });

  test('a search that may not cost more says that it was not ended', () => {
    const edited = rival(['net=c', 'net/part=q', 'opt=y', 'log=csv']).config;
    const found = minimalOverrides(rival(), edited, { maximumCompositions: 5 });
    expect(found).toMatchObject({ exact: true, exhaustive: false });
  });
});

test('composing with the result gives the edit', () => {
  const leaf = fc.oneof(
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.string({ unit: 'grapheme-ascii', maxLength: 6 }),
    fc.array(fc.integer(), { maxLength: 3 }),
    fc.dictionary(fc.stringMatching(/^[a-z]{1,4}$/), fc.integer(), { maxKeys: 3 }),
  );
  const paths = [
    'seed',
    'model.depth',
    'model.heads',
    'optimizer.lr',
    'extra.b',
    'extra.b.c',
    'tags',
    'fresh',
    'model.backbone.dim',
  ];
  const choices = fc.subarray(['model=vit', 'optimizer=adam', 'logger=csv', 'model/backbone=large', '+experiment=big']);
  const edits = fc.array(fc.tuple(fc.constantFrom(...paths), leaf), { maxLength: 4 });
  fc.assert(
    fc.property(choices, edits, (overrides, changes) => {
      const edited = base(overrides).config.clone();
      edited.flags = undefined;
      for (const [path, value] of changes) setAt(edited, path.split('.'), fromPlain(value));
      const found = inverse(edited);
      expect(found.differences).toEqual([]);
      expect(sameConfig(base(found.overrides).config, edited)).toBe(true);
    }),
    { numRuns: 40 },
  );
}, 60_000);

function setAt(config: DictNode, parts: readonly string[], value: ConfigNode): void {
  let parent = config;
  for (const part of parts.slice(0, -1)) {
    const child = parent.get(part);
    if (child?.kind === 'dict') parent = child;
    else return;
  }
  parent.set(parts.at(-1) ?? '', value);
}
