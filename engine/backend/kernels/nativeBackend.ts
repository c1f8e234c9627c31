import type { Tensor } from '@tensorflow/tfjs';
import type { NativeAttribute, NativeBinding } from '../nativeBinding.ts';
import type { TensorApi } from '../types.ts';

/** What we call on the native backend object: any TensorFlow op by name, on tensors of the tensor API. */
export interface NativeBackend {
  readonly binding: NativeBinding;
  executeSingleOutput<T extends Tensor = Tensor>(
    name: string,
    attributes: readonly NativeAttribute[],
    inputs: readonly Tensor[],
  ): T;
  executeMultipleOutputs(
    name: string,
    attributes: readonly NativeAttribute[],
    inputs: readonly Tensor[],
    outputs: number,
  ): Tensor[];
}

/** The native TensorFlow backend when it is the current one, otherwise undefined. */
export function nativeBackendOf(tf: TensorApi): NativeBackend | undefined {
  if (tf.getBackend() !== 'tensorflow') return undefined;
  const backend: object = tf.backend();
  return isNativeBackend(backend) ? backend : undefined;
}

function isNativeBackend(backend: unknown): backend is NativeBackend {
  return (
    typeof backend === 'object' &&
    backend !== null &&
    'binding' in backend &&
    'executeSingleOutput' in backend &&
    'executeMultipleOutputs' in backend
  );
}

/** Attributes of TensorFlow ops, by the type that the op declares for them. */
export const attribute = {
  float32: ({ TF_ATTR_TYPE, TF_FLOAT }: NativeBinding, name = 'T'): NativeAttribute => ({
    name,
    type: TF_ATTR_TYPE,
    value: TF_FLOAT,
  }),
  int32: ({ TF_ATTR_TYPE, TF_INT32 }: NativeBinding, name: string): NativeAttribute => ({
    name,
    type: TF_ATTR_TYPE,
    value: TF_INT32,
  }),
  bool: ({ TF_ATTR_BOOL }: NativeBinding, name: string, value: boolean): NativeAttribute => ({
    name,
    type: TF_ATTR_BOOL,
    value,
  }),
  /** A whole number or a list of them. */
  int: ({ TF_ATTR_INT }: NativeBinding, name: string, value: number | readonly number[]): NativeAttribute => ({
    name,
    type: TF_ATTR_INT,
    value,
  }),
  float: ({ TF_ATTR_FLOAT }: NativeBinding, name: string, value: number): NativeAttribute => ({
    name,
    type: TF_ATTR_FLOAT,
    value,
  }),
  string: ({ TF_ATTR_STRING }: NativeBinding, name: string, value: string): NativeAttribute => ({
    name,
    type: TF_ATTR_STRING,
    value,
  }),
};
