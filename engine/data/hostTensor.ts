import * as tf from '@tensorflow/tfjs';
import { EngineError } from '../api/errors.ts';

export type HostArray =
  | Float32Array
  | Float64Array
  | Int32Array
  | Uint32Array
  | Int16Array
  | Uint16Array
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray;

export type HostDtype = 'float32' | 'int32' | 'bool';

/**
 * A tensor in JavaScript's memory, row-major: what datasets give and collate functions stack, so that samples can be
 * made where TensorFlow is not (a worker thread). `dtype` says what it becomes; without it the array's kind decides.
 */
export interface HostTensor {
  readonly data: HostArray;
  readonly shape: readonly number[];
  readonly dtype?: HostDtype;
}

/**
 * float32 values that are made straight in their place of a batch, or when somebody looks at `data`: an array for each
 * sample, made and copied, takes as long as the work on a small image. `write` must give the same whenever it is called.
 */
export class LateTensor implements HostTensor {
  readonly shape: readonly number[];
  readonly dtype = 'float32';
  readonly #write: (out: Float32Array, at: number) => void;
  #data: Float32Array | undefined;

  constructor(shape: readonly number[], write: (out: Float32Array, at: number) => void) {
    this.shape = shape;
    this.#write = write;
  }

  get data(): Float32Array {
    if (this.#data === undefined) {
      this.#data = new Float32Array(sizeOf(this.shape));
      this.#write(this.#data, 0);
    }
    return this.#data;
  }

  /** Puts the values into `out` from `at` on. */
  writeTo(out: Float32Array, at: number): void {
    // whoever has looked at the values may have changed them
    if (this.#data === undefined) this.#write(out, at);
    else out.set(this.#data, at);
  }
}

export function isHostTensor(value: unknown): value is HostTensor {
  return (
    value instanceof LateTensor ||
    (typeof value === 'object' &&
      value !== null &&
      'data' in value &&
      'shape' in value &&
      isHostArray(value.data) &&
      Array.isArray(value.shape))
  );
}

export function isHostArray(value: unknown): value is HostArray {
  return ArrayBuffer.isView(value) && !(value instanceof DataView) && !(value instanceof BigInt64Array);
}

/** Floats become float32, every whole-number kind int32. */
export function dtypeOf(tensor: HostTensor): HostDtype {
  if (tensor.dtype !== undefined) return tensor.dtype;
  return tensor.data instanceof Float32Array || tensor.data instanceof Float64Array ? 'float32' : 'int32';
}

/** A single number with a fixed dtype, for columns whose kind is known from the whole file rather than one batch. */
export function hostScalar(value: number, dtype: HostDtype): HostTensor {
  return { data: dtype === 'float32' ? Float32Array.of(value) : Int32Array.of(value), shape: [], dtype };
}

export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/**
 * Reads a number, a boolean, a typed array or a rectangular nesting of number arrays. Numbers without a fraction give
 * int32, all others float32. Returns undefined for anything else; throws `data.ragged` for uneven nesting.
 */
export function readHostTensor(value: unknown): HostTensor | undefined {
  if (isHostTensor(value)) return value;
  if (typeof value === 'number') return hostScalar(value, isInt32(value) ? 'int32' : 'float32');
  if (typeof value === 'boolean') return { data: Uint8Array.of(value ? 1 : 0), shape: [], dtype: 'bool' };
  if (isHostArray(value)) return { data: value, shape: [value.length] };
  if (Array.isArray(value)) return readNested(value);
  return undefined;
}

function isInt32(value: number): boolean {
  return (value | 0) === value && !Object.is(value, -0);
}

function readNested(value: readonly unknown[]): HostTensor | undefined {
  if (value.length === 0) return undefined;
  const parts: HostTensor[] = [];
  for (const item of value) {
    const part = readHostTensor(item);
    if (part === undefined) return undefined;
    parts.push(part);
  }
  const first = parts[0];
  if (first === undefined) return undefined;
  if (parts.some((part) => !sameShape(part.shape, first.shape))) {
    throw new EngineError(
      'data.ragged',
      `A nested array has rows of different shapes (${[...new Set(parts.map((part) => `[${part.shape}]`))].join(', ')}), so it is no tensor. Pad it first, for example with PaddingCollate.`,
      { shapes: parts.map((part) => part.shape) },
    );
  }
  return stackHost(parts);
}

export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, i) => size === b[i]);
}

