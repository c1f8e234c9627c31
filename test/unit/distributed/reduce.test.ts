import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { reduceInOrder, shareOf } from '../../../engine/distributed/reduce.ts';

const arrays = fc
  .tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 0, max: 9000 }), fc.integer())
  .map(([ranks, length, seed]) =>
    Array.from({ length: ranks }, (_, rank) =>
      Float32Array.from({ length }, (_, i) => Math.sin(seed + rank * 12.9898 + i * 78.233) * 10 ** (i % 7)),
    ),
  );

describe('reduceInOrder', () => {
  test.each(['sum', 'mean'] as const)('%s is the double-precision result rounded once', (operation) => {
    fc.assert(
      fc.property(arrays, (parts) => {
        const expected = Float32Array.from(parts[0] ?? [], (_, i) => {
          const sum = parts.reduce((total, part) => total + (part[i] ?? 0), 0);
          return operation === 'mean' ? sum / parts.length : sum;
        });
        const target = parts[parts.length - 1] ?? new Float32Array();
        reduceInOrder(target, parts, operation);
        expect(target).toEqual(expected);
      }),
      { numRuns: 40 },
    );
  });

  test('keeps NaN and infinity', () => {
    const target = Float32Array.of(1, Number.POSITIVE_INFINITY);
    reduceInOrder(target, [target, Float32Array.of(Number.NaN, 1)], 'mean');
    expect([...target]).toEqual([Number.NaN, Number.POSITIVE_INFINITY]);
  });
});

test('shares cover every value once', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1000 }), fc.integer({ min: 1, max: 9 }), (length, worldSize) => {
      let next = 0;
      for (let rank = 0; rank < worldSize; rank++) {
        const { start, end } = shareOf(length, rank, worldSize);
        expect(start).toBe(next);
        next = end;
      }
      expect(next).toBe(length);
    }),
  );
});
