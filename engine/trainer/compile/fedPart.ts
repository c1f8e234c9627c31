import type * as tf from '@tensorflow/tfjs';
import {
  type Constant,
  type ConstantValue,
  DataType,
  deleteResult,
  type FedValue,
  type HostValue,
  type LateFailure,
  type PartGraph,
  type QueuedSession,
  type Session,
} from '../../backend/graph/index.ts';
import type { MetricValue } from '../logging/metricLog.ts';
import type { StepInput } from '../model/stepInputs.ts';
import { fedValueOf, handleOf, metricOf, type TensorBackend, tensorOf } from './nativeTensors.ts';
import type { StepTrace } from './stepTrace.ts';

const batchKey = 'batch:';

/** What a run is fed with. */
export interface StepFeed {
  /** Tensors of the batch by path. */
  readonly batch?: ReadonlyMap<string, tf.Tensor>;
  /** Today's values of constants that vary. */
  readonly values?: ReadonlyMap<Constant, ConstantValue> | undefined;
  /** Gradients, by input key. */
  readonly tensors?: ReadonlyMap<string, tf.Tensor>;
}

export interface FedPartOptions {
  readonly backend: TensorBackend;
  readonly session: Session;
  readonly trace: StepTrace;
  readonly graph: PartGraph;
  readonly fed: ReadonlyMap<Constant, { readonly key: string }>;
  /** In the order of the packed vector: the keys of step inputs, and constants that vary. */
  readonly scalars: readonly (string | Constant)[];
  readonly pairs: readonly string[];
}

/** One part of a step's graph with what it is fed with at each run. */
export class FedPart {
  readonly #options: FedPartOptions;
  readonly #all: Feeds;
  /** What is needed where there are no sums of earlier micro-steps. */
  readonly #withoutSums: Feeds;
  readonly #fetchNames = new Map<string, string>();
  readonly #scalars: readonly (StepInput | Constant)[];
  readonly #scalarShape: readonly number[];
  /**
   * Filled anew for each run. Not where there is one number alone, since what TensorFlow takes out of a row of one may
   * go on lying in the row's memory after the run.
   */
  readonly #scalarValues: Float32Array | undefined;
  readonly #pairs: readonly StepInput[];

