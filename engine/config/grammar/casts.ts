import { ConfigError } from '../errors.ts';
import { jsonString, parsePythonFloat, parsePythonInt, pythonFloat, pythonRepr } from './pythonText.ts';
import type { ChoiceSweep, OverrideValue, RangeSweep } from './types.ts';
import { boolValue, dictValue, floatValue, intValue, stringValue } from './values.ts';

type Cast = (value: OverrideValue) => OverrideValue;

/** Applies a cast to the parts of a container or sweep, or to the value itself. `interval` and `range` say what is allowed. */
function castDeep(
  value: OverrideValue,
  name: string,
  castScalar: Cast,
  allow: { readonly interval: boolean; readonly range: boolean },
): OverrideValue {
  const recurse = (item: OverrideValue) => castDeep(item, name, castScalar, allow);
  switch (value.type) {
    case 'dict':
      return dictValue(value.entries.map(([key, item]) => [key, recurse(item)] as const));
    case 'list':
      return Object.freeze({ type: 'list', items: Object.freeze(value.items.map(recurse)) });
    case 'choice_sweep':
      return castChoice(value, recurse);
    case 'range_sweep':
      if (!allow.range) throw rangeCastError();
      return castRange(value, recurse);
    case 'interval_sweep':
      if (!allow.interval) throw new ConfigError('ValueError', `Intervals cannot be cast to ${name}`);
      return Object.freeze({ ...value, start: recurse(value.start), end: recurse(value.end) });
    default:
      return castScalar(value);
  }
}

function rangeCastError(): ConfigError {
  return new ConfigError('ValueError', 'Range can only be cast to int or float');
}

/** The items are cast; as in Hydra, shuffle and tags are lost. */
function castChoice(value: ChoiceSweep, cast: Cast): ChoiceSweep {
  const items = value.items.map((item) => {
    const result = cast(item);
    switch (result.type) {
      case 'str':
        if (result.quote === undefined) return result;
        break;
      case 'int':
      case 'bool':
      case 'float':
      case 'list':
      case 'dict':
        return result;
      default:
    }
    throw new ConfigError('AssertionError', '');
  });
  return Object.freeze({
    type: 'choice_sweep',
    items: Object.freeze(items),
    simple: value.simple,
    shuffle: false,
    tags: Object.freeze([]),
  });
}

function castRange(value: RangeSweep, cast: Cast): RangeSweep {
  const number = (item: OverrideValue) => {
    const result = cast(item);
    if (result.type !== 'int' && result.type !== 'float') throw rangeCastError();
    return result;
  };
  return Object.freeze({
    type: 'range_sweep',
    start: number(value.start),
    stop: number(value.stop),
    step: number(value.step),
    shuffle: false,
    tags: Object.freeze([]),
  });
}

const NUMERIC = { interval: true, range: true };
const TEXTUAL = { interval: false, range: false };

export function castInt(value: OverrideValue): OverrideValue {
  return castDeep(value, 'int', intScalar, NUMERIC);
}

export function castFloat(value: OverrideValue): OverrideValue {
  return castDeep(value, 'float', floatScalar, NUMERIC);
}

export function castString(value: OverrideValue): OverrideValue {
  return castDeep(value, 'str', stringScalar, TEXTUAL);
}

export function castBool(value: OverrideValue): OverrideValue {
  return castDeep(value, 'bool', boolScalar, TEXTUAL);
}

/** JSON text of the value; of every choice of a sweep. */
export function castJson(value: OverrideValue): OverrideValue {
  switch (value.type) {
    case 'choice_sweep': {
      const plain = castChoice(value, extractText);
      return castChoice(plain, (item) => stringValue(toJson(item)));
    }
    case 'range_sweep':
      throw rangeCastError();
    case 'interval_sweep':
      throw new ConfigError('ValueError', 'Intervals cannot be cast to json_str');
    default:
      return stringValue(toJson(extractText(value)));
  }
}

function intScalar(value: OverrideValue): OverrideValue {
  switch (value.type) {
    case 'str':
      return intValue(parsePythonInt(value.value));
    case 'bool':
      return intValue(value.value ? 1 : 0);
    case 'int':
      return value;
    case 'float':
      if (Number.isNaN(value.value)) throw new ConfigError('ValueError', 'cannot convert float NaN to integer');
      if (!Number.isFinite(value.value)) {
        throw new ConfigError('OverflowError', 'cannot convert float infinity to integer');
      }
      return intValue(BigInt(Math.trunc(value.value)));
    default:
      throw new ConfigError('AssertionError', '');
  }
}

