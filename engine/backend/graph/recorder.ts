import type { NativeAttribute, NativeBinding, NativeTensor } from '../nativeBinding.ts';
import { DataType } from './graphDef.ts';
import {
  type Constant,
  type Input,
  type Obstacle,
  type Operation,
  type Recording,
  stackDepth,
  type Value,
} from './recording.ts';

/** What the tensor API's native backend shows; `binding` is an ordinary field, so another object can stand in for it. */
export interface RecordableBackend {
  binding: NativeBinding;
  write(values: unknown, shape: readonly number[], dtype: string): object;
  readonly tensorMap: { get(dataId: object): { readonly id: number } | undefined };
}

export interface RecorderOptions {
  /** The key of a tensor that was there before the recording; tensors that nobody knows are named by their handle. */
  readonly identify: (id: number) => string | undefined;
}

/** Operations whose result is not decided by their inputs: a graph would draw other numbers than eager code. */
const drawsByItself = new Set([
  'RandomUniform',
  'RandomUniformInt',
  'RandomStandardNormal',
  'TruncatedNormal',
  'RandomShuffle',
  'RandomGamma',
  'RandomPoissonV2',
  'Multinomial',
]);

/** Operations whose result has another shape for other values: what JavaScript did with the shape would not be done again. */
const shapedByValues = new Set([
  'UniqueV2',
  'Where',
  'NonMaxSuppressionV3',
  'NonMaxSuppressionV4',
  'NonMaxSuppressionV5',
]);

/**
 * Writes down every operation that the native backend runs, while it runs. Operations that write TensorFlow's own
 * variables are written down only: a recording changes nothing.
 */
export class Recorder {
  readonly #backend: RecordableBackend;
  readonly #binding: NativeBinding;
  readonly #options: RecorderOptions;
  readonly #values = new Map<number, Value>();
  readonly #operations: Operation[] = [];
  readonly #made = new Map<unknown, Error>();
  readonly #standIns = new Map<number, number>();
  #obstacle: Obstacle | undefined;

  constructor(backend: RecordableBackend, options: RecorderOptions) {
    this.#backend = backend;
    this.#binding = backend.binding;
    this.#options = options;
  }

  /** Says what a tensor stands for, for one that was there before or that is to vary from step to step. */
  declare(id: number, input: Omit<Input, 'kind'>): void {
    this.#values.set(id, { kind: 'input', ...input });
  }

  /** Says that a tensor is the handle of a variable inside TensorFlow; reads of it give `standIn`'s value meanwhile. */
  declareHandle(id: number, input: Omit<Input, 'kind' | 'dtype'>, standIn: number): void {
    this.#values.set(id, { kind: 'input', dtype: DataType.resource, ...input });
    this.#standIns.set(id, standIn);
  }

  /** Where a tensor came from. */
  valueOf(id: number): Value {
    return this.#values.get(id) ?? this.#captured(id);
  }

  /** The first reason counts. */
  refuse(reason: string, at?: Error): void {
    this.#obstacle ??= { reason, at };
  }

  /** Runs `work` with this recorder between the backend and TensorFlow. */
  record<T>(work: () => T): T {
    const backend = this.#backend;
    const write = backend.write;
    const front: NativeBinding = Object.create(this.#binding, {
      executeOp: { value: this.#executeOp },
      createTensor: { value: this.#createTensor },
      tensorDataSync: { value: this.#tensorDataSync },
    });
    backend.binding = front;
    backend.write = (values, shape, dtype) => {
      this.#made.set(values, new Error('made here'));
      return write.call(backend, values, shape, dtype);
    };
    // the user's line lies below many of the tensor API's
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = stackDepth;
    try {
      return work();
    } finally {
      Error.stackTraceLimit = limit;
      backend.binding = this.#binding;
      // the method of the prototype again
      Reflect.deleteProperty(backend, 'write');
    }
  }

  finish(): Recording {
    return { operations: this.#operations, obstacle: this.#obstacle };
  }

  readonly #executeOp = (
    name: string,
    attributes: readonly NativeAttribute[],
    inputs: readonly number[],
    count: number,
  ): NativeTensor[] => {
    const calledAt = new Error('called here');
    const values = inputs.map((id) => this.#values.get(id) ?? this.#captured(id));
    if (drawsByItself.has(name))
      this.refuse(`${name} draws random numbers of its own; use a layer of accelhydra-studio`, calledAt);
    if (shapedByValues.has(name))
      this.refuse(`${name} gives as many elements as its values have it, and a graph is made for one shape`, calledAt);
    const writes = values.some((value) => value.kind === 'input' && value.dtype === DataType.resource) && count === 0;
    const results = writes ? [] : this.#run(name, attributes, inputs, count);
    const operation: Operation = {
      order: this.#operations.length,
      name,
      attributes: attributes.map((attribute) => ({ ...attribute })),
      inputs: values,
      outputs: results.map(({ dtype, shape }) => ({ dtype, shape })),
      calledAt,
    };
    this.#operations.push(operation);
    results.forEach(({ id }, index) => {
      this.#values.set(id, { kind: 'output', operation, index });
    });
    return results;
  };

  #run(name: string, attributes: readonly NativeAttribute[], inputs: readonly number[], count: number): NativeTensor[] {
    const standIn = name === 'ReadVariableOp' ? this.#standIns.get(inputs[0] ?? -1) : undefined;
    if (standIn === undefined) return this.#binding.executeOp(name, attributes, inputs, count);
    return this.#binding.executeOp('Identity', [], [standIn], 1);
  }

  readonly #createTensor = (shape: readonly number[], dtype: number, values: ArrayLike<unknown>): number => {
    const id = this.#binding.createTensor(shape, dtype, values);
    const madeAt = this.#made.get(values);
    // made before the recording, used for the first time now
    if (madeAt === undefined && dtype !== DataType.int64) return id;
    if (!ArrayBuffer.isView(values)) {
      this.refuse('it makes text tensors, which graphs are not written with', madeAt);
      return id;
    }
    // copied: the array may be written to again
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength).slice();
    const constant: Constant = {
      kind: 'constant',
      value: { dtype, shape: [...shape], bytes },
      madeAt,
      order: this.#operations.length,
    };
    this.#values.set(id, constant);
    return id;
  };

  readonly #tensorDataSync = (id: number) => {
    this.refuse('it reads a value back from the device, which a graph cannot wait for', new Error('read here'));
    return this.#binding.tensorDataSync(id);
  };

  #captured(id: number): Value {
    // the binding has no way to ask for a tensor's type; an alias of it comes with the answer
    const [alias] = this.#binding.executeOp('Identity', [], [id], 1);
    if (alias === undefined) throw new Error('Internal error: TensorFlow gave no alias');
    this.#binding.deleteTensor(alias.id);
    const value: Input = {
      kind: 'input',
      key: this.#options.identify(id) ?? `tensor:${id}`,
      dtype: alias.dtype,
      shape: alias.shape,
    };
    this.#values.set(id, value);
    return value;
  }
}
