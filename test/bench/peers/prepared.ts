import { Dataset, type HostTensor } from '../../../engine/index.ts';
import type { TaskData } from './tasks.ts';

/** Data in memory, a whole batch at once: what feeding costs is the trainer's, not the data set's. In order only. */
export class Prepared extends Dataset<readonly [HostTensor, HostTensor]> {
  readonly length: number;
  readonly #data: TaskData;
  readonly #rows: number;

  /** A pass goes through the data `repeats` times. */
  constructor(data: TaskData, repeats = 1) {
    super();
    this.#data = data;
    this.#rows = data.labels.length / sizeOf(data.labelShape);
    this.length = this.#rows * repeats;
  }

  get(index: number): readonly [HostTensor, HostTensor] {
    const [inputs, labels] = this.getBatch([index]);
    return [
      { data: inputs.data, shape: inputs.shape.slice(1) },
      { data: labels.data, shape: labels.shape.slice(1) },
    ];
  }

  getBatch(indices: readonly number[]): readonly [HostTensor, HostTensor] {
    const { inputs, inputShape, labels, labelShape } = this.#data;
    const from = (indices[0] ?? 0) % this.#rows;
    const part = <T extends Float32Array | Int32Array>(values: T, shape: readonly number[]) => {
      const size = sizeOf(shape);
      return { data: values.subarray(from * size, (from + indices.length) * size), shape: [indices.length, ...shape] };
    };
    return [part(inputs, inputShape), part(labels, labelShape)];
  }
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}
