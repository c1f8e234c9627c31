import * as tf from '@tensorflow/tfjs';
import {
  DataType,
  type FedValue,
  type RecordableBackend,
  type RunResult,
  type Session,
} from '../../backend/graph/index.ts';
import type { NativeTensor } from '../../backend/index.ts';
import { type MetricValue, meanOfValues } from '../logging/metricLog.ts';

interface TensorEntry {
  readonly shape: readonly number[];
  readonly dtype: number;
  readonly id: number;
  /** Of a tensor that no operation has asked for yet. */
  readonly values: unknown;
  refCount: number;
}

/** What a compiled step uses of the tensor API's native backend. */
export interface TensorBackend extends RecordableBackend {
  getInputTensorIds(tensors: readonly tf.Tensor[]): number[];
  createOutputTensor(metadata: NativeTensor): tf.Tensor;
  getDTypeInteger(dtype: tf.DataType): number;
  readonly tensorMap: {
    get(dataId: object): TensorEntry | undefined;
    set(dataId: object, entry: TensorEntry): void;
  };
}

/** The native backend when it is the current one and has what compiling needs, otherwise undefined. */
export function tensorBackend(): TensorBackend | undefined {
  if (tf.getBackend() !== 'tensorflow') return undefined;
  const backend: object = tf.backend();
  return isTensorBackend(backend) ? backend : undefined;
}

function isTensorBackend(backend: object): backend is TensorBackend {
  return ['binding', 'tensorMap', 'getInputTensorIds', 'createOutputTensor', 'getDTypeInteger'].every(
    (name) => name in backend,
  );
}

/** The handle behind a tensor; values that still wait on the host go to the device. */
export function handleOf(backend: TensorBackend, tensor: tf.Tensor): number {
  const [id] = backend.getInputTensorIds([tensor]);
  if (id === undefined) throw new Error('Internal error: a tensor without a handle');
  return id;
}

/** A tensor as a session takes it best: values that still wait on the host need not become a tensor first. */
export function fedValueOf(backend: TensorBackend, session: Session, tensor: tf.Tensor): FedValue {
  const entry = session.takesHostValues ? backend.tensorMap.get(tensor.dataId) : undefined;
  if (entry === undefined || !isNumeric(entry.values)) return handleOf(backend, tensor);
  return { values: entry.values, shape: tensor.shape, dtype: entry.dtype };
}

/** What a session gave as a tensor, the caller's to dispose. */
export function tensorOf(backend: TensorBackend, result: RunResult): tf.Tensor {
  if ('id' in result) return backend.createOutputTensor(result);
  const { values, shape, dtype } = result;
  const name = dtype === DataType.float ? 'float32' : dtype === DataType.int32 ? 'int32' : 'bool';
  return tf.engine().makeTensor(values, [...shape], name);
}

/** What a session gave to be logged; a tensor is the caller's to dispose. */
export function metricOf(backend: TensorBackend, result: RunResult): MetricValue {
  return 'id' in result ? backend.createOutputTensor(result) : meanOfValues(result.values);
}

function isNumeric(values: unknown): values is Float32Array | Int32Array | Uint8Array {
  return values instanceof Float32Array || values instanceof Int32Array || values instanceof Uint8Array;
}

let isPeeking = false;

/** Runs work that handles variables without looking at their values: what graphs hold stays with them. */
export function peeking<T>(work: () => T): T {
  isPeeking = true;
  try {
    return work();
  } finally {
    isPeeking = false;
  }
}

/** Handles that stand for held values: far below those that anybody makes up. */
let nextPeek = -1_000_000_000;
const peekKeys = new Map<number, string>();

/** The key of a variable by the handle that is seen while peeking. */
export function peekedKey(id: number): string | undefined {
  return peekKeys.get(id);
}

/**
 * The value of a variable while a graph holds it: nothing lies here until somebody looks, or takes another reference,
 * or frees it. `onTouch` must then `fill` it.
 */
export class HeldEntry implements TensorEntry {
  readonly #peek = nextPeek--;
  readonly shape: readonly number[];
  readonly dtype: number;
  readonly values = null;
  #id = -1;
  #refCount = 1;
  #onTouch: (() => void) | undefined;

  constructor(key: string, shape: readonly number[], dtype: number) {
    this.shape = shape;
    this.dtype = dtype;
    peekKeys.set(this.#peek, key);
  }

  get id(): number {
    if (isPeeking && this.#onTouch !== undefined) return this.#peek;
    this.#onTouch?.();
    return this.#id;
  }

  get refCount(): number {
    return this.#refCount;
  }

  set refCount(count: number) {
    // another reference must go on seeing today's value
    if (count > this.#refCount && !isPeeking) this.#onTouch?.();
    this.#refCount = count;
  }

  watch(onTouch: () => void): void {
    this.#onTouch = onTouch;
  }

  fill(id: number): void {
    this.#onTouch = undefined;
    peekKeys.delete(this.#peek);
    this.#id = id;
  }
}

/** Points a variable at an entry; its old value is freed unless others refer to it. */
export function showEntry(backend: TensorBackend, variable: tf.Variable, entry: HeldEntry): void {
  const dataId = {};
  backend.tensorMap.set(dataId, entry);
  const tensor = tf.engine().makeTensorFromTensorInfo({ dataId, shape: variable.shape, dtype: variable.dtype });
  variable.assign(tensor);
  tensor.dispose();
}
