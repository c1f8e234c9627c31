import { describe, expect, test } from 'vitest';
import { OverrideSyntaxError } from '../../../../engine/config/grammar/failure.ts';
import { parseOverride, parseOverrides } from '../../../../engine/config/grammar/parser.ts';
import type { OverrideValue } from '../../../../engine/config/grammar/types.ts';

const str = (value: string, quote?: '"' | "'"): OverrideValue =>
  quote === undefined ? { type: 'str', value } : { type: 'str', value, quote };
const int = (value: number | bigint): OverrideValue => ({ type: 'int', value });
const float = (value: number): OverrideValue => ({ type: 'float', value });
const list = (...items: OverrideValue[]): OverrideValue => ({ type: 'list', items });

describe('values', () => {
  test.each<{ id: string; text: string; value: OverrideValue }>([
    { id: 'a word', text: 'abc', value: str('abc') },
    { id: 'words with blanks between', text: '  hello   world  ', value: str('hello   world') },
    { id: 'an empty text', text: '', value: str('') },
    { id: 'an integer with underscores', text: '1_000', value: int(1000) },
    { id: 'a large integer', text: '9007199254740993', value: int(9007199254740993n) },
    { id: 'leading zeros, which are no integer', text: '007', value: str('007') },
    { id: 'a float that ends in a point', text: '1.', value: float(1) },
    { id: 'an exponent', text: '-1e3', value: float(-1000) },
    { id: 'infinity', text: '-inf', value: float(Number.NEGATIVE_INFINITY) },
    { id: 'null in capitals', text: 'NULL', value: { type: 'null' } },
    { id: 'a boolean', text: 'TrUe', value: { type: 'bool', value: true } },
    { id: 'a number followed by letters', text: '3.14abc', value: str('3.14abc') },
    { id: 'a path', text: '/x/y.txt', value: str('/x/y.txt') },
    { id: 'a colon with its blank', text: 'a: b', value: str('a: b') },
    { id: 'escapes', text: 'a\\,b\\=c', value: str('a,b=c') },
    { id: 'a backslash that escapes nothing', text: 'a\\nb', value: str('a\\nb') },
    { id: 'an interpolation up to its first brace', text: 'x${a.b}y', value: str('x${a.b}y') },
    { id: 'a quoted text', text: "'a,b'", value: str('a,b', "'") },
    { id: 'an escaped quote', text: `'it\\'s'`, value: str("it's", "'") },
    { id: 'backslashes before the closing quote', text: '"a\\\\"', value: str('a\\', '"') },
    { id: 'backslashes inside, kept', text: "'a\\\\b'", value: str('a\\\\b', "'") },
    { id: 'a list', text: '[1, 2.0,x y]', value: list(int(1), float(2), str('x y')) },
    { id: 'an empty list', text: '[ ]', value: list() },
    {
      id: 'a mapping with equal keys',
      text: '{1:2,true:3}',
      value: { type: 'dict', entries: [[int(1), int(3)]] } as OverrideValue,
    },
    { id: 'a cast', text: 'int(3.7)', value: int(3) },
    { id: 'a nested cast', text: 'int(str(15))', value: int(15) },
    { id: 'a json text', text: "json_str({a:1,b:[x,'y']})", value: str('{"a": 1, "b": ["x", "y"]}') },
  ])('reads $id', ({ text, value }) => {
    const override = parseOverride(`key=${text}`, 3);
    expect(override).toMatchObject({ type: 'CHANGE', keyOrGroup: 'key', valueType: 'ELEMENT', index: 3 });
    expect(override.value).toEqual(value);
  });

  test.each([
    { text: 'a=1,2', valueType: 'SIMPLE_CHOICE_SWEEP' },
    { text: 'a=choice(1,2)', valueType: 'CHOICE_SWEEP' },
    { text: 'a=range(3)', valueType: 'RANGE_SWEEP' },
    { text: 'a=interval(0,1)', valueType: 'INTERVAL_SWEEP' },
    { text: 'a=glob(*)', valueType: 'GLOB_CHOICE_SWEEP' },
    { text: '~a', valueType: undefined },
  ])('$text is a $valueType', ({ text, valueType }) => {
    expect(parseOverride(text).valueType).toBe(valueType);
  });

  test('is frozen, down to the items', () => {
    const override = parseOverride('a=[1]');
    expect(Object.isFrozen(override)).toBe(true);
    expect(override.value?.type === 'list' && Object.isFrozen(override.value.items)).toBe(true);
  });
});

