import type { LoaderPass, PassOptions } from '../../../engine/data/index.ts';
import { DataLoader, type Module } from '../../../engine/index.ts';
import type { Slices } from './slicedTrainer.ts';

/** Cuts a training into slices between two of its steps, whatever its epochs: as long as those of real data. */
export class SlicedLoader extends DataLoader {
  readonly #steps: number;
  readonly #slices: Slices;
  readonly #model: Module;
  #step = 0;

  constructor(options: ConstructorParameters<typeof DataLoader>[0], steps: number, slices: Slices, model: Module) {
    super(options);
    this.#steps = steps;
    this.#slices = slices;
    this.#model = model;
  }

  /** Steps that were started belong to their slice: who looks at a weight waits for them. */
  #settle(): void {
    this.#model.namedParameters()[0]?.variable.dataSync();
  }

  override pass(options: PassOptions): LoaderPass {
    const batches = super.pass(options);
    const sliced: LoaderPass = {
      [Symbol.asyncIterator]: () => sliced,
      take: () => {
        const batch = this.#step % this.#steps === 0 ? undefined : batches.take?.();
        if (batch !== undefined) this.#step++;
        return batch;
      },
      next: async () => {
        if (this.#step % this.#steps === 0) {
          if (this.#step > 0) {
            this.#settle();
            await this.#slices.end();
          }
          await this.#slices.begin(this.#step / this.#steps);
        }
        this.#step++;
        return batches.next();
      },
      return: async () => (await batches.return?.()) ?? { done: true, value: undefined },
    };
    return sliced;
  }
}
