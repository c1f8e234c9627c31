import * as tf from '@tensorflow/tfjs';
import type { NamedVariable } from '../model/module.ts';

/** Gradients between micro-steps: summed on the device, by parameter name. */
export class GradientStore {
  #sums = new Map<string, tf.Tensor>();

  /** Takes over the tensors. */
  add(gradients: Map<string, tf.Tensor>): void {
    if (this.#sums.size === 0) {
      this.#sums = gradients;
      return;
    }
    for (const [name, gradient] of gradients) {
      const sum = this.#sums.get(name);
      if (sum === undefined) {
        this.#sums.set(name, gradient);
        continue;
      }
      this.#sums.set(name, tf.add(sum, gradient));
      sum.dispose();
      gradient.dispose();
    }
  }

  /** Takes over sums that the present ones went into. */
  replace(sums: Map<string, tf.Tensor>): void {
    this.dispose();
    this.#sums = sums;
  }

  /** Gives up the sums; the caller disposes them. */
  take(): Map<string, tf.Tensor> {
    const sums = this.#sums;
    this.#sums = new Map();
    return sums;
  }

  /** Live tensors, for a checkpoint taken in the middle of an accumulation. */
  peek(): ReadonlyMap<string, tf.Tensor> {
    return this.#sums;
  }

  dispose(): void {
    disposeGradients(this.take());
  }
}

export function disposeGradients(gradients: ReadonlyMap<string, tf.Tensor>): void {
  for (const gradient of gradients.values()) gradient.dispose();
}

/** Where each parameter lies in the flat array that the ranks exchange. */
export interface FlatLayout {
  readonly parameters: readonly NamedVariable[];
  /** Numbers of all parameters together. */
  readonly size: number;
}

export function flatLayout(parameters: readonly NamedVariable[]): FlatLayout {
  return { parameters, size: parameters.reduce((sum, { variable }) => sum + variable.size, 0) };
}

/**
 * One array for the exchange: every parameter's gradient (zeros where there is none), then for each parameter whether
 * this rank had a gradient, then `extra` numbers. One device read.
 */
export async function flatten(
  gradients: ReadonlyMap<string, tf.Tensor>,
  layout: FlatLayout,
  extra: readonly number[],
): Promise<Float32Array> {
  const present = layout.parameters.filter(({ name }) => gradients.has(name));
  const flat = tf.tidy(() => {
    const parts = present.map(({ name, variable }) =>
      (gradients.get(name) ?? tf.zerosLike(variable)).reshape([-1]).as1D(),
    );
    return parts.length === 0 ? tf.zeros([0]) : tf.concat(parts);
  });
  const values = await flat.data<'float32'>();
  flat.dispose();
  return spread(values, new Set(gradients.keys()), layout, extra);
}

/** The same from the gradients of `names` in one vector, in the layout's order. */
export function spread(
  values: Float32Array,
  names: ReadonlySet<string>,
  layout: FlatLayout,
  extra: readonly number[],
): Float32Array {
  const buffer = new Float32Array(layout.size + layout.parameters.length + extra.length);
  let read = 0;
  let place = 0;
  layout.parameters.forEach(({ name, variable }, i) => {
    if (names.has(name)) {
      buffer.set(values.subarray(read, read + variable.size), place);
      buffer[layout.size + i] = 1;
      read += variable.size;
    }
    place += variable.size;
  });
  buffer.set(extra, layout.size + layout.parameters.length);
  return buffer;
}

/**
 * The reduced gradients of `names` as one vector, the reverse of `spread`; undefined when there are gradients of other
 * parameters than those.
 */
export function gather(buffer: Float32Array, names: ReadonlySet<string>, layout: FlatLayout): Float32Array | undefined {
  const isPresent = (i: number): boolean => (buffer[layout.size + i] ?? 0) > 0;
  if (!layout.parameters.every(({ name }, i) => names.has(name) === isPresent(i))) return undefined;
  if (names.size === layout.parameters.length) return buffer.subarray(0, layout.size);
  const values = new Float32Array(
    layout.parameters.reduce((sum, { name, variable }) => sum + (names.has(name) ? variable.size : 0), 0),
  );
  let written = 0;
  let place = 0;
  for (const { name, variable } of layout.parameters) {
    if (names.has(name)) {
      values.set(buffer.subarray(place, place + variable.size), written);
      written += variable.size;
    }
    place += variable.size;
  }
  return values;
}

/** The reduced gradients back on the device, without parameters that no rank had a gradient for, and the extra numbers. */
export function unflatten(
  buffer: Float32Array,
  layout: FlatLayout,
): { readonly gradients: Map<string, tf.Tensor>; readonly extra: readonly number[] } {
  const gradients = new Map<string, tf.Tensor>();
  let place = 0;
  layout.parameters.forEach(({ name, variable }, i) => {
    if ((buffer[layout.size + i] ?? 0) > 0) {
      gradients.set(name, tf.tensor(buffer.slice(place, place + variable.size), variable.shape));
    }
    place += variable.size;
  });
  return { gradients, extra: [...buffer.subarray(layout.size + layout.parameters.length)] };
}
