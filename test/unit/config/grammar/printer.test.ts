import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseOverride } from '../../../../engine/config/grammar/parser.ts';
import { hydraValueText, printOverride } from '../../../../engine/config/grammar/printer.ts';
import type { Override, OverrideValue, ScalarOverrideValue } from '../../../../engine/config/grammar/types.ts';
import { dictValue, quotedValue } from '../../../../engine/config/grammar/values.ts';

test.each([
  { id: 'escapes', text: 'a=x\\,y', hydra: 'x\\,y', printed: 'a=x\\,y' },
  { id: 'an interpolation', text: 'a=${b.c}', hydra: '$\\{b.c\\}', printed: 'a=${b.c}' },
  { id: 'a boolean', text: 'a=TRUE', hydra: 'True', printed: 'a=true' },
  { id: 'a text that looks like a number', text: 'a=str(1)', hydra: '1', printed: "a='1'" },
  { id: 'quotes', text: "a='it\\'s'", hydra: "'it\\'s'", printed: "a='it\\'s'" },
  { id: 'a mapping', text: 'a={b : 1, c: [x]}', hydra: '{b:1,c:[x]}', printed: 'a={b:1,c:[x]}' },
  { id: 'an empty text', text: 'a=', hydra: '', printed: 'a=' },
  { id: 'floats', text: 'a=[1e16,1e-5,1.0]', hydra: '[1e+16,1e-05,1.0]', printed: 'a=[1e+16,1e-05,1.0]' },
])('prints $id', ({ text, hydra, printed }) => {
  const override = parseOverride(text);
  expect(override.value && hydraValueText(override.value)).toBe(hydra);
  expect(printOverride(override)).toBe(printed);
});

/** A string is quoted exactly when the grammar needs it; this makes the expected quote by asking the printer. */
const stringArbitrary = fc
  .oneof(
    fc.string({ unit: 'grapheme' }),
    fc.string({ unit: fc.constantFrom(...'ab1 \\\'",[]{}()=:$~#é.-\t'), maxLength: 8 }),
  )
  .map((text) => quotedValue(text, text.length % 2 === 0 ? '"' : "'"));

const keyArbitrary: fc.Arbitrary<ScalarOverrideValue> = fc.oneof(
  fc.constant({ type: 'null' } as const),
  fc.boolean().map((value) => ({ type: 'bool', value }) as const),
  fc.integer().map((value) => ({ type: 'int', value }) as const),
  fc.stringMatching(/^[a-zA-Z_][a-zA-Z_$ /,:=]{0,6}x$/).map((value) => ({ type: 'str', value }) as const),
);

const scalarArbitrary: fc.Arbitrary<ScalarOverrideValue> = fc.oneof(
  stringArbitrary,
  fc
    .bigInt()
    .map((value) => (Number.isSafeInteger(Number(value)) ? Number(value) : value))
    .map((value) => ({ type: 'int', value }) as const),
  fc.double({ noNaN: true }).map((value) => ({ type: 'float', value }) as const),
  fc.constant({ type: 'null' } as const),
  fc.boolean().map((value) => ({ type: 'bool', value }) as const),
  fc.stringMatching(/^[a-z][a-z0-9 ,]{0,5}z$/).map((value) => ({ type: 'str', value }) as const),
);

const { element } = fc.letrec<{ element: OverrideValue }>((tie) => ({
  element: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalarArbitrary,
    fc.array(tie('element'), { maxLength: 4 }).map((items) => ({ type: 'list', items }) as const),
    fc.array(fc.tuple(keyArbitrary, tie('element')), { maxLength: 4 }).map((entries) => dictValue(entries)),
  ),
}));

const number = fc.integer({ min: -1000, max: 1000 }).map((value) => ({ type: 'int', value }) as const);
const tags = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,4}q$/), { maxLength: 3 }).map((names) => names.toSorted());
const flags = { shuffle: fc.boolean(), tags };
const sweepArbitrary: fc.Arbitrary<OverrideValue> = fc.oneof(
  fc.record({
    type: fc.constant('choice_sweep'),
    simple: fc.constant(false),
    items: fc.array(
      scalarArbitrary.filter((item) => item.type !== 'null' && !('quote' in item)),
      { minLength: 1, maxLength: 4 },
    ),
    ...flags,
  }),
  fc.record({ type: fc.constant('range_sweep'), start: number, stop: number, step: number, ...flags }),
);

const overrideArbitrary = fc.record({
  type: fc.constantFrom<Override['type']>('CHANGE', 'ADD', 'FORCE_ADD', 'DEL'),
  keyOrGroup: fc.stringMatching(/^[a-zA-Z_$][a-zA-Z0-9_$-]{0,5}(\.[a-zA-Z_][a-z]{0,3}|\.[1-9][0-9]?){0,3}$/),
  package: fc.option(fc.stringMatching(/^[a-z_]{1,5}(\.[a-z]{1,3}){0,2}$/), { nil: undefined }),
  value: fc.oneof(element, sweepArbitrary),
});

describe('properties', () => {
  test('parse ∘ print is the identity', () => {
    fc.assert(
      fc.property(overrideArbitrary, (override) => {
        const parsed = parseOverride(printOverride(override));
        expect(parsed).toMatchObject({ type: override.type, keyOrGroup: override.keyOrGroup });
        expect(parsed.package).toBe(override.package);
        expect(parsed.value).toEqual(override.value);
      }),
      { numRuns: 2000 },
    );
  });

  test('printing is stable: print ∘ parse ∘ print = print', () => {
    fc.assert(
      fc.property(overrideArbitrary, (override) => {
        const printed = printOverride(override);
        expect(printOverride(parseOverride(printed))).toBe(printed);
      }),
      { numRuns: 500 },
    );
  });

  test('any text is read or refused with a position, never a crash', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'ab1.=+~@/:,[]{}()\'"\\ $#é_-\t'), maxLength: 24 }), (text) => {
        try {
          parseOverride(text);
        } catch (error) {
          expect(error).toMatchObject({ exception: 'OverrideParseException', details: { column: expect.any(Number) } });
        }
      }),
      { numRuns: 5000 },
    );
  });
});
