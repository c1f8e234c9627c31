import { ConfigError } from '../errors.ts';
import type {
  Expression,
  Interpolation,
  NodeInterpolation,
  ResolverInterpolation,
  Sequence,
} from '../interpolation/ast.ts';
import { strNode } from '../node/build.ts';
import { type ConfigKey, keyIdentity } from '../node/key.ts';
import type { ScalarNode } from '../node/node.ts';
import { scalarKey } from '../node/scalarKey.ts';
import { pythonClassText, pythonStr } from '../python/repr.ts';
import { asDereferenced, type Dereferenced, type PlainDict, type Value, valueBehind } from './value.ts';

/** What the evaluation of an expression asks of its surroundings. */
export interface EvaluationCalls {
  /** The node behind `${key}`. */
  node(key: string): Dereferenced;
  /** The result of `${name:args}`. */
  resolver(name: string, args: readonly Value[]): Value;
  warn(message: string): void;
}

/** The value of a parsed text, with interpolations followed. */
export function evaluate(expression: Expression, calls: EvaluationCalls): Dereferenced {
  switch (expression.type) {
    case 'node':
      return calls.node(nodeKey(expression, calls));
    case 'resolver':
      return asDereferenced(evaluateResolver(expression, calls));
    case 'text':
      return asDereferenced(strNode(joinParts(expression.parts, calls)));
    case 'literal':
      return asDereferenced(expression.value);
    case 'list':
      return asDereferenced({ kind: 'plain-list', items: evaluateSequence(expression.items, calls) });
    case 'dict':
      return asDereferenced(evaluateDict(expression.entries, calls));
    default:
      throw new ConfigError('AssertionError', 'WS should never be reached');
  }
}

function joinParts(parts: readonly (string | Interpolation)[], calls: EvaluationCalls): string {
  let text = '';
  for (const part of parts) text += typeof part === 'string' ? part : pythonStr(valueBehind(evaluate(part, calls)));
  return text;
}

function nodeKey({ pieces }: NodeInterpolation, calls: EvaluationCalls): string {
  let key = '';
  for (const piece of pieces) {
    key += typeof piece === 'string' ? piece : stringFrom(piece, calls, keyMustBeString);
  }
  return key;
}

function stringFrom(
  interpolation: Interpolation,
  calls: EvaluationCalls,
  complaint: (value: Value, text: string) => string,
): string {
  const value = valueBehind(evaluate(interpolation, calls));
  if (value.kind === 'scalar' && typeof value.value === 'string') return value.value;
  throw new ConfigError('InterpolationResolutionError', complaint(value, interpolation.text));
}

function keyMustBeString(value: Value, text: string): string {
  return (
    'The following interpolation is used to denote a config key and thus should return a string, but instead ' +
    `returned \`${pythonStr(value)}\` of type \`${pythonClassText(value)}\`: ${text}`
  );
}

function nameMustBeString(value: Value, text: string): string {
  return (
    `The name of a resolver must be a string, but the interpolation ${text} resolved to \`${pythonStr(value)}\` ` +
    `which is of type ${pythonClassText(value)}`
  );
}

function evaluateResolver({ name, args }: ResolverInterpolation, calls: EvaluationCalls): Value {
  const parts = name.map((part) => (typeof part === 'string' ? part : stringFrom(part, calls, nameMustBeString)));
  return calls.resolver(parts.join('.'), evaluateSequence(args, calls));
}

function evaluateSequence(sequence: Sequence | undefined, calls: EvaluationCalls): Value[] {
  if (sequence === undefined) return [];
  return sequence.items.map((item) => {
    if (item !== undefined) return valueBehind(evaluate(item, calls));
    calls.warn(
      `In the sequence \`${sequence.text}\` some elements are missing: please replace them with empty quoted strings. ` +
        'See https://github.com/omry/omegaconf/issues/572 for details.',
    );
    return strNode('');
  });
}

function evaluateDict(entries: readonly (readonly [ScalarNode, Expression])[], calls: EvaluationCalls): PlainDict {
  const result = new Map<ReturnType<typeof keyIdentity>, { readonly key: ConfigKey; readonly value: Value }>();
  for (const [keyNode, expression] of entries) {
    const key = scalarKey(keyNode);
    const identity = keyIdentity(key);
    const value = valueBehind(evaluate(expression, calls));
    result.set(identity, { key: result.get(identity)?.key ?? key, value });
  }
  return { kind: 'plain-dict', entries: result };
}
