import { describe, expect, test } from 'vitest';
import {
  createResolverRegistry,
  type DictNode,
  fullKeyOf,
  missingKeys,
  type PlainValue,
  resolve,
  resolveInPlace,
  select,
  toPlain,
  toTagged,
} from '../../../../engine/config/index.ts';
import { contextWith, failureOf, plain, yaml } from '../support.ts';

function value(text: string, key: string, env: Record<string, string> = {}): PlainValue {
  const found = select(yaml(text), key, contextWith({ env }));
  return found === undefined ? null : toPlain(found);
}

describe('interpolations', () => {
  test.each([
    { id: 'keep the type when alone', text: 'a: ${b}\nb: 1.5', want: 1.5 },
    { id: 'become text beside text, as Python prints it', text: 'a: x${b}\nb: 1e-7', want: 'x1e-07' },
    { id: 'print null and bools as Python does', text: 'a: ${b}/${c}\nb: null\nc: true', want: 'None/True' },
    {
      id: 'print containers as Python does',
      text: "a: x${b}\nb: [1, a, {c: '${d}'}]",
      want: "x[1, 'a', {'c': '${d}'}]",
    },
    { id: 'follow brackets', text: 'a: ${b[1].c}\nb: [0, {c: 2}]', want: 2 },
    { id: 'count list indices from the end', text: 'a: ${b.-1}\nb: [1, 2]', want: 2 },
    { id: 'nest in a key', text: 'a: ${b.${c}}\nb: {x: 7}\nc: x', want: 7 },
    { id: 'stay text behind a backslash', text: 'a: \\${b}\nb: 1', want: '${b}' },
    { id: 'follow a pair of backslashes', text: 'a: \\\\${b}\nb: 1', want: '\\1' },
    { id: 'keep backslashes that escape nothing', text: 'a: \\\\x${b}\nb: 1', want: '\\\\x1' },
  ])('$id', ({ text, want }) => {
    expect(value(text, 'a')).toEqual(want);
  });

  test('relative keys start at the container and go up by dots', () => {
    expect(value("a: {b: '${.c}', c: 1}", 'a.b')).toBe(1);
    expect(value("a: {b: {c: '${..d}'}, d: 2}", 'a.b.c')).toBe(2);
    expect(value("a: [1, ['${..0}']]", 'a.1.0')).toBe(1);
  });

  test.each([
    { id: 'a key that is not there', text: 'a: ${nope}', exception: 'InterpolationKeyError' },
    { id: 'a missing value', text: 'a: ${b}\nb: ???', exception: 'InterpolationToMissingValueError' },
    { id: 'an unknown resolver', text: 'a: ${nope:1}', exception: 'UnsupportedInterpolationType' },
    { id: 'a circle', text: 'a: ${b}\nb: ${a}', exception: 'InterpolationResolutionError' },
    { id: 'an own ancestor', text: "a: {b: '${a}'}", key: 'a.b', exception: 'InterpolationResolutionError' },
    { id: 'an integer key', text: 'a: ${b.1}\nb: {1: x}', exception: 'InterpolationKeyError' },
    { id: 'a key that is no string', text: 'a: ${b.${c}}\nb: {1: x}\nc: 1', exception: 'InterpolationResolutionError' },
  ])('$id is refused', ({ text, key = 'a', exception }) => {
    expect(failureOf(() => value(text, key)).exception).toBe(exception);
  });

  test('a failure tells which text failed and where it stands', () => {
    const error = failureOf(() => resolve(yaml('x: 1\nmodel:\n  lr: ${..rate}\n'), contextWith()));
    expect(error.message).toContain("Interpolation key '..rate' not found (resolved to 'rate')");
    expect(error.origin).toEqual({ kind: 'file', source: 'test.yaml', line: 3, column: 7 });
    expect(error.fullKey).toBe('model.lr');
    expect(error.describe()).toContain('test.yaml:3:7');
  });

  test('texts that double each other end in an error, not in a hang', () => {
    const lines = Array.from({ length: 40 }, (_, i) => `a${i + 1}: \${a${i}}\${a${i}}`);
    expect(failureOf(() => resolve(yaml(`a0: x\n${lines.join('\n')}`), contextWith())).exception).toBe(
      'InterpolationResolutionError',
    );
  });

  test('containers that refer to each other end in an error', () => {
    const text = "a: {x: '${b}'}\nb: {y: '${a}'}";
    expect(failureOf(() => resolve(yaml(text), contextWith())).exception).toBe('RecursionError');
    expect(failureOf(() => resolveInPlace(yaml(text), contextWith())).exception).toBe('RecursionError');
  });
});

