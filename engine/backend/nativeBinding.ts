import { EngineError } from '../api/errors.ts';
import type { TensorApi } from './types.ts';

/** Shape, dtype and handle of one native tensor, as the binding returns it. */
export interface NativeTensor {
  readonly id: number;
  readonly shape: number[];
  /** A `TF_DataType` number, e.g. `binding.TF_FLOAT`. */
  readonly dtype: number;
}

/** One attribute of a TensorFlow op; `type` is one of the binding's `TF_ATTR_…` numbers. */
export interface NativeAttribute {
  readonly name: string;
  readonly type: number;
  readonly value: boolean | number | string | object | readonly number[];
}

/** TensorFlow's C API as the Node binding shows it. Handles are freed by `deleteTensor`, never by the garbage collector. */
export interface NativeBinding {
  createTensor(shape: readonly number[], dtype: number, values: ArrayLike<unknown>): number;
  deleteTensor(id: number): void;
  tensorDataSync(id: number): Float32Array | Int32Array | Uint8Array;
  /** Runs any op of the loaded TensorFlow by name; throws with TensorFlow's own message when it refuses. */
  executeOp(
    name: string,
    attributes: readonly NativeAttribute[],
    inputs: readonly number[],
    outputs: number,
  ): NativeTensor[];
  loadSavedModel(directory: string, tags: string): number;
  deleteSavedModel(id: number): void;
  runSavedModel(id: number, inputs: readonly number[], inputNames: string, outputNames: string): NativeTensor[];
  getNumOfTensors(): number;
  isUsingGpuDevice(): boolean;
  readonly TF_FLOAT: number;
  readonly TF_INT32: number;
  readonly TF_INT64: number;
  readonly TF_BOOL: number;
  readonly TF_STRING: number;
  readonly TF_RESOURCE: number;
  readonly TF_ATTR_STRING: number;
  readonly TF_ATTR_INT: number;
  readonly TF_ATTR_FLOAT: number;
  readonly TF_ATTR_BOOL: number;
  readonly TF_ATTR_TYPE: number;
  readonly TF_ATTR_SHAPE: number;
  readonly TF_Version: string;
}

/**
 * The native binding behind the current backend.
 * @throws EngineError `backend.tensorflow.not-loaded` when another backend runs
 */
export function nativeBinding(tf: TensorApi): NativeBinding {
  const backend: object = tf.backend();
  if (tf.getBackend() !== 'tensorflow' || !('binding' in backend)) {
    throw new EngineError(
      'backend.tensorflow.not-loaded',
      `TensorFlow ops can only be called on the native backend, but '${tf.getBackend()}' runs.`,
      { backend: tf.getBackend() },
    );
  }
  return backend.binding as NativeBinding;
}

/** What TensorFlow says, without the number of its status: `Invalid TF_Status: 3`, `Message: indices[5] = 7 is …`. */
export function withoutStatus(message: string): string {
  return message.replace(/^Invalid TF_Status: \d+\s*Message: /, '');
}