function floatScalar(value: OverrideValue): OverrideValue {
  switch (value.type) {
    case 'str':
      return floatValue(parsePythonFloat(value.value));
    case 'bool':
      return floatValue(value.value ? 1 : 0);
    case 'int': {
      const number = Number(value.value);
      if (!Number.isFinite(number)) throw new ConfigError('OverflowError', 'int too large to convert to float');
      return floatValue(number);
    }
    case 'float':
      return value;
    default:
      throw new ConfigError('AssertionError', '');
  }
}

function stringScalar(value: OverrideValue): OverrideValue {
  switch (value.type) {
    case 'str':
      return stringValue(value.value);
    case 'bool':
      return stringValue(value.value ? 'true' : 'false');
    case 'int':
      return stringValue(String(value.value));
    case 'float':
      return stringValue(pythonFloat(value.value));
    default:
      throw new ConfigError('AssertionError', '');
  }
}

function boolScalar(value: OverrideValue): OverrideValue {
  switch (value.type) {
    case 'str': {
      const lower = value.value.toLowerCase();
      if (lower !== 'true' && lower !== 'false') {
        throw new ConfigError('ValueError', `Cannot cast '${value.value}' to bool`);
      }
      return boolValue(lower === 'true');
    }
    case 'null':
      return boolValue(false);
    case 'bool':
      return value;
    case 'int':
      return boolValue(Number(value.value) !== 0);
    case 'float':
      return boolValue(value.value !== 0);
    default:
      return boolValue(true);
  }
}

/** The value with quotes forgotten, all the way down. */
function extractText(value: OverrideValue): OverrideValue {
  switch (value.type) {
    case 'str':
      return stringValue(value.value);
    case 'dict':
      return dictValue(value.entries.map(([key, item]) => [key, extractText(item)] as const));
    case 'list':
      return Object.freeze({ type: 'list', items: Object.freeze(value.items.map(extractText)) });
    case 'choice_sweep':
      return castChoice(value, extractText);
    case 'range_sweep':
      throw rangeCastError();
    default:
      return value;
  }
}

/** Python class names of values, as its error messages give them. */
export function pythonTypeName(value: OverrideValue): string {
  switch (value.type) {
    case 'null':
      return 'NoneType';
    case 'str':
      return value.quote === undefined ? 'str' : 'QuotedString';
    case 'choice_sweep':
      return 'ChoiceSweep';
    case 'range_sweep':
      return 'RangeSweep';
    case 'interval_sweep':
      return 'IntervalSweep';
    case 'glob':
      return 'Glob';
    case 'extend_list':
      return 'ListExtensionOverrideValue';
    default:
      return value.type;
  }
}

function toJson(value: OverrideValue): string {
  switch (value.type) {
    case 'null':
      return 'null';
    case 'bool':
      return value.value ? 'true' : 'false';
    case 'int':
      return String(value.value);
    case 'float':
      return jsonFloat(value.value);
    case 'str':
      return jsonString(value.value);
    case 'list':
      return `[${value.items.map(toJson).join(', ')}]`;
    case 'dict': {
      const entries = value.entries.map(
        ([key, item]) => `${jsonString(key.type === 'str' ? key.value : toJson(key))}: ${toJson(item)}`,
      );
      return `{${entries.join(', ')}}`;
    }
    default:
      throw new ConfigError('TypeError', `Object of type ${pythonTypeName(value)} is not JSON serializable`);
  }
}

function jsonFloat(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? 'Infinity' : '-Infinity';
  return pythonFloat(value);
}

/** Python's `repr` of a value, for error messages. */
export function pythonValueRepr(value: OverrideValue): string {
  switch (value.type) {
    case 'null':
      return 'None';
    case 'bool':
      return value.value ? 'True' : 'False';
    case 'int':
      return String(value.value);
    case 'float':
      return pythonFloat(value.value);
    case 'str':
      if (value.quote === undefined) return pythonRepr(value.value);
      return `QuotedString(text=${pythonRepr(value.value)}, quote=<Quote.${value.quote === '"' ? 'double: 1' : 'single: 0'}>)`;
    case 'list':
      return `[${value.items.map(pythonValueRepr).join(', ')}]`;
    case 'dict':
      return `{${value.entries.map(([key, item]) => `${pythonValueRepr(key)}: ${pythonValueRepr(item)}`).join(', ')}}`;
    default:
      return pythonTypeName(value);
  }
}
