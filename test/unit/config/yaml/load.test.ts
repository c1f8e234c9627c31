import { describe, expect, test } from 'vitest';
import { loadYaml, loadYamlValue, type ScalarNode, toTagged } from '../../../../engine/config/index.ts';
import { maxExpandedNodesFrom } from '../../../../engine/config/yaml/expansion.ts';
import { failureOf, plain, yaml } from '../support.ts';

function scalar(text: string): ScalarNode {
  const config = yaml(`x: ${text}`);
  const node = config.kind === 'dict' ? config.get('x') : undefined;
  if (node?.kind !== 'scalar') throw new Error('not a scalar');
  return node;
}

describe('plain scalars follow YAML 1.1 as OmegaConf reads it', () => {
  test.each([
    { id: 'yes is a bool', text: 'yes', type: 'bool', value: true },
    { id: 'y is a string', text: 'y', type: 'str', value: 'y' },
    { id: 'a leading zero is octal', text: '010', type: 'int', value: 8 },
    { id: '08 is a string', text: '08', type: 'str', value: '08' },
    { id: '0o17 is a string', text: '0o17', type: 'str', value: '0o17' },
    { id: 'a colon counts in sixties', text: '1:30', type: 'int', value: 90 },
    { id: 'an exponent alone makes a float', text: '1e3', type: 'float', value: 1000 },
    { id: '.5 is a float', text: '.5', type: 'float', value: 0.5 },
    { id: '-.5 is a string', text: '-.5', type: 'str', value: '-.5' },
    { id: 'a date stays a string', text: '2020-01-01', type: 'str', value: '2020-01-01' },
    { id: '1.0 is no integer', text: '1.0', type: 'float', value: 1 },
    { id: 'a large integer is exact', text: '9007199254740993', type: 'int', value: 9007199254740993n },
    { id: 'a tag decides', text: '!!float 5e-5', type: 'float', value: 5e-5 },
    { id: 'Null is null', text: 'Null', type: 'null', value: null },
  ])('$id', ({ text, type, value }) => {
    expect(scalar(text)).toMatchObject({ type, value });
  });

  test('a negative zero keeps its sign', () => {
    expect(Object.is(scalar('-0.0').value, -0)).toBe(true);
  });
});

describe('mappings', () => {
  test('a repeated string key is refused, quoted or not, with its place', () => {
    const error = failureOf(() => yaml('a: 1\nb: 2\n"a": 3\n'));
    expect(error.exception).toBe('ConstructorError');
    expect(error.origin).toEqual({ kind: 'file', source: 'test.yaml', line: 3, column: 1 });
    expect(error.message).toContain('found duplicate key a');
  });

  test('a repeated key of another type keeps its first spelling and takes the last value', () => {
    expect(toTagged(yaml('1: a\ntrue: b\n1.0: c\n'))).toEqual({
      t: 'dict',
      v: [
        [
          { t: 'int', v: 1 },
          { t: 'str', v: 'c' },
        ],
      ],
    });
  });

  test('the own keys win over merged ones, the first source over the next', () => {
    expect(plain(yaml('x: &x {b: 1}\ny: &y {b: 2, c: 3}\nd:\n  <<: [*x, *y]\n  c: 4\n'))).toMatchObject({
      d: { b: 1, c: 4 },
    });
  });

  test('keys of the prototype chain are ordinary keys', () => {
    const config = yaml('__proto__: {polluted: 1}\nconstructor: 2\n');
    expect([...(config.kind === 'dict' ? config.keys() : [])]).toEqual(['__proto__', 'constructor']);
    expect(Reflect.get({}, 'polluted')).toBeUndefined();
  });

  test('a null key is YAML but no config', () => {
    expect(loadYamlValue('null: a').kind).toBe('dict');
    expect(failureOf(() => yaml('null: a')).exception).toBe('KeyValidationError');
  });
});

