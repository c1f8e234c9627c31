import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseExact, stringifyExact } from '../../../engine/base/exactJson.ts';

const leaf = fc.oneof(
  fc.double(),
  fc.string(),
  fc.boolean(),
  fc.constant(null),
  fc.float64Array(),
  fc.uint8Array(),
  fc.constantFrom('$number', '$float64', 'NaN'),
);
const key = fc.oneof(
  fc.string(),
  fc.constantFrom('$number', '$float64', '$bytes', '$object', '__proto__', 'constructor'),
);
const { tree } = fc.letrec((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small' },
    leaf,
    fc.array(tie('tree')),
    fc.dictionary(key, tie('tree'), { noNullPrototype: true }),
  ),
}));

test('any value comes back as it went in', () => {
  fc.assert(
    fc.property(tree, (value) => {
      // Negative zero becomes zero, as in JSON.
      expect(normal(parseExact(stringifyExact(value)))).toEqual(normal(value));
    }),
    { numRuns: 500 },
  );
});

test('a view into a larger buffer is written alone', () => {
  const view = new Float64Array([1, 2, 3, 4]).subarray(1, 3);
  expect(parseExact(stringifyExact({ view }))).toEqual({ view: Float64Array.of(2, 3) });
});

test('a large array survives', () => {
  const large = Float64Array.from({ length: 100_000 }, (_, index) => index / 3);
  expect(parseExact(stringifyExact(large))).toEqual(large);
});

function normal(value: unknown): unknown {
  if (Object.is(value, -0)) return 0;
  if (Array.isArray(value)) return value.map(normal);
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, normal(item)]));
}
