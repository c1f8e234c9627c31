import * as tf from '@tensorflow/tfjs';
import { trainerParts } from '../settings.ts';

/** What every trainer has, none of it a hook's: not looked into after each step. */
const ofTrainer: ReadonlySet<string> = new Set(['settings', ...trainerParts]);

/**
 * Lets a hook keep tensors the way PyTorch code does, by assigning them to fields: what a hook leaves in the owner's
 * fields (or in plain objects and lists there) survives the step that made it; when it is replaced, it is freed.
 */
export class FieldKeeper {
  readonly #owner: Readonly<Record<string, unknown>>;
  /** All fields of the owner, and those that are hooks'. */
  #fields: readonly string[] = [];
  #hookFields: readonly string[] = [];
  #kept: ReadonlySet<tf.Tensor> = new Set();

  constructor(owner: object) {
    this.#owner = owner as Readonly<Record<string, unknown>>;
  }

  /** Call at the end of a hook, inside the scope that its tensors belong to. */
  keep(): void {
    this.#look();
    if (this.#hookFields.length === 0 && this.#kept.size === 0) return;
    const found = this.#found();
    for (const tensor of found) {
      if (this.#kept.has(tensor)) continue;
      // what somebody else keeps is not ours to free
      if (tensor.isDisposed || tensor.kept) found.delete(tensor);
      else tf.keep(tensor);
    }
    for (const tensor of this.#kept) if (!found.has(tensor) && !tensor.isDisposed) tensor.dispose();
    this.#kept = found;
  }

  /** Most steps add no field: comparing the names is all that they pay for. */
  #look(): void {
    const fields = Object.keys(this.#owner);
    if (fields.length === this.#fields.length && fields.every((name, i) => name === this.#fields[i])) return;
    this.#fields = fields;
    this.#hookFields = fields.filter((name) => !ofTrainer.has(name));
  }

  #found(): Set<tf.Tensor> {
    const found = new Set<tf.Tensor>();
    for (const name of this.#hookFields) collect(this.#owner[name], found, 2);
    return found;
  }

  dispose(): void {
    for (const tensor of this.#kept) if (!tensor.isDisposed) tensor.dispose();
    this.#kept = new Set();
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
