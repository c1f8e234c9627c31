import * as tf from '@tensorflow/tfjs';

/**
 * Lets a hook keep tensors the way PyTorch code does, by assigning them to fields: what a hook leaves in the owner's
 * fields (or in plain objects and lists there) survives the step that made it; when it is replaced, it is freed.
 */
export class FieldKeeper {
  readonly #owner: object;
  #kept = new Set<tf.Tensor>();

  constructor(owner: object) {
    this.#owner = owner;
  }

  /** Call at the end of a hook, inside the scope that its tensors belong to. */
  keep(): void {
    const found = new Set<tf.Tensor>();
    for (const value of Object.values(this.#owner)) collect(value, found, 2);
    for (const tensor of found) {
      if (this.#kept.has(tensor) || tensor.isDisposed || tensor.kept) found.delete(tensor);
      else tf.keep(tensor);
    }
    if (found.size === 0 && this.#kept.size === 0) return;
    const still = new Set<tf.Tensor>();
    for (const value of Object.values(this.#owner)) collect(value, still, 2);
    for (const tensor of this.#kept) {
      if (still.has(tensor)) found.add(tensor);
      else if (!tensor.isDisposed) tensor.dispose();
    }
    this.#kept = found;
  }

  dispose(): void {
    for (const tensor of this.#kept) if (!tensor.isDisposed) tensor.dispose();
    this.#kept.clear();
  }
}

function collect(value: unknown, into: Set<tf.Tensor>, depth: number): void {
  if (typeof value !== 'object' || value === null) return;
  if (value instanceof tf.Tensor) {
    if (!(value instanceof tf.Variable)) into.add(value);
    return;
  }
  if (depth === 0) return;
  if (Array.isArray(value)) {
    if (value.length <= 1000) for (const item of value) collect(item, into, depth - 1);
    return;
  }
  if (Object.getPrototypeOf(value) === Object.prototype)
    for (const item of Object.values(value)) collect(item, into, depth - 1);
}
