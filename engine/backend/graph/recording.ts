import type { NativeAttribute } from '../nativeBinding.ts';
import type { ConstantValue } from './graphDef.ts';

/** Where a recorded tensor came from. */
export type Value = OperationOutput | Constant | Input;

export interface OperationOutput {
  readonly kind: 'output';
  readonly operation: Operation;
  readonly index: number;
}

/** A tensor that was made on the host while the step ran. */
export interface Constant {
  readonly kind: 'constant';
  readonly value: ConstantValue;
  /** Where it was made; its stack names the line. */
  readonly madeAt: Error | undefined;
  /** How many operations had run when it was first used. */
  readonly order: number;
}

/** A tensor that was there before: the caller says what it is by a key of its own. */
export interface Input {
  readonly kind: 'input';
  readonly key: string;
  readonly dtype: number;
  readonly shape: readonly number[];
}

/** One call of TensorFlow. */
export interface Operation {
  /** Place in the order of calls. */
  readonly order: number;
  readonly name: string;
  readonly attributes: readonly NativeAttribute[];
  readonly inputs: readonly Value[];
  readonly outputs: readonly { readonly dtype: number; readonly shape: readonly number[] }[];
  readonly calledAt: Error | undefined;
}

/** Why a recording cannot be run as a graph, for a person. */
export interface Obstacle {
  readonly reason: string;
  /** Its stack names the line in the user's code. */
  readonly at: Error | undefined;
}

export interface Recording {
  readonly operations: readonly Operation[];
  /** The first thing seen that a graph cannot do. */
  readonly obstacle: Obstacle | undefined;
}

/** How much of a stack is kept that is to name a line: the user's lies below many of the tensor API's. */
export const stackDepth = 60;

/** What may differ between two recordings of the same step. */
export interface Allowance {
  /** Constants used before this operation may have other values; they are then inputs of the graph. */
  readonly until: number;
  /** Takes the second recording's constants that have other values. */
  readonly varying: Set<Constant>;
}

/**
 * Compares two recordings of the same step. Undefined when they are the same computation; otherwise what differs first,
 * with the place where it came from.
 */
export function difference(
  first: readonly Operation[],
  second: readonly Operation[],
  allowance?: Allowance,
): Obstacle | undefined {
  const count = Math.max(first.length, second.length);
  for (let i = 0; i < count; i++) {
    const [a, b] = [first[i], second[i]];
    if (a === undefined || b === undefined || a.name !== b.name || a.inputs.length !== b.inputs.length) {
      const [before, after] = [a?.name ?? 'its end', b?.name ?? 'its end'];
      return {
        reason: otherOperations(i, before, after),
        // what the step itself ran says more than what followed from it
        at: (i < (allowance?.until ?? count) ? b?.calledAt : undefined) ?? a?.calledAt ?? b?.calledAt,
      };
    }
    const attribute = differingAttribute(a.attributes, b.attributes);
    if (attribute !== undefined)
      return { reason: `the attribute '${attribute}' of ${a.name} differs from step to step`, at: b.calledAt };
    for (const [k, input] of a.inputs.entries()) {
      const found = inputDifference(input, b.inputs[k], b, allowance);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

/** The reason where the operation of this index, from 0, is another one or missing. */
export function otherOperations(order: number, before: string, after: string): string {
  return `it does not run the same operations each time (operation ${order + 1}: ${before}, then ${after})`;
}

export function sameValue(a: Value, b: Value): boolean {
  return inputDifference(a, b, undefined) === undefined;
}

function inputDifference(
  a: Value,
  b: Value | undefined,
  operation: Operation | undefined,
  allowance?: Allowance,
): Obstacle | undefined {
  if (a.kind === 'constant' && b?.kind === 'constant') {
    if (sameConstant(a.value, b.value)) return undefined;
    if (allowance !== undefined && b.order < allowance.until && isAlike(a.value, b.value)) {
      allowance.varying.add(b);
      return undefined;
    }
    return {
      reason: `a value made on the host differs from step to step (${describe(a)}, then ${describe(b)})`,
      at: b.madeAt,
    };
  }
  if (a.kind === 'input' && b?.kind === 'input' && a.key === b.key) return undefined;
  if (a.kind === 'output' && b?.kind === 'output' && a.operation.order === b.operation.order && a.index === b.index)
    return undefined;
  return {
    reason: `${operation?.name ?? 'a result'} does not work on the same tensors each time`,
    at: operation?.calledAt ?? (b?.kind === 'constant' ? b.madeAt : undefined),
  };
}

/** Of the same type and shape. */
function isAlike(a: ConstantValue, b: ConstantValue): boolean {
  return a.dtype === b.dtype && a.shape.length === b.shape.length && a.shape.every((size, i) => size === b.shape[i]);
}

export function sameConstant(a: ConstantValue, b: ConstantValue): boolean {
  return isAlike(a, b) && Buffer.compare(a.bytes, b.bytes) === 0;
}

/** The name of the first attribute that differs. */
export function differingAttribute(a: readonly NativeAttribute[], b: readonly NativeAttribute[]): string | undefined {
  if (a.length !== b.length) return a[0]?.name ?? b[0]?.name;
  for (const [i, attribute] of a.entries()) {
    const other = b[i];
    if (attribute.name !== other?.name || !sameAttribute(attribute.value, other.value)) return attribute.name;
  }
  return undefined;
}

function sameAttribute(a: NativeAttribute['value'], b: NativeAttribute['value']): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object') return false;
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((item, i) => Object.is(item, b[i]));
  return JSON.stringify(a) === JSON.stringify(b);
}

function describe({ value }: Constant): string {
  const size = value.shape.reduce((product, dimension) => product * dimension, 1);
  if (size !== 1) return `[${value.shape}]`;
  const view = new DataView(value.bytes.buffer, value.bytes.byteOffset, value.bytes.byteLength);
  if (value.bytes.byteLength === 4)
    return String(value.dtype === 1 ? Number(view.getFloat32(0, true).toPrecision(6)) : view.getInt32(0, true));
  return 'a scalar';
}
