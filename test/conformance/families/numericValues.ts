import * as tf from '@tensorflow/tfjs';
import { z } from 'zod';
import { loadBackend } from '../../../engine/backend/index.ts';

/** Nested lists of numbers, as tensors are written in the vectors. */
export type NestedNumbers = number | NestedNumbers[];
export const nestedNumbers: z.ZodType<NestedNumbers> = z.lazy(() => z.union([z.number(), z.array(nestedNumbers)]));

export function flatten(value: NestedNumbers): number[] {
  return typeof value === 'number' ? [value] : value.flatMap(flatten);
}

export function toTensor(value: NestedNumbers, dtype: 'float32' | 'int32' = 'float32'): tf.Tensor {
  return tf.tensor(value, undefined, dtype);
}

/** The vectors are float32 results of one machine: plain JavaScript is the backend that every machine has. */
export async function ensureCpu(): Promise<void> {
  if (tf.getBackend() === undefined) await loadBackend({ backend: 'cpu' });
}

/**
 * Where two lists of numbers first differ, or undefined. Differences are relative to the expected number; `scale` is what
 * a number near 0 is measured against.
 */
export function firstDifference(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
  scale = 0,
): string | undefined {
  if (actual.length !== expected.length) return `${actual.length} values instead of ${expected.length}`;
  for (let index = 0; index < expected.length; index++) {
    const found = actual[index] ?? Number.NaN;
    const wanted = expected[index] ?? Number.NaN;
    if (Object.is(found, wanted) || found === wanted) continue;
    const error = Math.abs(found - wanted) / Math.max(Math.abs(wanted), scale);
    if (!(error <= tolerance)) return `value ${index} is ${found} instead of ${wanted} (relative error ${error})`;
  }
  return undefined;
}
