import type * as tf from '@tensorflow/tfjs';
import {
  buildStepGraph,
  type Cell,
  type Constant,
  type ConstantValue,
  DataType,
  GraphSession,
  resourceKey,
  type StepGraph,
  type Value,
} from '../../backend/graph/index.ts';
import type { StepInput } from '../model/stepInputs.ts';
import { HeldState } from './heldState.ts';
import { handleOf, type TensorBackend } from './nativeTensors.ts';
import type { StepTrace } from './stepTrace.ts';

export interface CompiledStepOptions {
  readonly backend: TensorBackend;
  readonly trace: StepTrace;
  /**
   * Whether the graph keeps the variables that change, and updates them itself. Otherwise variables are fed and their
   * new values fetched, like the gradients.
   */
  readonly holdsState: boolean;
  /** Constants that the graph is fed with. */
  readonly varying: ReadonlySet<Constant>;
}

/** What a run is fed with. */
export interface StepFeed {
  /** Tensors of the batch by path. */
  readonly batch: ReadonlyMap<string, tf.Tensor>;
  /** Today's values of constants that vary. */
  readonly values: ReadonlyMap<Constant, ConstantValue> | undefined;
}

/** A recorded step as one TensorFlow graph. */
export class CompiledStep {
  readonly trace: StepTrace;
  readonly graph: StepGraph;
  /** Constants that the graph is fed with. */
  readonly varying: ReadonlySet<Constant>;
  readonly #backend: TensorBackend;
  readonly #session: GraphSession;
  readonly #held: HeldState | undefined;
  /** Feeds in order, each with what gives the handle. */
  readonly #feeds: readonly { readonly name: string; readonly handle: (feed: StepFeed) => number }[];
  readonly #feedNames: string;
  readonly #scalars: readonly StepInput[];
  readonly #pairs: readonly StepInput[];
  readonly #hostScalars: readonly Constant[];
  readonly #hostTensors = new Map<string, Constant>();
  /** Handles made for one run. */
  readonly #made: number[] = [];
  readonly #fetchNames = new Map<string, string>();

