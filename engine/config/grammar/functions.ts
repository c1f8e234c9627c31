import { ConfigError } from '../errors.ts';
import { castBool, castFloat, castInt, castJson, castString, pythonTypeName, pythonValueRepr } from './casts.ts';
import { ParseFailure } from './failure.ts';
import { sortRange } from './range.ts';
import {
  ANY,
  BOOL,
  type Bound,
  bind,
  CAST,
  CHOICE_ITEM,
  type FunctionCall,
  isNull,
  isNumber,
  isSweep,
  NUMBER,
  OPTIONAL_LIST,
  OPTIONAL_NUMBER,
  OPTIONAL_PATTERNS,
  OPTIONAL_SORTABLE_SWEEP,
  OPTIONAL_SWEEP,
  PATTERNS,
  type Parameter,
  SORTABLE,
  TAG_OR_SWEEP,
} from './signature.ts';
import { sortValues } from './sorting.ts';
import type { ChoiceSweep, NumberValue, OverrideValue, RangeSweep } from './types.ts';
import { floatValue, intValue } from './values.ts';

interface GrammarFunction {
  readonly parameters: readonly Parameter[];
  readonly run: (bound: Bound) => OverrideValue;
}

function castFunction(cast: (value: OverrideValue) => OverrideValue, type = CAST): GrammarFunction {
  return {
    parameters: [
      { name: 'args', type, kind: 'rest' },
      { name: 'value', type, kind: 'keyword' },
    ],
    run: (bound) => cast(castArgument(bound)),
  };
}

function castArgument({ rest, get }: Bound): OverrideValue {
  const named = get('value');
  if (named !== undefined && !isNull(named)) {
    if (rest.length > 0) throw new ConfigError('TypeError', 'cannot use both position and named arguments');
    return named;
  }
  const [first] = rest;
  if (first === undefined) throw new ConfigError('TypeError', 'No positional args or value specified');
  return rest.length === 1 ? first : simpleChoice(rest);
}

function simpleChoice(items: readonly OverrideValue[], shuffle = false): ChoiceSweep {
  return Object.freeze({
    type: 'choice_sweep',
    items: Object.freeze([...items]),
    simple: true,
    shuffle,
    tags: Object.freeze([]),
  });
}

function choice({ rest }: Bound): OverrideValue {
  const [first] = rest;
  if (first === undefined) throw new ConfigError('ValueError', 'empty choice is not legal');
  if (rest.length === 1 && first.type === 'choice_sweep') {
    if (!first.simple) throw new ConfigError('ValueError', 'nesting choices is not supported');
    return Object.freeze({ ...first, simple: false });
  }
  return Object.freeze({ ...simpleChoice(rest), simple: false });
}

function range({ get }: Bound): RangeSweep {
  const start = numberArgument(get('start'));
  const stop = get('stop');
  const step = get('step');
  const bounds =
    stop === undefined || isNull(stop) ? { start: intValue(0), stop: start } : { start, stop: numberArgument(stop) };
  return Object.freeze({
    type: 'range_sweep',
    ...bounds,
    step: step === undefined ? intValue(1) : numberArgument(step),
    shuffle: false,
    tags: Object.freeze([]),
  });
}

function numberArgument(value: OverrideValue | undefined): NumberValue {
  if (value === undefined || !isNumber(value)) throw new ConfigError('AssertionError', '');
  return value;
}

function interval({ get }: Bound): OverrideValue {
  const bound = (name: string) => floatValue(Number(numberArgument(get(name)).value));
  return Object.freeze({ type: 'interval_sweep', start: bound('start'), end: bound('end'), tags: Object.freeze([]) });
}

function tag({ rest, get }: Bound): OverrideValue {
  if (rest.length < 1) {
    throw new ConfigError('ValueError', 'Not enough arguments to tag, must take at least a sweep');
  }
  const named = get('sweep');
  const all = named === undefined || isNull(named) ? rest : [...rest, named];
  const last = all.at(-1);
  if (last === undefined || !isSweep(last)) {
    throw new ConfigError(
      'ValueError',
      'Last argument to tag() must be a choice(), range() or interval(), got NoneType',
    );
  }
  const tags = new Set<string>();
  for (const item of all.slice(0, -1)) {
    if (item.type !== 'str') {
      throw new ConfigError('ValueError', `tag arguments type must be string, got ${pythonTypeName(item)}`);
    }
    tags.add(item.value);
  }
  return Object.freeze({ ...last, tags: Object.freeze([...tags].toSorted()) });
}

function shuffle({ rest, get }: Bound): OverrideValue {
  const named = present(get('list')) ?? present(get('sweep'));
  const args = named === undefined ? rest : [named];
  const [first] = args;
  if (first === undefined || args.length > 1) return simpleChoice(args, true);
  if (first.type === 'choice_sweep' || first.type === 'range_sweep') return Object.freeze({ ...first, shuffle: true });
  const items = first.type === 'list' ? shuffled(first.items) : [first];
  return Object.freeze({ type: 'list', items: Object.freeze(items) });
}

function present(value: OverrideValue | undefined): OverrideValue | undefined {
  return value === undefined || isNull(value) ? undefined : value;
}

