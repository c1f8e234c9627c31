import type {
  BoolValue,
  DictValue,
  FloatValue,
  IntValue,
  NullValue,
  OverrideValue,
  ScalarOverrideValue,
  StringValue,
} from './types.ts';

export const NULL_VALUE: NullValue = Object.freeze({ type: 'null' });
export const TRUE_VALUE: BoolValue = Object.freeze({ type: 'bool', value: true });
export const FALSE_VALUE: BoolValue = Object.freeze({ type: 'bool', value: false });

/** An integer; a bigint that fits 2^53-1 becomes a number. */
export function intValue(value: number | bigint): IntValue {
  if (typeof value === 'number') return Object.freeze({ type: 'int', value });
  const narrow = Number(value);
  return Object.freeze({ type: 'int', value: Number.isSafeInteger(narrow) ? narrow : value });
}

export function floatValue(value: number): FloatValue {
  return Object.freeze({ type: 'float', value });
}

export function boolValue(value: boolean): BoolValue {
  return value ? TRUE_VALUE : FALSE_VALUE;
}

export function stringValue(value: string): StringValue {
  return Object.freeze({ type: 'str', value });
}

export function quotedValue(value: string, quote: '"' | "'"): StringValue {
  return Object.freeze({ type: 'str', value, quote });
}

type Entry = readonly [ScalarOverrideValue, OverrideValue];

/** A mapping by Python's rules: an equal key (1, 1.0, true) keeps its first spelling and place and takes the last value. */
export function dictValue(entries: readonly Entry[]): DictValue {
  const places = new Map<unknown, number>();
  const kept: Entry[] = [];
  for (const entry of entries) {
    const identity = scalarIdentity(entry[0]);
    const place = places.get(identity);
    const first = place === undefined ? undefined : kept[place];
    if (place === undefined || first === undefined) {
      places.set(identity, kept.length);
      kept.push(entry);
    } else {
      kept[place] = [first[0], entry[1]];
    }
  }
  return Object.freeze({ type: 'dict', entries: Object.freeze(kept) });
}

/** Equal for keys that Python calls equal; a NaN equals nothing, itself included. */
function scalarIdentity(key: ScalarOverrideValue): unknown {
  switch (key.type) {
    case 'null':
      return null;
    case 'bool':
      return key.value ? 1 : 0;
    case 'str':
      return `s${key.value}`;
    default:
      if (Number.isNaN(key.value)) return Symbol('nan');
      if (typeof key.value === 'number' && Number.isInteger(key.value) && !Number.isSafeInteger(key.value)) {
        return BigInt(key.value);
      }
      return key.value;
  }
}
