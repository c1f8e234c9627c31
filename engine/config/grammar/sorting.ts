import { ConfigError } from '../errors.ts';
import { pythonTypeName } from './casts.ts';
import type { OverrideValue } from './types.ts';

/** Python's `sorted` over values: stable, mixed numbers and booleans compare, other mixtures raise its TypeError. */
export function sortValues(values: readonly OverrideValue[], reverse: boolean): OverrideValue[] {
  const items = reverse ? values.toReversed() : [...values];
  // Insertion from the left asks the same questions in the same order as Python's sort does for short lists,
  // so a refused comparison names the same pair.
  const sorted: OverrideValue[] = [];
  for (const item of items) {
    const last = sorted.at(-1);
    if (last === undefined || !lessThan(item, last)) sorted.push(item);
    else sorted.splice(insertionPlace(sorted, item), 0, item);
  }
  return reverse ? sorted.toReversed() : sorted;
}

function insertionPlace(sorted: readonly OverrideValue[], item: OverrideValue): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const other = sorted[middle];
    if (other !== undefined && lessThan(item, other)) high = middle;
    else low = middle + 1;
  }
  return low;
}

function asNumber(value: OverrideValue): number | bigint | undefined {
  if (value.type === 'bool') return value.value ? 1 : 0;
  return value.type === 'int' || value.type === 'float' ? value.value : undefined;
}

function lessThan(a: OverrideValue, b: OverrideValue): boolean {
  const left = asNumber(a);
  const right = asNumber(b);
  if (left !== undefined && right !== undefined) return left < right;
  if (a.type === 'str' && b.type === 'str' && a.quote === undefined && b.quote === undefined) {
    return compareText(a.value, b.value) < 0;
  }
  if (a.type === 'list' && b.type === 'list') return listLessThan(a.items, b.items);
  throw new ConfigError(
    'TypeError',
    `'<' not supported between instances of '${pythonTypeName(a)}' and '${pythonTypeName(b)}'`,
  );
}

function listLessThan(a: readonly OverrideValue[], b: readonly OverrideValue[]): boolean {
  const shared = Math.min(a.length, b.length);
  for (let place = 0; place < shared; place++) {
    const left = a[place];
    const right = b[place];
    if (left !== undefined && right !== undefined && !sameValue(left, right)) return lessThan(left, right);
  }
  return a.length < b.length;
}

function sameValue(a: OverrideValue, b: OverrideValue): boolean {
  const left = asNumber(a);
  const right = asNumber(b);
  if (left !== undefined && right !== undefined) return left === right;
  if (a.type === 'str' && b.type === 'str') return a.value === b.value && a.quote === b.quote;
  if (a.type === 'list' && b.type === 'list') {
    return (
      a.items.length === b.items.length &&
      a.items.every((item, place) => {
        const other = b.items[place];
        return other !== undefined && sameValue(item, other);
      })
    );
  }
  return a.type === 'null' && b.type === 'null';
}

/** By code points, as Python compares strings. */
export function compareText(a: string, b: string): number {
  const left = [...a];
  const right = [...b];
  const shared = Math.min(left.length, right.length);
  for (let place = 0; place < shared; place++) {
    const difference = (left[place]?.codePointAt(0) ?? 0) - (right[place]?.codePointAt(0) ?? 0);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}
