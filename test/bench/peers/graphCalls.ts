import * as tf from '@tensorflow/tfjs';
import { type NativeBinding, nativeBinding } from '../../../engine/backend/index.ts';

type Call = Parameters<NativeBinding['runSavedModel']>;

/** Keeps the newest call of a loaded graph, the tensors that it is fed included, to make it again. */
export class GraphCalls {
  readonly #binding: NativeBinding;
  #newest: Call | undefined;
  /** Of its tensors those that the training is done with. */
  readonly #released = new Set<number>();

  constructor() {
    const binding = nativeBinding(tf);
    this.#binding = binding;
    const front: NativeBinding = Object.create(binding, {
      runSavedModel: {
        value: (...call: Call) => {
          this.#keep(call);
          return binding.runSavedModel(...call);
        },
      },
      deleteTensor: {
        value: (id: number) => {
          if (this.#newest?.[1].includes(id) === true) this.#released.add(id);
          else binding.deleteTensor(id);
        },
      },
    });
    Reflect.set(tf.backend(), 'binding', front);
  }

  #keep(call: Call): void {
    for (const id of this.#released) this.#binding.deleteTensor(id);
    this.#released.clear();
    this.#newest = call;
  }

  /** The newest call so many times and nothing else. */
  repeat(times: number): void {
    if (this.#newest === undefined) throw new Error('no graph was run');
    for (let i = 0; i < times; i++)
      for (const { id } of this.#binding.runSavedModel(...this.#newest)) this.#binding.deleteTensor(id);
  }
}