/**
 * Stacks tensors of one shape along a new first axis; float32 when any of them is. `field` is for the message of
 * `data.int32`, thrown where whole numbers do not fit.
 */
export function stackHost(parts: readonly HostTensor[], dtype?: HostDtype, field = ''): HostTensor {
  const shape = parts[0]?.shape ?? [];
  const size = sizeOf(shape);
  const result = dtype ?? commonDtype(parts);
  const data = allocate(result, size * parts.length);
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i];
    if (part === undefined) continue;
    if (part instanceof LateTensor && data instanceof Float32Array) {
      part.writeTo(data, i * size);
      continue;
    }
    if (result === 'int32') requireInt32(part.data, i, field);
    data.set(part.data, i * size);
  }
  return { data, shape: [parts.length, ...shape], dtype: result };
}

export function commonDtype(parts: readonly HostTensor[]): HostDtype {
  const kinds = new Set(parts.map(dtypeOf));
  if (kinds.has('float32')) return 'float32';
  return kinds.has('int32') || kinds.size === 0 ? 'int32' : 'bool';
}

const allocated = new WeakSet<ArrayBufferLike>();

/** New memory for collated values: nobody else keeps it, so that it may be handed to another thread (`isOwned`). */
export function allocate(dtype: HostDtype, size: number): Float32Array | Int32Array | Uint8Array {
  const array = newArray(dtype, size);
  allocated.add(array.buffer);
  return array;
}

/** Whether the memory came from `allocate`; anything else may be a view on what a dataset still needs. */
export function isOwned(array: ArrayBufferView): boolean {
  return allocated.has(array.buffer);
}

function newArray(dtype: HostDtype, size: number): Float32Array | Int32Array | Uint8Array {
  if (dtype === 'float32') return new Float32Array(size);
  return dtype === 'int32' ? new Int32Array(size) : new Uint8Array(size);
}

/**
 * Throws `data.int32`, with field and sample of the batch where they are given, for a number that int32 cannot hold and that
 * would wrap around to another one. Kinds of arrays that always fit are not looked at.
 */
export function requireInt32(data: HostArray, sample?: number, field = ''): void {
  if (!(data instanceof Uint32Array || data instanceof Float32Array || data instanceof Float64Array)) return;
  for (const value of data) {
    if (value < 2 ** 31 && value >= -(2 ** 31)) continue;
    // what no whole number stands for becomes 0, as everywhere in JavaScript
    if (Number.isNaN(value)) continue;
    const where = sample === undefined ? 'a tensor' : `${field && `'${field}' of `}sample ${sample} of the batch`;
    throw new EngineError(
      'data.int32',
      `The number ${value} in ${where} does not fit int32 (-2,147,483,648 to 2,147,483,647), the only kind of whole numbers that TensorFlow.js has. Give it as text, or as float32, which is exact up to 16,777,216 (a Float32Array, or dtype: 'float32').`,
      { value, sample, field },
    );
  }
}

/** Moves a host tensor to the current backend. Throws `data.shape`, and `data.int32` for a number that does not fit. */
export function toTensor(host: HostTensor): tf.Tensor {
  const dtype = dtypeOf(host);
  const size = sizeOf(host.shape);
  if (size !== host.data.length) {
    throw new EngineError(
      'data.shape',
      `A tensor of shape [${host.shape}] needs ${size} values, not ${host.data.length}.`,
      {
        shape: host.shape,
        length: host.data.length,
      },
    );
  }
  // native TensorFlow may compute on this very memory, also after the tensor is disposed: nobody may reuse or detach it
  // what tf.tensor does once it has found out the shape and the size, which are known here
  tf.util.assertNonNegativeIntegerDimensions([...host.shape]);
  return tf.engine().makeTensor(inKind(host.data, dtype), [...host.shape], dtype);
}

function inKind(data: HostArray, dtype: HostDtype): Float32Array | Int32Array | Uint8Array {
  if (dtype === 'float32') return data instanceof Float32Array ? data : Float32Array.from(data);
  if (dtype === 'int32') {
    requireInt32(data);
    return data instanceof Int32Array ? data : Int32Array.from(data);
  }
  return data instanceof Uint8Array ? data : Uint8Array.from(data);
}
