import type { Input, Operation, OperationOutput, Value } from '../../backend/graph/index.ts';
import type { RecordedCall } from './recordCall.ts';

const int32 = 3;
const attrInt = 1;
const attrType = 4;

export type Freed =
  | { readonly call: Pick<RecordedCall, 'operations' | 'outputs'> }
  /** Why the graph is right for one batch size only. */
  | { readonly reason: string };

/**
 * Two recordings of a call, with batches of different size, as one that takes any size: where a list of whole numbers made
 * on the host (a shape, mostly) differs by a multiple of the size, the graph works it out from its input.
 */
export function freeBatch(
  first: Pick<RecordedCall, 'input' | 'operations' | 'outputs'>,
  second: Pick<RecordedCall, 'input' | 'operations' | 'outputs'>,
): Freed {
  return new BatchFreer(first.input, second.input).free(first, second);
}

type Part = Pick<RecordedCall, 'operations' | 'outputs'>;

class BatchFreer {
  readonly #input: Input;
  readonly #sizes: readonly [number, number];
  readonly #added: Operation[] = [];
  readonly #replaced = new Map<Operation, Operation>();
  #size: OperationOutput | undefined;
  #reason: string | undefined;

  constructor(first: Input, second: Input) {
    this.#input = { ...first, shape: [-1, ...first.shape.slice(1)] };
    this.#sizes = [first.shape[0] ?? 0, second.shape[0] ?? 0];
  }

  free(first: Part, second: Part): Freed {
    if (first.operations.length !== second.operations.length)
      return { reason: 'it computes something else for another batch size' };
    const operations = first.operations.map((operation, i) => this.#merge(operation, second.operations[i]));
    const outputs = new Map<string, Value>();
    for (const [name, value] of first.outputs) outputs.set(name, this.#value(value, second.outputs.get(name)));
    if (this.#reason !== undefined) return { reason: this.#reason };
    return { call: { operations: [...this.#added, ...operations], outputs } };
  }

  #merge(a: Operation, b: Operation | undefined): Operation {
    if (b === undefined || a.name !== b.name || a.inputs.length !== b.inputs.length) {
      this.#reason ??= 'it computes something else for another batch size';
      return a;
    }
    if (JSON.stringify(a.attributes) !== JSON.stringify(b.attributes))
      this.#reason ??= `${a.name} is given the batch size as an attribute`;
    const merged = { ...a, inputs: a.inputs.map((input, k) => this.#value(input, b.inputs[k])) };
    this.#replaced.set(a, merged);
    return merged;
  }

  #value(a: Value, b: Value | undefined): Value {
    if (a.kind === 'output') return { ...a, operation: this.#replaced.get(a.operation) ?? a.operation };
    if (a.kind === 'input') return a.key === this.#input.key ? this.#input : a;
    if (b?.kind !== 'constant') return this.#refuse('it computes something else for another batch size', a);
    const [own, other] = [a.value, b.value];
    if (own.shape.join() !== other.shape.join())
      return this.#refuse(`it makes a tensor of the batch's size ([${own.shape}]) on the host`, a);
    if (Buffer.compare(own.bytes, other.bytes) === 0) return a;
    if (own.dtype !== int32) return this.#refuse('it works with the batch size as a number', a);
    return (
      this.#shape(numbersOf(own.bytes), numbersOf(other.bytes), own.shape) ??
      this.#refuse('a shape does not grow with the batch size', a)
    );
  }

  #refuse<T extends Value>(reason: string, value: T): T {
    this.#reason ??= reason;
    return value;
  }

  #shape(a: Int32Array, b: Int32Array, shape: readonly number[]): Value | undefined {
    const [one, two] = this.#sizes;
    const parts: Value[] = [];
    for (const [i, value] of a.entries()) {
      const factor = value / one;
      if (value === b[i]) parts.push(scalar(value));
      else if (Number.isInteger(factor) && b[i] === factor * two) parts.push(this.#times(factor));
      else return undefined;
    }
    if (shape.length === 0) return parts[0];
    return this.#add('Pack', parts, [type('T', int32), whole('N', parts.length), whole('axis', 0)], [parts.length]);
  }

  #times(factor: number): Value {
    const size = this.#batchSize();
    return factor === 1 ? size : this.#add('Mul', [size, scalar(factor)], [type('T', int32)], []);
  }

  #batchSize(): OperationOutput {
    if (this.#size !== undefined) return this.#size;
    const types = [type('T', this.#input.dtype), type('out_type', int32)];
    const shape = this.#add('Shape', [this.#input], types, [this.#input.shape.length]);
    this.#size = this.#add(
      'StridedSlice',
      [shape, list(0), list(1), list(1)],
      [type('T', int32), type('Index', int32), whole('shrink_axis_mask', 1)],
      [],
    );
    return this.#size;
  }

  #add(
    name: string,
    inputs: readonly Value[],
    attributes: Operation['attributes'],
    shape: readonly number[],
  ): OperationOutput {
    // before all recorded ones, which count from 0
    const order = this.#added.length - 1e6;
    const operation = { order, name, attributes, inputs, outputs: [{ dtype: int32, shape }], calledAt: undefined };
    this.#added.push(operation);
    return { kind: 'output', operation, index: 0 };
  }
}

const type = (name: string, value: number) => ({ name, type: attrType, value });
const whole = (name: string, value: number) => ({ name, type: attrInt, value });
const scalar = (value: number): Value => constant([], value);
const list = (value: number): Value => constant([1], value);

function constant(shape: readonly number[], value: number): Value {
  const bytes = new Uint8Array(Int32Array.of(value).buffer);
  return { kind: 'constant', value: { dtype: int32, shape, bytes }, order: -1, madeAt: undefined };
}

function numbersOf(bytes: Uint8Array): Int32Array {
  return new Int32Array(bytes.slice().buffer);
}
