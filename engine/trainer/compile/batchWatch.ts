import * as tf from '@tensorflow/tfjs';
import { isPlainObject, sameShape } from '../../data/index.ts';

/** A batch's tensors by path, in order. */
export function batchTensors(batch: unknown): ReadonlyMap<string, tf.Tensor> {
  const found = new Map<string, tf.Tensor>();
  visit(batch, '', found);
  return found;
}

function visit(value: unknown, path: string, found: Map<string, tf.Tensor>): void {
  if (value instanceof tf.Tensor) {
    found.set(path, value);
  } else if (Array.isArray(value)) {
    // long lists of numbers or text hold no tensors
    if (value.length > 0 && typeof value[0] !== 'object') return;
    value.forEach((item, i) => {
      visit(item, `${path}.${i}`, found);
    });
  } else if (isPlainObject(value)) {
    for (const [key, item] of Object.entries(value)) visit(item, `${path}.${key}`, found);
  }
}

/** A batch like another one, with other tensors in the places of its own. */
export function withTensors(batch: unknown, tensorOf: (path: string, before: tf.Tensor) => tf.Tensor): unknown {
  const replaced = (value: unknown, path: string): unknown => {
    if (value instanceof tf.Tensor) return tensorOf(path, value);
    if (Array.isArray(value)) {
      if (value.length > 0 && typeof value[0] !== 'object') return value;
      return value.map((item, i) => replaced(item, `${path}.${i}`));
    }
    if (!isPlainObject(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, replaced(item, `${path}.${key}`)]));
  };
  return replaced(batch, '');
}

interface TensorForm {
  readonly path: string;
  readonly dtype: tf.DataType;
  readonly shape: readonly number[];
}

/** Shapes and types of batches, as text: what decides which graph they run through. */
export class BatchSignatures {
  // nearly every batch is like the one before: no text is made for it
  #latest: { readonly forms: readonly TensorForm[]; readonly text: string } = { forms: [], text: '' };

  of(tensors: ReadonlyMap<string, tf.Tensor>): string {
    if (!fits(tensors, this.#latest.forms)) {
      const forms = [...tensors].map(([path, { dtype, shape }]) => ({ path, dtype, shape }));
      const text = forms.map(({ path, dtype, shape }) => `${path}:${dtype}[${shape}] `).join('');
      this.#latest = { forms, text };
    }
    return this.#latest.text;
  }
}

/** A signature as people read it: `0:float32[64,28,28,1] 1:int32[64]`. */
export function spokenSignature(signature: string): string {
  return signature.trim().replaceAll(/(^| )[.:]/g, '$1');
}

function fits(tensors: ReadonlyMap<string, tf.Tensor>, forms: readonly TensorForm[]): boolean {
  if (tensors.size !== forms.length) return false;
  let i = 0;
  for (const [path, { dtype, shape }] of tensors) {
    const form = forms[i++];
    if (form === undefined || form.path !== path || form.dtype !== dtype || !sameShape(form.shape, shape)) return false;
  }
  return true;
}

/** A value in a batch that is not a tensor and that the step looked at. */
export interface Glance {
  readonly path: readonly string[];
  readonly value: unknown;
}

/**
 * The batch as the step sees it while it is recorded: every look at something that is no tensor is noted, since a graph
 * is only right for batches that have the same there.
 */
export function watchBatch<T>(batch: T, glances: Map<string, Glance>): T {
  return watched(batch, [], glances) as T;
}

function watched(value: unknown, path: readonly string[], glances: Map<string, Glance>): unknown {
  if (value instanceof tf.Tensor) return value;
  if (!Array.isArray(value) && !isPlainObject(value)) {
    if (path.length > 0) glances.set(path.join('.'), { path, value });
    return value;
  }
  return new Proxy(value, {
    get(target, key, receiver) {
      const item: unknown = Reflect.get(target, key, receiver);
      if (typeof key === 'symbol' || typeof item === 'function') return item;
      // a frozen object must show the very things it holds
      if (Object.isFrozen(target) && typeof item === 'object') return item;
      return watched(item, [...path, key], glances);
    },
  });
}

/** Whether a batch has what the recorded step saw. */
export function sameGlances(batch: unknown, glances: Iterable<Glance>): boolean {
  for (const { path, value } of glances) {
    let found: unknown = batch;
    for (const key of path) found = typeof found === 'object' && found !== null ? Reflect.get(found, key) : undefined;
    if (!Object.is(found, value)) return false;
  }
  return true;
}
