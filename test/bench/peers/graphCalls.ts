import * as tf from '@tensorflow/tfjs';
import { type NativeBinding, nativeBinding } from '../../../engine/backend/index.ts';

type Call = Parameters<NativeBinding['runSavedModel']>;

/**
 * Keeps the newest calls of a training's steps, one for each batch of the data, with the tensors that they are fed, to make
 * them again: one batch alone would stay in the processor's cache, which a training's do not. Calls that are fed with
 * nothing are no steps, they look at a weight. Once settled it only lets the training's calls through.
 */
export class GraphCalls {
  readonly #binding: NativeBinding;
  readonly #count: number;
  readonly #newest: Call[] = [];
  #settled: ReadonlySet<number> | undefined;
  /** Of their tensors those that the training is done with. */
  readonly #released = new Set<number>();

  constructor(count: number) {
    this.#count = count;
    const binding = nativeBinding(tf);
    this.#binding = binding;
    const front: NativeBinding = Object.create(binding, {
      runSavedModel: {
        value: (...call: Call) => {
          if (this.#settled === undefined && call[1].length > 0) this.#keep(call);
          return binding.runSavedModel(...call);
        },
      },
      deleteTensor: {
        value: (id: number) => {
          if (this.#isFed(id)) this.#released.add(id);
          else binding.deleteTensor(id);
        },
      },
    });
    Reflect.set(tf.backend(), 'binding', front);
  }

  /** The calls so far are what is repeated from now on. Throws when they are not all calls of the same kind. */
  settle(): void {
    const kinds = new Set(this.#newest.map(([, , feeds, fetches]) => `${feeds} -> ${fetches}`));
    if (kinds.size !== 1 || this.#newest.length < this.#count)
      throw new Error(`${this.#newest.length} calls of ${kinds.size} kinds were kept: ${[...kinds].join('; ')}`);
    this.#settled ??= new Set(this.#newest.flatMap(([, inputs]) => inputs));
  }

  #isFed(id: number): boolean {
    if (this.#settled !== undefined) return this.#settled.has(id);
    return this.#newest.some(([, inputs]) => inputs.includes(id));
  }

  #keep(call: Call): void {
    this.#newest.push(call);
    if (this.#newest.length <= this.#count) return;
    this.#newest.shift();
    for (const id of this.#released) {
      if (this.#isFed(id)) continue;
      this.#released.delete(id);
      this.#binding.deleteTensor(id);
    }
  }

  /** So many calls and nothing else. */
  repeat(times: number): void {
    for (let i = 0; i < times; i++) this.once(i);
  }

  /** The call that the step of this number makes. */
  once(step: number): void {
    const call = this.#newest[step % this.#count];
    if (call === undefined) throw new Error('the calls are not settled');
    for (const { id } of this.#binding.runSavedModel(...call)) this.#binding.deleteTensor(id);
  }
}