/** A random order (Fisher–Yates). */
export function shuffled<T>(values: readonly T[], random: () => number = Math.random): T[] {
  const result = [...values];
  for (let place = result.length - 1; place > 0; place--) {
    const other = Math.floor(random() * (place + 1));
    const moved = result[place];
    const kept = result[other];
    if (moved === undefined || kept === undefined) continue;
    result[place] = kept;
    result[other] = moved;
  }
  return result;
}

function sort({ rest, get }: Bound): OverrideValue {
  const reverseValue = get('reverse');
  const reverse = reverseValue?.type === 'bool' && reverseValue.value;
  const list = present(get('list'));
  if (list !== undefined) return sortOne(list, reverse);
  const sweep = present(get('sweep'));
  if (sweep !== undefined) return sortOne(sweep, reverse);
  const [first] = rest;
  if (rest.length === 1 && first !== undefined) return sortOne(first, reverse);
  for (const item of rest) {
    if (!isNumber(item) && item.type !== 'str') {
      throw new ConfigError('TypeError', `Invalid arguments: (${rest.map(pythonValueRepr).join(', ')})`);
    }
  }
  if (first === undefined) throw new ConfigError('ValueError', 'empty sort input');
  return sortOne(simpleChoice(rest), reverse);
}

function sortOne(value: OverrideValue, reverse: boolean): OverrideValue {
  switch (value.type) {
    case 'choice_sweep':
      return Object.freeze({ ...value, items: Object.freeze(sortValues(value.items, reverse)) });
    case 'range_sweep':
      return sortRange(value, reverse);
    case 'list':
      return Object.freeze({ type: 'list', items: Object.freeze(sortValues(value.items, reverse)) });
    default:
      return value;
  }
}

function glob({ get }: Bound): OverrideValue {
  const patterns = (value: OverrideValue | undefined): readonly OverrideValue[] => {
    if (value === undefined || isNull(value)) return [];
    return value.type === 'list' ? value.items : [value];
  };
  return Object.freeze({ type: 'glob', include: patterns(get('include')), exclude: patterns(get('exclude')) });
}

const FUNCTIONS = new Map<string, GrammarFunction>([
  ['bool', castFunction(castBool)],
  ['choice', { parameters: [{ name: 'args', type: CHOICE_ITEM, kind: 'rest' }], run: choice }],
  [
    'extend_list',
    {
      parameters: [{ name: 'args', type: ANY, kind: 'rest' }],
      run: ({ rest }) => Object.freeze({ type: 'extend_list', items: Object.freeze([...rest]) }),
    },
  ],
  ['float', castFunction(castFloat)],
  [
    'glob',
    {
      parameters: [
        { name: 'include', type: PATTERNS, kind: 'required' },
        { name: 'exclude', type: OPTIONAL_PATTERNS, kind: 'optional' },
      ],
      run: glob,
    },
  ],
  ['int', castFunction(castInt)],
  [
    'interval',
    {
      parameters: [
        { name: 'start', type: NUMBER, kind: 'required' },
        { name: 'end', type: NUMBER, kind: 'required' },
      ],
      run: interval,
    },
  ],
  ['json_str', castFunction(castJson, ANY)],
  [
    'range',
    {
      parameters: [
        { name: 'start', type: NUMBER, kind: 'required' },
        { name: 'stop', type: OPTIONAL_NUMBER, kind: 'optional' },
        { name: 'step', type: NUMBER, kind: 'optional' },
      ],
      run: range,
    },
  ],
  [
    'shuffle',
    {
      parameters: [
        { name: 'args', type: SORTABLE, kind: 'rest' },
        { name: 'sweep', type: OPTIONAL_SORTABLE_SWEEP, kind: 'keyword' },
        { name: 'list', type: OPTIONAL_LIST, kind: 'keyword' },
      ],
      run: shuffle,
    },
  ],
  [
    'sort',
    {
      parameters: [
        { name: 'args', type: SORTABLE, kind: 'rest' },
        { name: 'sweep', type: OPTIONAL_SORTABLE_SWEEP, kind: 'keyword' },
        { name: 'list', type: OPTIONAL_LIST, kind: 'keyword' },
        { name: 'reverse', type: BOOL, kind: 'keyword' },
      ],
      run: sort,
    },
  ],
  ['str', castFunction(castString)],
  [
    'tag',
    {
      parameters: [
        { name: 'args', type: TAG_OR_SWEEP, kind: 'rest' },
        { name: 'sweep', type: OPTIONAL_SWEEP, kind: 'keyword' },
      ],
      run: tag,
    },
  ],
]);

/** Names of the functions that a value may call, sorted. */
export const functionNames: readonly string[] = [...FUNCTIONS.keys()].toSorted();

/** Evaluates a call. Whatever the function raises becomes a ParseFailure that names the call, as Hydra words it. */
export function callFunction(call: FunctionCall): OverrideValue {
  try {
    const found = FUNCTIONS.get(call.name);
    if (found === undefined) {
      throw new ConfigError(
        'HydraException',
        `Unknown function '${call.name}'\nAvailable: ${functionNames.join(',')}\n`,
      );
    }
    return found.run(bind(found.parameters, call));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new ParseFailure(
      `${error.exception} while evaluating '${call.text}': ${error.message}`.trimEnd(),
      call.span,
      error.exception,
    );
  }
}