  constructor(options: FedPartOptions) {
    const { trace, graph, scalars, pairs } = options;
    this.#options = options;
    const inputOf = (key: string): StepInput[] => {
      const input = trace.inputs.get(key);
      return input === undefined ? [] : [input];
    };
    this.#scalars = scalars.flatMap((item): (StepInput | Constant)[] =>
      typeof item === 'string' ? inputOf(item) : [item],
    );
    this.#scalarShape = [this.#scalars.length];
    this.#scalarValues = this.#scalars.length > 1 ? new Float32Array(this.#scalars.length) : undefined;
    this.#pairs = pairs.flatMap(inputOf);
    const feeds = [...graph.feeds].map(([key, name]) => ({ key, name, source: this.#source(key) }));
    this.#all = feedsOf(feeds);
    this.#withoutSums = feedsOf(feeds.filter(({ key }) => !key.startsWith('sum:')));
  }

  /** Gives the tensors asked for, the caller's to dispose. With `updates` the state changes too. */
  run(feed: StepFeed, names: readonly string[], updates: boolean): tf.Tensor[] {
    const { backend, session } = this.#options;
    const { inputs, feeds } = this.#inputs(feed);
    const results = session.run(inputs, feeds, this.#fetches(names, updates));
    if (updates) deleteResult(backend.binding, results.pop());
    return results.map((result) => tensorOf(backend, result));
  }

  /** Changes the state soon; what is asked for is to be taken later. See `QueuedSession.start`. */
  start(session: QueuedSession, feed: StepFeed, names: readonly string[]): number {
    const { inputs, feeds } = this.#inputs(feed);
    return session.start(inputs, feeds, this.#fetches(names, true), names.length > 0);
  }

  /** What was asked for, tensors the caller's to dispose: see `QueuedSession.takeOutputs`. */
  takeOutputs(session: QueuedSession, ticket: number): MetricValue[] | undefined {
    const { backend } = this.#options;
    const results = session.takeOutputs(ticket);
    deleteResult(backend.binding, results?.pop());
    return results?.map((result) => metricOf(backend, result));
  }

  /** The tensors of the batch by path that a failed run was fed with, the caller's to dispose. */
  batchOf({ feeds, inputs }: LateFailure): Map<string, tf.Tensor> {
    const { backend, graph } = this.#options;
    const names = feeds.split(',');
    const found = new Map<string, tf.Tensor>();
    inputs.forEach((input, i) => {
      const [key = ''] = [...graph.feeds].find(([, name]) => name === names[i]) ?? [];
      if (key.startsWith(batchKey)) found.set(key.slice(batchKey.length), backend.createOutputTensor(input));
      else backend.binding.deleteTensor(input.id);
    });
    return found;
  }

  #inputs(feed: StepFeed): { readonly inputs: readonly FedValue[]; readonly feeds: string } {
    const { sources, names } = feed.tensors === undefined ? this.#withoutSums : this.#all;
    return { inputs: sources.map((source) => source(feed)), feeds: names };
  }

  #fetches(names: readonly string[], updates: boolean): string {
    const key = `${updates}:${names}`;
    let text = this.#fetchNames.get(key);
    if (text === undefined) {
      const { fetches, done } = this.#options.graph;
      text = [...names.map((name) => fetches.get(name) ?? ''), ...(updates ? [done] : [])].join();
      this.#fetchNames.set(key, text);
    }
    return text;
  }

  #source(key: string): (feed: StepFeed) => FedValue {
    const { backend, session, trace, fed } = this.#options;
    if (key === 'scalars') return ({ values }) => this.#scalarFeed(values);
    if (key === 'pairs') return () => this.#pairFeed();
    if (key.startsWith(batchKey)) {
      const path = key.slice(batchKey.length);
      return ({ batch }) => fedValueOf(backend, session, given(batch, path));
    }
    const constant = [...fed].find(([, input]) => input.key === key)?.[0];
    if (constant !== undefined) return ({ values }) => hostFeed(values?.get(constant) ?? constant.value);
    const variable = trace.variables.get(key);
    if (variable !== undefined) return () => handleOf(backend, variable);
    if (!key.startsWith('tensor:')) return ({ tensors }) => handleOf(backend, given(tensors, key));
    // a tensor that somebody made before the step and that is still there
    const id = Number(key.slice('tensor:'.length));
    return () => id;
  }

  #scalarFeed(host: StepFeed['values']): HostValue {
    const values = this.#scalarValues ?? new Float32Array(this.#scalars.length);
    for (let i = 0; i < values.length; i++) {
      const item = this.#scalars[i];
      if (item === undefined) continue;
      values[i] = item.kind === 'constant' ? firstFloat(host?.get(item) ?? item.value) : Number(item.compute());
    }
    return { shape: this.#scalarShape, dtype: DataType.float, values };
  }

  #pairFeed(): HostValue {
    const values = new Int32Array(this.#pairs.length * 2);
    this.#pairs.forEach(({ compute }, i) => {
      const pair = compute();
      if (typeof pair === 'object') values.set(pair, i * 2);
    });
    return { shape: [this.#pairs.length, 2], dtype: DataType.int32, values };
  }
}

function hostFeed({ dtype, shape, bytes }: ConstantValue): HostValue {
  const { buffer, byteOffset, byteLength } = bytes;
  if (dtype === DataType.float) return { shape, dtype, values: new Float32Array(buffer, byteOffset, byteLength / 4) };
  if (dtype === DataType.int32) return { shape, dtype, values: new Int32Array(buffer, byteOffset, byteLength / 4) };
  return { shape, dtype, values: bytes };
}

/** Each source gives what is fed, in the order of the names. */
interface Feeds {
  readonly sources: readonly ((feed: StepFeed) => FedValue)[];
  readonly names: string;
}

function feedsOf(feeds: readonly { readonly name: string; readonly source: Feeds['sources'][number] }[]): Feeds {
  return { sources: feeds.map(({ source }) => source), names: feeds.map(({ name }) => name).join() };
}

/** Whether a number of the host's travels with others. */
export function isPacked({ value }: Constant): boolean {
  return value.dtype === DataType.float && value.shape.length === 0;
}

export function fedInput({ value }: Constant, index: number) {
  return { kind: 'input', key: `host:${index}`, dtype: value.dtype, shape: value.shape } as const;
}

function firstFloat({ bytes }: ConstantValue): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getFloat32(0, true);
}

function given(tensors: ReadonlyMap<string, tf.Tensor> | undefined, key: string): tf.Tensor {
  const tensor = tensors?.get(key);
  if (tensor === undefined) throw new Error(`Internal error: the graph is not given '${key}'`);
  return tensor;
}