describe('a whole text', () => {
  test.each([
    { id: 'nothing', text: '', want: {} },
    { id: 'a lone word is a key without a value', text: 'word', want: { word: null } },
    { id: 'a quoted YAML text is read again', text: "'a: 1'", want: { a: 1 } },
    { id: 'a byte order mark and carriage returns', text: '\ufeffa: 1\r\nb: [x]\r\n', want: { a: 1, b: ['x'] } },
  ])('$id', ({ text, want }) => {
    expect(plain(yaml(text))).toEqual(want);
  });

  test.each([
    { id: 'a lone number is no config', text: '5', exception: 'OSError', line: 1 },
    { id: 'an unquoted interpolation in a flow collection', text: 'a: [${b}]', exception: 'ParserError', line: 1 },
    { id: 'a tab as indentation', text: 'a:\n\tb: 1', exception: 'ScannerError', line: 2 },
    { id: 'a second document', text: 'a: 1\n--- \nb: 2', exception: 'ComposerError', line: 2 },
    { id: 'a binary file', text: '\x7fELF\x02\x01', exception: 'ReaderError', line: 1 },
    { id: 'an interpolation without its end', text: 'x: 1\ny:\n  z: ${b', exception: 'GrammarParseError', line: 3 },
    { id: 'an undefined alias', text: 'a: *nope', exception: 'ComposerError', line: 1 },
    { id: 'an unknown tag', text: 'a: !nope 1', exception: 'ConstructorError', line: 1 },
    { id: 'an alias to its own container', text: 'a: &x [*x]', exception: 'ConstructorError', line: 1 },
  ])('$id', ({ text, exception, line }) => {
    const error = failureOf(() => yaml(text));
    expect(error.exception).toBe(exception);
    expect(error.origin).toMatchObject({ source: 'test.yaml', line });
    expect(error.describe()).toContain(`test.yaml:${line}:`);
  });
});

test('an unquoted interpolation inside brackets gets a hint', () => {
  expect(failureOf(() => yaml('x: 1\na: [1, ${b}]\n')).message).toContain('in quotes');
  expect(failureOf(() => yaml('x: 1\na: [1, }\n')).message).not.toContain('in quotes');
});

describe('texts made to hurt', () => {
  const laughs = Array.from(
    { length: 20 },
    (_, i) => `a${i}: &a${i} [${Array(10).fill(i === 0 ? 'x' : `*a${i - 1}`)}]`,
  ).join('\n');

  test.each([
    { id: 'aliases of aliases', text: laughs, exception: 'ConstructorError' },
    { id: 'ten thousand open brackets', text: `a: ${'['.repeat(10_000)}`, exception: 'RecursionError' },
    {
      id: 'ten thousand mappings',
      text: Array.from({ length: 10_000 }, (_, i) => `${' '.repeat(i)}a:`).join('\n'),
      exception: 'RecursionError',
    },
    { id: 'ten thousand dashes', text: `${'- '.repeat(10_000)}x`, exception: 'RecursionError' },
    { id: 'nested interpolations', text: `a: ${'${'.repeat(5000)}`, exception: 'GrammarParseError' },
  ])('$id', ({ text, exception }) => {
    expect(failureOf(() => yaml(text)).exception).toBe(exception);
  });

  test('ten megabytes: many keys are refused at the first that is too many, one long text is read', () => {
    const megabytes = Array.from({ length: 700_000 }, (_, index) => `key_${index}: value\n`).join('');
    expect(megabytes.length).toBeGreaterThan(10_000_000);
    const error = failureOf(() => yaml(megabytes));
    expect(error.message).toContain('exceeds the configured limit of 10000');
    expect(error.origin).toMatchObject({ line: 5000 });
    expect(plain(yaml(`a: ${'x'.repeat(10_000_000)}\nb: 1\n`))).toEqual({ a: 'x'.repeat(10_000_000), b: 1 });
  });

  test('more nodes than a config may have are refused before they are all read', () => {
    const text = 'k: v\n'.repeat(200_000);
    expect(failureOf(() => yaml(text)).message).toContain('limit of 10000');
    expect(loadYaml('- 1\n'.repeat(20_000), { maxExpandedNodes: null }).size).toBe(20_000);
  });
});

test.each([
  { id: 'nothing', env: {}, want: 10_000 },
  { id: 'a number', env: { OMEGACONF_MAX_YAML_EXPANDED_NODES: ' 50 ' }, want: 50 },
  { id: 'none', env: { OMEGACONF_MAX_YAML_EXPANDED_NODES: 'None' }, want: null },
])('the environment sets the limit: $id', ({ env, want }) => {
  expect(maxExpandedNodesFrom(env)).toBe(want);
});

test('a limit that is none is refused', () => {
  const error = failureOf(() => maxExpandedNodesFrom({ OMEGACONF_MAX_YAML_EXPANDED_NODES: '-1' }));
  expect(error.exception).toBe('ValueError');
});

test('every value and key knows its line and column', () => {
  const config = yaml('# comment\nmodel:\n  lr: 0.1   # rate\n  layers: [64, {n: 2}]\n');
  const lr = config.kind === 'dict' ? config.get('model') : undefined;
  const child = lr?.kind === 'dict' ? lr.get('lr') : undefined;
  expect(child?.origin).toEqual({ kind: 'file', source: 'test.yaml', line: 3, column: 7 });
  expect(child?.keyOrigin).toEqual({ kind: 'file', source: 'test.yaml', line: 3, column: 3 });
  const layers = lr?.kind === 'dict' ? lr.get('layers') : undefined;
  expect(layers?.kind === 'list' ? layers.get(1)?.origin : undefined).toMatchObject({ line: 4, column: 16 });
});
