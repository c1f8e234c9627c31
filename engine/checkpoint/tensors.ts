import type * as tf from '@tensorflow/tfjs';
import { EngineError } from '../api/errors.ts';
import { bfloat16ToFloat32, type Dtype, halfToFloat32, type TensorArray } from './safetensors/dtype.ts';
import type { TensorData } from './safetensors/read.ts';
import type { TensorSource } from './safetensors/write.ts';

/** What the tensor API's `tf.tensor(values, shape, dtype)` takes. */
export interface TensorValues {
  readonly values: Float32Array | Int32Array | Uint8Array;
  readonly shape: number[];
  readonly dtype: 'float32' | 'int32' | 'bool';
}

/** A tensor to be written; it is read from the device when its turn comes, so it must live until then. */
export function tensorSource(name: string, tensor: tf.Tensor): TensorSource {
  return { name, dtype: fileDtype(name, tensor.dtype), shape: tensor.shape, data: () => tensor.data() };
}

function fileDtype(name: string, dtype: tf.DataType): Dtype {
  switch (dtype) {
    case 'float32':
      return 'F32';
    case 'int32':
      return 'I32';
    case 'bool':
      return 'BOOL';
    default:
      throw new EngineError('checkpoint.tensor', `Tensor '${name}' is ${dtype}, which cannot be saved.`, {
        name,
        dtype,
      });
  }
}

/**
 * A saved tensor as the tensor API's numbers: half precision and doubles become float32, whole numbers int32.
 * @throws EngineError `checkpoint.tensor` for a dtype without a counterpart, or a whole number beyond 32 bits
 */
export function toTensorValues({ name, dtype, shape, data }: TensorData): TensorValues {
  const own = [...shape];
  switch (dtype) {
    case 'F32':
    case 'F64':
      return { values: data instanceof Float32Array ? data : toFloat32(data), shape: own, dtype: 'float32' };
    case 'F16':
      return { values: halfToFloat32(rawBits(data)), shape: own, dtype: 'float32' };
    case 'BF16':
      return { values: bfloat16ToFloat32(rawBits(data)), shape: own, dtype: 'float32' };
    case 'BOOL':
      return { values: data instanceof Uint8Array ? data : Uint8Array.from(data, Number), shape: own, dtype: 'bool' };
    case 'F8_E4M3':
    case 'F8_E5M2':
      throw new EngineError('checkpoint.tensor', `Tensor '${name}' is ${dtype}, which cannot be loaded as a weight.`, {
        name,
        dtype,
      });
    default:
      return { values: data instanceof Int32Array ? data : toInt32(name, data), shape: own, dtype: 'int32' };
  }
}

function rawBits(data: TensorArray): Uint16Array {
  if (data instanceof Uint16Array) return data;
  throw new Error('Internal error: half precision is read as 16-bit words');
}

function toFloat32(data: TensorArray): Float32Array {
  const result = new Float32Array(data.length);
  for (let index = 0; index < data.length; index++) result[index] = Number(data[index]);
  return result;
}

function toInt32(name: string, data: TensorArray): Int32Array {
  const result = new Int32Array(data.length);
  for (let index = 0; index < data.length; index++) {
    const value = Number(data[index]);
    result[index] = value;
    if (result[index] !== value) {
      throw new EngineError('checkpoint.tensor', `Tensor '${name}' holds ${value}, which does not fit into 32 bits.`, {
        name,
        value,
      });
    }
  }
  return result;
}
