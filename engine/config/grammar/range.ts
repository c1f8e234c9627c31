import { ConfigError } from '../errors.ts';
import { pythonFloat } from './pythonText.ts';
import type { NumberValue, OverrideValue, RangeSweep } from './types.ts';
import { floatValue, intValue } from './values.ts';

/** A decimal number, exactly: `coefficient · 10^exponent`. */
interface Decimal {
  readonly coefficient: bigint;
  readonly exponent: number;
}

/** Number of values, or Infinity. Throws what enumerating would. */
export function rangeLength(range: RangeSweep): number {
  if (isIntegerRange(range)) {
    const { start, stop, step } = integers(range);
    const distance = step > 0n ? stop - start : start - stop;
    const size = step > 0n ? step : -step;
    return distance <= 0n ? 0 : Number((distance + size - 1n) / size);
  }
  const { start, stop, step } = floats(range);
  if (!Number.isFinite(stop)) return stop > 0 === step > 0 ? Number.POSITIVE_INFINITY : 0;
  let count = 0;
  for (const _ of decimalRange(start, stop, step)) count++;
  return count;
}

/** The values of a range one by one: Python's `range` for integers, decimal steps (so 0.1 stays 0.1) for floats. */
export function* rangeValues(range: RangeSweep): Generator<OverrideValue> {
  if (isIntegerRange(range)) {
    const { start, stop, step } = integers(range);
    for (let value = start; step > 0n ? value < stop : value > stop; value += step) yield intValue(value);
    return;
  }
  const { start, stop, step } = floats(range);
  for (const value of decimalRange(start, stop, step)) yield floatValue(value);
}

/** The same values in the other direction when they do not run as `reverse` asks; tags are kept. */
export function sortRange(range: RangeSweep, reverse: boolean): RangeSweep {
  if (toNumber(range.step) > 0 !== reverse) return range;
  let last: OverrideValue | undefined;
  let count = 0;
  for (const value of rangeValues(range)) {
    last = value;
    count++;
  }
  if (count <= 1 || (last?.type !== 'int' && last?.type !== 'float')) return range;
  return Object.freeze({ ...range, start: last, stop: reversedStop(range), step: negated(range.step) });
}

/** Half a step beyond the first value for floats, so that rounding neither drops nor adds one. */
function reversedStop(range: RangeSweep): NumberValue {
  if (isIntegerRange(range)) {
    const { start, step } = integers(range);
    return intValue(start - step);
  }
  return floatValue(toNumber(range.start) - toNumber(range.step) / 2);
}

function negated(value: NumberValue): NumberValue {
  return value.type === 'float' ? floatValue(-value.value) : intValue(-integer(value));
}

function isIntegerRange(range: RangeSweep): boolean {
  return range.start.type !== 'float' && range.stop.type !== 'float' && range.step.type !== 'float';
}

function integer(value: NumberValue): bigint {
  return BigInt(value.value);
}

function integers(range: RangeSweep): { start: bigint; stop: bigint; step: bigint } {
  const step = integer(range.step);
  if (step === 0n) throw new ConfigError('ValueError', 'range() arg 3 must not be zero');
  return { start: integer(range.start), stop: integer(range.stop), step };
}

function toNumber(value: NumberValue): number {
  return Number(value.value);
}

function floats(range: RangeSweep): { start: number; stop: number; step: number } {
  const start = toNumber(range.start);
  const stop = toNumber(range.stop);
  const step = toNumber(range.step);
  if (Number.isNaN(start) || Number.isNaN(stop) || Number.isNaN(step)) {
    throw new ConfigError('InvalidOperation', "[<class 'decimal.InvalidOperation'>]");
  }
  if (step === 0) {
    const shown = (value: NumberValue) => (value.type === 'float' ? pythonFloat(value.value) : String(value.value));
    throw new ConfigError(
      'HydraException',
      `Invalid range values (start:${shown(range.start)}, stop:${shown(range.stop)}, step:${shown(range.step)})`,
    );
  }
  return { start, stop, step };
}

function* decimalRange(start: number, stop: number, step: number): Generator<number> {
  if (!Number.isFinite(start) || !Number.isFinite(stop) || !Number.isFinite(step)) {
    // An infinite start or step gives at most one value; an infinite stop never ends.
    for (let value = start; step > 0 ? value < stop : value > stop; value += step) yield value;
    return;
  }
  const parts = [start, stop, step].map(toDecimal);
  const exponent = Math.min(...parts.map((part) => part.exponent));
  const [first = 0n, end = 0n, by = 1n] = parts.map(
    (part) => part.coefficient * 10n ** BigInt(part.exponent - exponent),
  );
  for (let value = first; by > 0n ? value < end : value > end; value += by) yield Number(`${value}e${exponent}`);
}

function toDecimal(value: number): Decimal {
  const [mantissa = '0', power = '0'] = value.toExponential().split('e');
  const [whole = '0', fraction = ''] = mantissa.split('.');
  return { coefficient: BigInt(whole + fraction), exponent: Number(power) - fraction.length };
}
