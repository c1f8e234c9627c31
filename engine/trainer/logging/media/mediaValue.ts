import * as tf from '@tensorflow/tfjs';
import { EngineError } from '../../../api/errors.ts';
import { dtypeOf, type HostArray, type HostTensor, isHostArray, isHostTensor } from '../../../data/index.ts';

/** Numbers to be logged: on the device, in memory with a shape, or plain. */
export type MediaValue = tf.Tensor | HostTensor | HostArray | readonly number[];

export interface HostValues {
  readonly data: ArrayLike<number>;
  readonly shape: readonly number[];
  readonly dtype: string;
}

/** A value that stays what it is while it waits: a tensor is kept on the device, an array is copied. */
export interface KeptValue {
  /** Size in memory while it waits. */
  readonly bytes: number;
  /** Waits for the device where it must. */
  read(): Promise<HostValues>;
  release(): void;
}

/** Throws `trainer.media` for anything that is not numbers. */
export function keepValue(value: MediaValue, key: string): KeptValue {
  if (value instanceof tf.Tensor) {
    const kept = tf.keep(value.clone());
    return {
      bytes: kept.size * 4,
      read: async () => ({ data: await kept.data(), shape: kept.shape, dtype: kept.dtype }),
      release: () => kept.dispose(),
    };
  }
  const values = hostValues(value, key);
  return { bytes: values.data.length * 4, read: () => Promise.resolve(values), release: () => undefined };
}

function hostValues(value: unknown, key: string): HostValues {
  if (isHostTensor(value)) return { data: value.data.slice(), shape: value.shape, dtype: dtypeOf(value) };
  if (isHostArray(value)) {
    return { data: value.slice(), shape: [value.length], dtype: dtypeOf({ data: value, shape: [value.length] }) };
  }
  if (Array.isArray(value) && value.every((item) => typeof item === 'number')) {
    return { data: [...value], shape: [value.length], dtype: 'float32' };
  }
  throw new EngineError('trainer.media', `'${key}': expected a tensor or an array of numbers.`, { key });
}