  /** Throws what TensorFlow says when it refuses the graph. */
  constructor(options: CompiledStepOptions) {
    const { backend, trace, holdsState, varying } = options;
    this.trace = trace;
    this.varying = varying;
    this.#backend = backend;
    const inputs = [...trace.inputs];
    const scalars = inputs.filter(([, { kind }]) => kind === 'scalar');
    const pairs = inputs.filter(([, { kind }]) => kind === 'pair');
    this.#scalars = scalars.map(([, input]) => input);
    this.#pairs = pairs.map(([, input]) => input);
    const fed = new Map([...varying].map((constant, i) => [constant, fedInput(constant, `host:${i}`)]));
    this.#hostScalars = [...varying].filter(isPacked);
    for (const [constant, { key }] of fed) if (!isPacked(constant)) this.#hostTensors.set(key, constant);
    const cells = holdsState ? cellsOf(backend, trace) : [];
    const cellKeys = new Set(cells.map(({ key }) => key));
    this.graph = buildStepGraph({
      operations: trace.operations,
      outputs: outputsOf(trace, holdsState),
      cells,
      assigns: [...trace.changes].flatMap(([cell, value]) => (cellKeys.has(cell) ? [{ cell, value }] : [])),
      fed,
      scalars: [
        ...scalars.map(([key]) => key),
        ...this.#hostScalars.flatMap((constant) => fed.get(constant)?.key ?? []),
      ],
      pairs: pairs.map(([key]) => key),
    });
    this.#feeds = [...this.graph.feeds].map(([key, name]) => ({ name, handle: this.#source(key) }));
    this.#feedNames = this.#feeds.map(({ name }) => name).join();
    this.#session = new GraphSession(backend.binding, this.graph.nodes);
    if (!holdsState) return;
    this.#held = new HeldState({
      backend,
      session: this.#session,
      graph: this.graph,
      variables: new Map([...trace.variables].filter(([key]) => cellKeys.has(key))),
      resources: trace.resources.filter(({ key }) => cellKeys.has(key)),
    });
  }

  /** Runs the graph; gives the tensors asked for, the caller's to dispose. With `updates` the state changes too. */
  run(feed: StepFeed, names: readonly string[], updates: boolean): tf.Tensor[] {
    this.#held?.take();
    const { binding } = this.#backend;
    const ids = this.#feeds.map(({ handle }) => handle(feed));
    const made = this.#made.splice(0);
    try {
      const results = this.#session.run(ids, this.#feedNames, this.#fetches(names, updates));
      if (updates) {
        const done = results.pop();
        if (done !== undefined) binding.deleteTensor(done.id);
      }
      return results.map((result) => this.#backend.createOutputTensor(result));
    } finally {
      for (const id of made) binding.deleteTensor(id);
    }
  }

  #fetches(names: readonly string[], updates: boolean): string {
    const key = `${updates}:${names}`;
    let text = this.#fetchNames.get(key);
    if (text === undefined) {
      const tensors = names.map((name) => this.graph.fetches.get(name) ?? '');
      text = [...tensors, ...(updates ? [this.graph.done] : [])].join();
      this.#fetchNames.set(key, text);
    }
    return text;
  }

  #source(key: string): (feed: StepFeed) => number {
    const backend = this.#backend;
    if (key === 'scalars') return ({ values }) => this.#keep(this.#scalarFeed(values));
    if (key === 'pairs') return () => this.#keep(this.#pairFeed());
    if (key.startsWith('batch:')) {
      const path = key.slice('batch:'.length);
      return ({ batch }) => handleOf(backend, tensorAt(batch, path));
    }
    const constant = this.#hostTensors.get(key);
    if (constant !== undefined)
      return ({ values }) => this.#keep(this.#hostFeed(values?.get(constant) ?? constant.value));
    const variable = this.trace.variables.get(key);
    if (variable !== undefined) return () => handleOf(backend, variable);
    // a tensor that somebody made before the step and that is still there
    const id = Number(key.slice('tensor:'.length));
    return () => id;
  }

  #keep(id: number): number {
    this.#made.push(id);
    return id;
  }

  #scalarFeed(host: StepFeed['values']): number {
    const count = this.#scalars.length;
    const values = new Float32Array(count + this.#hostScalars.length);
    this.#scalars.forEach(({ compute }, i) => {
      values[i] = Number(compute());
    });
    this.#hostScalars.forEach((constant, i) => {
      const { bytes } = host?.get(constant) ?? constant.value;
      values[count + i] = new Float32Array(bytes.buffer, bytes.byteOffset, 1)[0] ?? Number.NaN;
    });
    return this.#backend.binding.createTensor([values.length], this.#backend.getDTypeInteger('float32'), values);
  }

  #hostFeed({ dtype, shape, bytes }: ConstantValue): number {
    const { buffer, byteOffset, byteLength } = bytes;
    const values =
      dtype === DataType.float
        ? new Float32Array(buffer, byteOffset, byteLength / 4)
        : dtype === DataType.int32
          ? new Int32Array(buffer, byteOffset, byteLength / 4)
          : bytes;
    return this.#backend.binding.createTensor(shape, dtype, values);
  }

  #pairFeed(): number {
    const values = new Int32Array(this.#pairs.length * 2);
    this.#pairs.forEach(({ compute }, i) => {
      const pair = compute();
      if (typeof pair === 'object') values.set(pair, i * 2);
    });
    return this.#backend.binding.createTensor([this.#pairs.length, 2], this.#backend.getDTypeInteger('int32'), values);
  }

  /** Gives the state back and unloads the graph. */
  dispose(): void {
    this.#held?.giveBack();
    this.#session.dispose();
  }
}

/** Numbers of the host's travel together. */
export function isPacked({ value }: Constant): boolean {
  return value.dtype === DataType.float && value.shape.length === 0;
}

function fedInput({ value }: Constant, key: string) {
  return { kind: 'input', key, dtype: value.dtype, shape: value.shape } as const;
}

function tensorAt(batch: StepFeed['batch'], path: string): tf.Tensor {
  const tensor = batch.get(path);
  if (tensor === undefined) throw new Error(`Internal error: the batch has no tensor '${path}'`);
  return tensor;
}

function outputsOf(trace: StepTrace, holdsState: boolean): Record<string, Value> {
  const outputs: Record<string, Value> = { loss: trace.loss };
  for (const [name, value] of trace.outputs) outputs[name] = value;
  for (const [name, { value }] of trace.logged) if (typeof value !== 'number') outputs[`log:${name}`] = value;
  if (holdsState) return outputs;
  for (const [name, value] of trace.gradients) outputs[`gradient:${name}`] = value;
  for (const [key, value] of trace.changes) outputs[`change:${key}`] = value;
  return outputs;
}

/** Every variable that the step reads or changes, and every one of TensorFlow's own that its update works on. */
function cellsOf(backend: TensorBackend, trace: StepTrace): Cell[] {
  const used = new Set([...trace.changes.keys()]);
  for (const { inputs } of trace.operations)
    for (const input of inputs) if (input.kind === 'input') used.add(input.key);
  const cells = new Map<string, Cell>();
  for (const [key, variable] of trace.variables)
    if (used.has(key) || used.has(resourceKey(key)))
      cells.set(key, { key, dtype: backend.getDTypeInteger(variable.dtype), shape: variable.shape });
  for (const { key, resource } of trace.resources)
    if (used.has(resourceKey(key)) && !cells.has(key))
      cells.set(key, { key, dtype: backend.getDTypeInteger('float32'), shape: resource.resource.shape });
  return [...cells.values()];
}
