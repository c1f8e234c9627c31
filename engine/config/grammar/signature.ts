import { ConfigError } from '../errors.ts';
import { pythonTypeName } from './casts.ts';
import type { NumberValue, OverrideValue, Span, SweepValue } from './types.ts';
import { stringValue } from './values.ts';

/** A function in an override's value, its arguments read. */
export interface FunctionCall {
  readonly name: string;
  readonly positional: readonly OverrideValue[];
  readonly named: ReadonlyMap<string, OverrideValue>;
  /** The call as it was written. */
  readonly text: string;
  readonly span: Span;
}

interface ParameterType {
  /** As Python prints the annotation. */
  readonly text: string;
  readonly accepts: (value: OverrideValue) => boolean;
}

export interface Parameter {
  readonly name: string;
  readonly type: ParameterType;
  readonly kind: 'required' | 'optional' | 'rest' | 'keyword';
}

export interface Bound {
  readonly rest: readonly OverrideValue[];
  readonly get: (name: string) => OverrideValue | undefined;
}

export function isNumber(value: OverrideValue): value is NumberValue {
  return value.type === 'int' || value.type === 'float' || value.type === 'bool';
}

export function isSweep(value: OverrideValue): value is SweepValue {
  return value.type === 'choice_sweep' || value.type === 'range_sweep' || value.type === 'interval_sweep';
}

function isElement(value: OverrideValue): boolean {
  return isNumber(value) || value.type === 'str' || value.type === 'list' || value.type === 'dict';
}

export function isNull(value: OverrideValue): boolean {
  return value.type === 'null';
}

export const ANY: ParameterType = { text: 'Any', accepts: () => true };
export const CAST: ParameterType = {
  text: 'Optional[Union[str, int, float, bool, List[Any], Dict[str, Any], QuotedString, Sweep]]',
  accepts: (value) => isElement(value) || isNull(value) || isSweep(value),
};
export const CHOICE_ITEM: ParameterType = {
  text: 'Union[str, int, float, bool, Dict[Any, Any], List[Any], ChoiceSweep]',
  accepts: (value) => isElement(value) || value.type === 'choice_sweep',
};
export const NUMBER: ParameterType = { text: 'Union[int, float]', accepts: isNumber };
export const OPTIONAL_NUMBER: ParameterType = {
  text: 'Optional[Union[int, float]]',
  accepts: (value) => isNumber(value) || isNull(value),
};
export const TAG_OR_SWEEP: ParameterType = {
  text: 'Union[str, Sweep]',
  accepts: (value) => value.type === 'str' || isSweep(value),
};
export const OPTIONAL_SWEEP: ParameterType = {
  text: 'Optional[Sweep]',
  accepts: (value) => isSweep(value) || isNull(value),
};
export const SORTABLE: ParameterType = {
  text: 'Union[str, int, bool, float, List[Any], Dict[str, Any], ChoiceSweep, RangeSweep]',
  accepts: (value) => isElement(value) || value.type === 'choice_sweep' || value.type === 'range_sweep',
};
export const OPTIONAL_SORTABLE_SWEEP: ParameterType = {
  text: 'Optional[Union[ChoiceSweep, RangeSweep]]',
  accepts: (value) => value.type === 'choice_sweep' || value.type === 'range_sweep' || isNull(value),
};
export const OPTIONAL_LIST: ParameterType = {
  text: 'Optional[List[Any]]',
  accepts: (value) => value.type === 'list' || isNull(value),
};
export const BOOL: ParameterType = { text: 'bool', accepts: (value) => value.type === 'bool' };
export const PATTERNS: ParameterType = {
  text: 'Union[List[str], str]',
  accepts: (value) => value.type === 'list' || value.type === 'str',
};
export const OPTIONAL_PATTERNS: ParameterType = {
  text: 'Optional[Union[List[str], str]]',
  accepts: (value) => value.type === 'list' || value.type === 'str' || isNull(value),
};

/** Quotes only protected an argument from the grammar: functions see plain text. */
function unquoted(value: OverrideValue): OverrideValue {
  return value.type === 'str' && value.quote !== undefined ? stringValue(value.value) : value;
}

/** Python's `Signature.bind` and Hydra's type check. Throws their TypeErrors. */
export function bind(parameters: readonly Parameter[], call: FunctionCall): Bound {
  const values = new Map<string, OverrideValue>();
  const places = parameters.filter(({ kind }) => kind === 'required' || kind === 'optional');
  const takesRest = parameters.some(({ kind }) => kind === 'rest');
  const positional = call.positional.map(unquoted);
  if (!takesRest && positional.length > places.length) {
    throw new ConfigError('TypeError', 'too many positional arguments');
  }
  for (const [place, parameter] of places.entries()) {
    const given = takesRest ? undefined : positional[place];
    const named = call.named.get(parameter.name);
    if (given !== undefined && named !== undefined) {
      throw new ConfigError('TypeError', `multiple values for argument '${parameter.name}'`);
    }
    const value = given ?? named;
    if (value !== undefined) values.set(parameter.name, unquoted(value));
    else if (parameter.kind === 'required') {
      throw new ConfigError('TypeError', `missing a required argument: '${parameter.name}'`);
    }
  }
  for (const [name, value] of call.named) {
    if (!parameters.some((parameter) => parameter.name === name && parameter.kind !== 'rest')) {
      throw new ConfigError('TypeError', `got an unexpected keyword argument '${name}'`);
    }
    values.set(name, unquoted(value));
  }
  const rest = takesRest ? positional : [];
  checkTypes(parameters, rest, values);
  return { rest, get: (name) => values.get(name) };
}

function checkTypes(
  parameters: readonly Parameter[],
  rest: readonly OverrideValue[],
  values: ReadonlyMap<string, OverrideValue>,
): void {
  for (const { name, type, kind } of parameters) {
    const given = kind === 'rest' ? rest : [values.get(name) ?? undefined];
    for (const [place, value] of given.entries()) {
      if (value === undefined || type.accepts(value)) continue;
      const where = kind === 'rest' ? `${name}[${place}]` : name;
      throw new ConfigError(
        'TypeError',
        `mismatch type argument ${where}: ${pythonTypeName(value)} is incompatible with ${type.text}`,
      );
    }
  }
}
