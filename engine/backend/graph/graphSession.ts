import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runsGraphsElsewhere } from '../graphThread.ts';
import type { NativeBinding, NativeTensor } from '../nativeBinding.ts';
import { encodeSavedModel, type GraphNode } from './graphDef.ts';
import type { FedValue, Session } from './session.ts';

/** A graph that the binding runs, on the thread that calls it. */
export class GraphSession implements Session {
  readonly takesHostValues = false;
  readonly #binding: NativeBinding;
  readonly #id: number;
  // looked up once: a variable of the environment takes longer to read than a small graph's operation to run
  readonly #runsElsewhere = runsGraphsElsewhere();
  #isDisposed = false;

  /** Throws with TensorFlow's own message when it refuses the graph. */
  constructor(binding: NativeBinding, nodes: readonly GraphNode[]) {
    this.#binding = binding;
    const folder = mkdtempSync(join(tmpdir(), 'accelhydra-graph-'));
    try {
      writeFileSync(join(folder, 'saved_model.pb'), encodeSavedModel(nodes));
      this.#id = binding.loadSavedModel(folder, 'serve');
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  run(inputs: readonly FedValue[], feeds: string, fetches: string): NativeTensor[] {
    const made: number[] = [];
    try {
      const ids = inputs.map((input) => {
        if (typeof input === 'number') return input;
        const id = this.#binding.createTensor(input.shape, input.dtype, input.values);
        made.push(id);
        return id;
      });
      return this.#runOn(ids, feeds, fetches);
    } finally {
      for (const id of made) this.#binding.deleteTensor(id);
    }
  }

  #runOn(inputs: readonly number[], feeds: string, fetches: string): NativeTensor[] {
    if (!this.#runsElsewhere) return this.#binding.runSavedModel(this.#id, inputs, feeds, fetches);
    const copies = inputs.flatMap((id) => this.#binding.executeOp('DeepCopy', [], [id], 1)).map(({ id }) => id);
    try {
      return this.#binding.runSavedModel(this.#id, copies, feeds, fetches);
    } finally {
      for (const id of copies) this.#binding.deleteTensor(id);
    }
  }

  dispose(): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.#binding.deleteSavedModel(this.#id);
  }
}