describe('resolver arguments', () => {
  test.each([
    { id: 'are typed', text: '1, 1.0, true, null, a b', want: [1, 1, true, null, 'a b'] },
    { id: 'may be quoted', text: "'1', \"a,b\", ''", want: ['1', 'a,b', ''] },
    { id: 'are empty strings where nothing stands', text: '1,', want: [1, ''] },
    { id: 'nest', text: '[1, [2]], {a: {b: 3}}', want: [[1, [2]], { a: { b: 3 } }] },
    { id: 'unescape', text: 'a\\,b, a\\:b', want: ['a,b', 'a:b'] },
    { id: 'hold interpolations', text: '${x}, y${x}', want: [5, 'y5'] },
    { id: 'take 007 for text and 1_000 for a number', text: '007, 1_000, 1., inf', want: ['007', 1000, 1, Infinity] },
  ])('$id', ({ text, want }) => {
    const resolvers = createResolverRegistry();
    resolvers.registerTyped('args', (args) => ({ kind: 'plain-list', items: args }));
    const config = yaml(`a: |-\n  \${args:${text}}\nx: 5`) as DictNode;
    const resolved = resolve(config, contextWith({ resolvers }));
    expect(JSON.parse(JSON.stringify(toPlain(resolved), (_, v) => (v === Infinity ? 'inf' : v))).a).toEqual(
      want.map((v) => (v === Infinity ? 'inf' : v)),
    );
  });

  test('an empty place is warned about', () => {
    const warnings: string[] = [];
    const context = contextWith({ env: {}, warn: (text) => warnings.push(text) });
    expect(plain(resolve(yaml('a: ${oc.env:NOPE,}'), context))).toEqual({ a: '' });
    expect(warnings).toEqual([expect.stringContaining('In the sequence `NOPE,` some elements are missing')]);
  });
});

describe("OmegaConf's resolvers", () => {
  test.each([
    { id: 'oc.env', text: 'a: ${oc.env:USER}', env: { USER: 'me' }, want: 'me' },
    { id: 'oc.env defaults become text', text: 'a: ${oc.env:NOPE,1.50}', want: '1.5' },
    { id: 'oc.env keeps a null default', text: 'a: ${oc.env:NOPE,null}', want: null },
    {
      id: 'what the environment holds is no interpolation',
      text: 'a: ${oc.env:X}\nb: 1',
      env: { X: '${b}' },
      want: '${b}',
    },
    { id: 'oc.decode reads a value', text: 'a: ${oc.decode:${oc.env:X}}', env: { X: '{a: [1]}' }, want: { a: [1] } },
    { id: 'oc.select has a default', text: 'a: ${oc.select:nope,9}', want: 9 },
    { id: 'oc.create makes a part of the config', text: "a: ${b.c}\nb: '${oc.create:{c: 3}}'", want: 3 },
    { id: 'oc.dict.keys', text: 'a: ${oc.dict.keys:b}\nb: {x: 1, y: 2}', want: ['x', 'y'] },
    { id: 'multiply', text: 'a: ${multiply:4,0.5}', want: 2 },
    { id: 'len', text: 'a: ${len:${b}}\nb: [1, 2]', want: 2 },
  ])('$id', ({ text, env = {}, want }) => {
    expect(plain(resolve(yaml(text), contextWith({ env })))).toMatchObject({ a: want });
  });

  test('oc.dict.values resolves where the values stand', () => {
    const config = yaml("a: {k: '${oc.dict.values:..b}'}\nb: {x: '${.y}', y: 5}");
    expect(plain(resolve(config, contextWith()))).toMatchObject({ a: { k: [5, 5] } });
  });

  test('oc.deprecated warns with both keys', () => {
    const warnings: string[] = [];
    const context = contextWith({ warn: (text) => warnings.push(text) });
    resolve(yaml("old: '${oc.deprecated:new, ''$OLD_KEY is now $NEW_KEY''}'\nnew: 1"), context);
    expect(warnings).toEqual(['old is now new']);
  });

  test('an unset variable is named', () => {
    const error = failureOf(() => resolve(yaml('a: ${oc.env:NOPE}'), contextWith()));
    expect(error.message).toContain("Environment variable 'NOPE' not found");
  });
});

