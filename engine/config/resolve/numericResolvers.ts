import { floatNode, intNode, strNode } from '../node/build.ts';
import type { ScalarNode } from '../node/node.ts';
import { pythonTypeOf } from '../python/repr.ts';
import { checkArguments, typeError } from './arguments.ts';
import type { ResolverRegistry } from './registry.ts';
import type { Value } from './value.ts';

/** Adds AccelHydra's resolvers: `multiply` (a product, 1 for no arguments) and `len`. */
export function registerNumericResolvers(registry: ResolverRegistry): void {
  registry.registerTyped('multiply', (args) => args.reduce(multiply, intNode(1)));
  registry.registerTyped('len', (args) => {
    checkArguments(args, { name: 'register.<locals>.<lambda>', parameters: ['x'], required: 1 });
    const [value] = args;
    if (value === undefined) throw new Error('Internal error: an unchecked resolver argument');
    return intNode(lengthOf(value));
  });
}

/** Python's `len(value)`. */
function lengthOf(value: Value): number {
  switch (value.kind) {
    case 'list':
    case 'dict':
      return value.size;
    case 'plain-list':
      return value.items.length;
    case 'plain-dict':
      return value.entries.size;
    default:
      if (typeof value.value === 'string') return [...value.value].length;
      if (value.value instanceof Uint8Array) return value.value.length;
      throw typeError(`object of type '${pythonTypeOf(value)}' has no len()`);
  }
}

interface NumberOperand {
  readonly isFloat: boolean;
  readonly value: number | bigint;
}

function numberOf(value: Value): NumberOperand | undefined {
  if (value.kind !== 'scalar') return undefined;
  if (typeof value.value === 'boolean') return { isFloat: false, value: value.value ? 1 : 0 };
  if (typeof value.value === 'bigint') return { isFloat: false, value: value.value };
  return typeof value.value === 'number' ? { isFloat: value.type === 'float', value: value.value } : undefined;
}

/** Python's `left * right`: numbers keep their type, a sequence is repeated by an integer. */
function multiply(left: Value, right: Value): Value {
  const a = numberOf(left);
  const b = numberOf(right);
  if (a !== undefined && b !== undefined) return product(a, b);
  const repeated = repeat(left, b) ?? repeat(right, a);
  if (repeated !== undefined) return repeated;
  const other = isSequence(left) ? right : isSequence(right) ? left : undefined;
  if (other !== undefined) throw typeError(`can't multiply sequence by non-int of type '${pythonTypeOf(other)}'`);
  throw typeError(`unsupported operand type(s) for *: '${pythonTypeOf(left)}' and '${pythonTypeOf(right)}'`);
}

function product(a: NumberOperand, b: NumberOperand): ScalarNode {
  if (a.isFloat || b.isFloat) return floatNode(Number(a.value) * Number(b.value));
  return intNode(BigInt(a.value) * BigInt(b.value));
}

function isSequence(value: Value): boolean {
  return value.kind === 'plain-list' || (value.kind === 'scalar' && typeof value.value === 'string');
}

/** A repeated value may not grow without bound: a slip of a digit must not fill the memory. */
const LONGEST_REPETITION = 1_000_000;

function repeat(value: Value, times: NumberOperand | undefined): Value | undefined {
  if (times === undefined || times.isFloat || !isSequence(value)) return undefined;
  const count = Math.max(0, Number(times.value));
  if (count * lengthOf(value) > LONGEST_REPETITION) {
    throw typeError(`multiply would repeat a value ${count} times; at most ${LONGEST_REPETITION} elements may result`);
  }
  if (value.kind === 'plain-list') {
    return { kind: 'plain-list', items: Array.from({ length: count }, () => value.items).flat() };
  }
  return value.kind === 'scalar' ? strNode(String(value.value).repeat(count)) : undefined;
}
