import * as tf from '@tensorflow/tfjs';
import { EngineError } from '../../api/errors.ts';
import { isHostTensor, toTensor } from '../hostTensor.ts';

/** Makes a batch of samples: a function, or an object with `call`, that gives tensors the trainer may dispose. */
export type CollateFunction = (samples: readonly unknown[]) => unknown;
export interface Collate {
  call(samples: readonly unknown[]): unknown;
}

export function readCollate(value: unknown): CollateFunction {
  if (isFunction(value)) return (samples) => value(samples);
  if (isCollate(value)) return (samples) => value.call(samples);
  throw new EngineError('data.collate.kind', `'collate_fn' must be a function or an object with call(samples).`, {});
}

function isFunction(value: unknown): value is CollateFunction {
  return typeof value === 'function';
}

function isCollate(value: unknown): value is Collate {
  return typeof value === 'object' && value !== null && 'call' in value && typeof value.call === 'function';
}

export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Replaces the host tensors inside lists and plain objects by tensors of the current backend. */
export function toTensors(value: unknown): unknown {
  if (isHostTensor(value)) return toTensor(value);
  if (Array.isArray(value)) return value.some(holdsTensor) ? value.map(toTensors) : value;
  if (isPlainObject(value))
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toTensors(item)]));
  return value;
}

function holdsTensor(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

/** Frees every tensor inside a batch. */
export function disposeBatch(batch: unknown): void {
  if (batch instanceof tf.Tensor) {
    if (!batch.isDisposed) batch.dispose();
  } else if (Array.isArray(batch)) {
    for (const item of batch) if (typeof item === 'object') disposeBatch(item);
  } else if (isPlainObject(batch)) {
    for (const item of Object.values(batch)) if (typeof item === 'object') disposeBatch(item);
  }
}