describe('own resolvers', () => {
  test('take and return plain values', () => {
    const resolvers = createResolverRegistry();
    resolvers.register('join', (list, by) => (list as string[]).join(String(by)));
    resolvers.register('pair', (value) => [value, 0.5]);
    const config = yaml("a: ${join:${l},'-'}\nb: ${pair:${a}}\nl: [x, '${y}']\ny: z");
    const resolved = resolve(config, contextWith({ resolvers }));
    expect(plain(resolved)).toMatchObject({ a: 'x-z', b: ['x-z', 0.5] });
  });

  test('are called once for the same arguments with a cache', () => {
    let calls = 0;
    const resolvers = createResolverRegistry();
    resolvers.register('next', () => ++calls, { useCache: true });
    resolvers.register('fresh', () => ++calls);
    expect(
      plain(resolve(yaml('a: ${next:}\nb: ${next:}\nc: ${fresh:}\nd: ${fresh:}'), contextWith({ resolvers }))),
    ).toEqual({
      a: 1,
      b: 1,
      c: 2,
      d: 3,
    });
  });

  test('a name that is taken is refused, and registries do not share names', () => {
    const resolvers = createResolverRegistry();
    expect(() => resolvers.register('len', () => 0)).toThrow("'len' is already registered");
    resolvers.register('len', () => 0, { replace: true });
    expect(createResolverRegistry().get('len')).not.toBe(resolvers.get('len'));
  });

  test('what they throw names the interpolation', () => {
    const resolvers = createResolverRegistry();
    resolvers.register('boom', () => {
      throw new RangeError('too much');
    });
    const error = failureOf(() => resolve(yaml('a:\n  b: ${boom:}'), contextWith({ resolvers })));
    expect(error.message).toContain('RangeError raised while resolving interpolation: too much');
    expect(error.fullKey).toBe('a.b');
  });
});

describe('whole configs', () => {
  test('missing values stay, unless they must not', () => {
    const config = yaml("a: {b: '???'}");
    expect(plain(resolve(config, contextWith()))).toEqual({ a: { b: '???' } });
    expect(failureOf(() => resolve(config, contextWith(), { throwOnMissing: true })).exception).toBe(
      'MissingMandatoryValue',
    );
  });

  test('the missing are listed, also behind interpolations', () => {
    expect([...missingKeys(yaml("a: ${b.c}\nb: ???\nd: [{e: '???'}]"), contextWith())].sort()).toEqual([
      'a',
      'b',
      'd[0].e',
    ]);
  });

  test('resolving leaves the config as it was and keeps the origins', () => {
    const config = yaml('a: ${b}\nb: {c: 1}') as DictNode;
    const before = toTagged(config);
    const resolved = resolve(config, contextWith()) as DictNode;
    expect(toTagged(config)).toEqual(before);
    expect(resolved.get('a')?.origin).toEqual(config.get('a')?.origin);
    const inner = resolved.get('a');
    expect(inner?.kind === 'dict' && inner.get('c') ? fullKeyOf(inner.get('c') ?? config) : '').toBe('a.c');
  });
});

describe('a failure tells the chain that led to it', () => {
  test.each([
    {
      id: 'a cycle',
      text: 'a: ${b}\nb: x ${c}\nc: ${a}\n',
      chain: ['a: ${b}', 'b: x ${c}', 'c: ${a}', 'a: ${b}'],
      lines: ['    a: ${b}  (test.yaml:1:4)', '    → b: x ${c}  (test.yaml:2:4)', '    → c: ${a}  (test.yaml:3:4)'],
    },
    {
      id: 'a missing value',
      text: 'd: {a: "${b.c}"}\nb: {c: "${e}"}\ne: ???\n',
      chain: ['d.a: ${b.c}', 'b.c: ${e}'],
      lines: ['    d.a: ${b.c}  (test.yaml:1:8)', '    → b.c: ${e}  (test.yaml:2:8)'],
    },
    {
      id: 'a key that is not there, through a resolver',
      text: 'a: ${oc.decode:${b}}\nb: ${nope}\n',
      chain: ['a: ${oc.decode:${b}}', 'b: ${nope}'],
      lines: ['    → b: ${nope}  (test.yaml:2:4)'],
    },
  ])('$id', ({ text, chain, lines }) => {
    const failures = [
      failureOf(() => resolve(yaml(text), contextWith())),
      failureOf(() => resolveInPlace(yaml(text), contextWith())),
    ];
    for (const failure of failures) {
      expect(failure.interpolations.map((step) => `${step.path}: ${step.text}`)).toEqual(chain);
      for (const line of lines) expect(failure.describe().split('\n')).toContain(line);
    }
  });

  test('one interpolation is its own place and not told again', () => {
    const failure = failureOf(() => resolve(yaml('a: ${nope}\n'), contextWith()));
    expect(failure.describe()).not.toContain('a: ${nope}');
    expect(failure.describe()).toContain('at test.yaml:1:4');
  });
});
