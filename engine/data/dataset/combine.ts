import { EngineError } from '../../api/errors.ts';
import { Dataset, givesBatches, isMapDataset, type MapDataset, sampleToStack } from './dataset.ts';
import type { PassKey } from './passKey.ts';
import type { SampleContext } from './sampleContext.ts';

export interface ListDatasetOptions {
  readonly samples: readonly unknown[];
}

/** Samples that are already in memory. */
export class ListDataset extends Dataset {
  readonly samples: readonly unknown[];

  constructor(options: ListDatasetOptions) {
    super();
    this.samples = options.samples;
  }

  get length(): number {
    return this.samples.length;
  }

  get(index: number): unknown {
    this.checkIndex(index);
    return this.samples[index];
  }
}

export interface SubsetOptions {
  readonly dataset: MapDataset;
  /** Which samples, in this order; or a range by `start` and `end` (excluded). */
  readonly indices?: readonly number[];
  readonly start?: number;
  readonly end?: number;
}

/** Chosen samples of another dataset (torch.utils.data.Subset, or a range). */
export class Subset extends Dataset {
  readonly dataset: MapDataset;
  readonly #indices: ArrayLike<number>;

  constructor(options: SubsetOptions) {
    super();
    this.dataset = options.dataset;
    const { start = 0, end = options.dataset.length } = options;
    const stop = Math.min(end, options.dataset.length);
    this.#indices = options.indices ?? Int32Array.from({ length: Math.max(0, stop - start) }, (_, i) => start + i);
  }

  get length(): number {
    return this.#indices.length;
  }

  /** Those of the chosen samples, for samplers that go by length; undefined where the dataset has none. */
  get durations(): readonly number[] | undefined {
    const all = durationsOf(this.dataset);
    return all && Array.from(this.#indices, (index) => all[index] ?? Number.NaN);
  }

  get(index: number, context?: SampleContext): unknown {
    this.checkIndex(index);
    return this.dataset.get(this.#indices[index] ?? 0, context);
  }

  getToStack(index: number, context?: SampleContext): unknown {
    this.checkIndex(index);
    return sampleToStack(this.dataset, this.#indices[index] ?? 0, context);
  }

  /** Undefined where the dataset inside has none. */
  get getBatch(): ((indices: readonly number[], key: PassKey) => unknown) | undefined {
    if (!givesBatches(this.dataset)) return undefined;
    return (indices, key) =>
      this.dataset.getBatch?.(
        indices.map((index) => this.#indices[index] ?? 0),
        key,
      );
  }
}

/** Where one of several joined datasets lies. */
export interface TaskRange {
  readonly task: string;
  readonly start: number;
  readonly length: number;
}

export interface ConcatDatasetOptions {
  /** A list, or a mapping from task name to dataset. */
  readonly datasets: readonly MapDataset[] | Readonly<Record<string, MapDataset>>;
}

/** Datasets one after the other; `tasks` says where each lies, for samplers that take turns between them. */
export class ConcatDataset extends Dataset {
  readonly tasks: readonly TaskRange[];
  readonly length: number;
  readonly #parts: readonly MapDataset[];

  constructor(options: ConcatDatasetOptions) {
    super();
    const named: [string, MapDataset][] = [];
    if (isDatasetList(options.datasets)) {
      options.datasets.forEach((dataset, i) => {
        named.push([String(i), dataset]);
      });
    } else {
      named.push(...Object.entries(options.datasets));
    }
    const tasks: TaskRange[] = [];
    let start = 0;
    for (const [task, dataset] of named) {
      if (!isMapDataset(dataset)) {
        throw new EngineError('data.dataset', `ConcatDataset: '${task}' is no dataset with length and get(index).`, {
          task,
        });
      }
      tasks.push({ task, start, length: dataset.length });
      start += dataset.length;
    }
    this.#parts = named.map(([, dataset]) => dataset);
    this.tasks = tasks;
    this.length = start;
  }

  /** Those of all samples, for samplers that go by length; undefined unless every dataset has them. */
  get durations(): readonly number[] | undefined {
    const all: number[] = [];
    for (const part of this.#parts) {
      const own = durationsOf(part);
      if (own === undefined) return undefined;
      for (let index = 0; index < own.length; index++) all.push(own[index] ?? Number.NaN);
    }
    return all;
  }

  get(index: number, context?: SampleContext): unknown {
    const [part, own] = this.#find(index);
    return part?.get(own, context);
  }

  getToStack(index: number, context?: SampleContext): unknown {
    const [part, own] = this.#find(index);
    return part && sampleToStack(part, own, context);
  }

  /** The dataset that has this sample, and the sample's number there. */
  #find(index: number): readonly [MapDataset | undefined, number] {
    this.checkIndex(index);
    let part = 0;
    while (index >= (this.tasks[part]?.start ?? 0) + (this.tasks[part]?.length ?? 0)) part++;
    return [this.#parts[part], index - (this.tasks[part]?.start ?? 0)];
  }
}

function durationsOf(dataset: MapDataset): ArrayLike<number> | undefined {
  const durations: unknown = Reflect.get(dataset, 'durations');
  return isNumbers(durations) && durations.length === dataset.length ? durations : undefined;
}

function isNumbers(value: unknown): value is ArrayLike<number> {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
}

function isDatasetList(value: ConcatDatasetOptions['datasets']): value is readonly MapDataset[] {
  return Array.isArray(value);
}