describe('keys', () => {
  test.each([
    { text: 'a.b.0=1', type: 'CHANGE', keyOrGroup: 'a.b.0', package: undefined },
    { text: '+a-b/c=1', type: 'ADD', keyOrGroup: 'a-b/c', package: undefined },
    { text: '++$a.b=1', type: 'FORCE_ADD', keyOrGroup: '$a.b', package: undefined },
    { text: '~g@p.q', type: 'DEL', keyOrGroup: 'g', package: 'p.q' },
    { text: 'g@=x', type: 'CHANGE', keyOrGroup: 'g', package: '' },
    { text: 'a=extend_list(1)', type: 'EXTEND_LIST', keyOrGroup: 'a', package: undefined },
    { text: '__proto__=1', type: 'CHANGE', keyOrGroup: '__proto__', package: undefined },
  ])('reads $text', ({ text, ...expected }) => {
    expect(parseOverride(text)).toMatchObject(expected);
  });

  test('knows where key and value stand', () => {
    const override = parseOverride('++model/head@t= {a: 1}');
    expect(override.keySpan).toEqual({ start: 2, end: 14 });
    expect(override.valueSpan).toEqual({ start: 16, end: 22 });
  });
});

function failureOf(text: string): OverrideSyntaxError {
  try {
    parseOverride(text);
  } catch (error) {
    if (error instanceof OverrideSyntaxError) return error;
    throw error;
  }
  throw new Error(`${text} was accepted`);
}

describe('errors', () => {
  test.each([
    { text: 'a=b#c', column: 3, reason: "The character '#' must be quoted" },
    { text: 'a b=1', column: 1, reason: "The character ' ' cannot stand in a key" },
    { text: "a='b", column: 2, reason: "The quote ' is never closed" },
    { text: 'a=[1', column: 2, reason: "'[' is never closed" },
    { text: 'a=b=c', column: 3, reason: "Unexpected '='" },
    { text: 'a', column: 1, reason: "'=' and a value are missing" },
    { text: 'a=[1,]', column: 5, reason: "Unexpected ']'" },
    { text: 'a=${b:${c}}', column: 10, reason: "Unexpected '}'" },
    { text: 'a=range(x)', column: 2, reason: 'TypeError while evaluating' },
    { text: 'a=nope(1)', column: 2, reason: "Unknown function 'nope'" },
    { text: 'a=sort(1,x)', column: 2, reason: "'<' not supported between instances of 'str' and 'int'" },
    { text: '+a=extend_list(1)', column: 0, reason: 'Trying to use override symbols' },
  ])('$text points at column $column', ({ text, column, reason }) => {
    const error = failureOf(text);
    expect(error.exception).toBe('OverrideParseException');
    expect(error.details).toMatchObject({ column, text, override: 0 });
    expect(error.reason).toContain(reason);
    expect(error.describe()).toContain(`\n    ${' '.repeat(column)}^`);
  });

  test('keeps Hydra’s first line, with the whole list', () => {
    expect(() => parseOverrides(['x=1', 'a b=1'])).toThrow(
      "Error when parsing index: 1, string: a b=1 out of ['x=1', 'a b=1'].\n",
    );
  });

  test('refuses endless nesting instead of exhausting the stack', () => {
    expect(failureOf(`a=${'['.repeat(100_000)}`).reason).toContain('levels deep');
  });
});
