import type { NativeAttribute, NativeBinding, NativeTensor } from '../nativeBinding.ts';
import type { ConstantValue } from './graphDef.ts';
import type { RecordableBackend } from './recorder.ts';
import {
  type Constant,
  differingAttribute,
  type Operation,
  otherOperations,
  sameConstant,
  stackDepth,
  type Value,
} from './recording.ts';

export interface ReplayOptions {
  /** The operations that the work is to ask for, in order. */
  readonly operations: readonly Operation[];
  /** Constants of the recording whose values may be others now. */
  readonly varying: ReadonlySet<Constant>;
  /** The key of a tensor that was there before. */
  readonly identify: (id: number) => string | undefined;
}

/** The work does not ask for what was recorded; the message says how, as an obstacle's reason, and the stack where. */
export class Mismatch extends Error {
  constructor(reason: string) {
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = stackDepth;
    super(reason);
    Error.stackTraceLimit = limit;
  }
}

/** What a tensor stands for while its recording is replayed; a constant has its value of today. */
type Known = Value | { readonly kind: 'made'; readonly value: ConstantValue };

/** Handles below the binding's own: -1 means "none yet" to the tensor API. */
const firstHandle = -2;

/**
 * Runs a step's JavaScript beside a recording of it: every call of TensorFlow is compared with the recorded one and
 * answered with a tensor that has its shape and type but no value. What the host makes of its own (numbers, noise) is
 * collected, so that the recording's graph can be fed with it.
 */
export class Replay {
  readonly #backend: RecordableBackend;
  readonly #binding: NativeBinding;
  readonly #options: ReplayOptions;
  readonly #known = new Map<number, Known>();
  readonly #made = new Set<unknown>();
  readonly #values = new Map<Constant, ConstantValue>();
  #next = 0;
  #handle = firstHandle;

  constructor(backend: RecordableBackend, options: ReplayOptions) {
    this.#backend = backend;
    this.#binding = backend.binding;
    this.#options = options;
  }

  /** Today's values of the constants that vary. */
  get values(): ReadonlyMap<Constant, ConstantValue> {
    return this.#values;
  }

  /** Says what a tensor stands for. */
  declare(id: number, key: string, dtype: number, shape: readonly number[]): void {
    this.#known.set(id, { kind: 'input', key, dtype, shape });
  }

  /** Throws `Mismatch` as soon as something differs, and what the work throws. */
  run<T>(work: () => T): T {
    const backend = this.#backend;
    const write = backend.write;
    backend.binding = Object.create(this.#binding, {
      executeOp: { value: this.#executeOp },
      createTensor: { value: this.#createTensor },
      tensorDataSync: { value: this.#tensorDataSync },
      deleteTensor: { value: this.#deleteTensor },
    });
    backend.write = (values, shape, dtype) => {
      this.#made.add(values);
      return write.call(backend, values, shape, dtype);
    };
    try {
      const result = work();
      const missing = this.#options.operations[this.#next];
      if (missing !== undefined) throw new Mismatch(otherOperations(this.#next, missing.name, 'its end'));
      return result;
    } finally {
      backend.binding = this.#binding;
      Reflect.deleteProperty(backend, 'write');
    }
  }

  /** Throws `Mismatch` unless a tensor is the recorded one. */
  expect(id: number, recorded: Value): void {
    if (!this.#fits(recorded, this.#valueOf(id))) throw new Mismatch('a result comes from another operation each time');
  }

  readonly #executeOp = (
    name: string,
    attributes: readonly NativeAttribute[],
    inputs: readonly number[],
    _count: number,
  ): NativeTensor[] => {
    const order = this.#next++;
    const operation = this.#options.operations[order];
    if (operation === undefined || operation.name !== name || operation.inputs.length !== inputs.length)
      throw new Mismatch(otherOperations(order, operation?.name ?? 'its end', name));
    const attribute = differingAttribute(operation.attributes, attributes);
    if (attribute !== undefined)
      throw new Mismatch(`the attribute '${attribute}' of ${name} differs from step to step`);
    const other = operation.inputs.findIndex((recorded, i) => !this.#fits(recorded, this.#valueOf(inputs[i] ?? -1)));
    if (other !== -1)
      throw new Mismatch(
        operation.inputs[other]?.kind === 'constant' && this.#valueOf(inputs[other] ?? -1).kind === 'made'
          ? `a value made on the host for ${name} differs from step to step`
          : `${name} does not work on the same tensors each time`,
      );
    return operation.outputs.map(({ dtype, shape }, index) => {
      const id = this.#handle--;
      this.#known.set(id, { kind: 'output', operation, index });
      return { id, dtype, shape: [...shape] };
    });
  };

  readonly #createTensor = (shape: readonly number[], dtype: number, values: ArrayLike<unknown>): number => {
    if (!ArrayBuffer.isView(values)) throw new Mismatch('it makes text tensors, which graphs are not written with');
    // made before the step: it must be there after it too
    if (!this.#made.has(values)) return this.#binding.createTensor(shape, dtype, values);
    const id = this.#handle--;
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength).slice();
    this.#known.set(id, { kind: 'made', value: { dtype, shape: [...shape], bytes } });
    return id;
  };

  readonly #tensorDataSync = (id: number) => {
    if (id <= firstHandle) throw new Mismatch('it reads a value back from the device');
    return this.#binding.tensorDataSync(id);
  };

  /** Kernels free what they made on the way; what stands for nothing but a recorded result is no tensor of TensorFlow's. */
  readonly #deleteTensor = (id: number): void => {
    if (id > firstHandle) this.#binding.deleteTensor(id);
  };

  #valueOf(id: number): Known {
    // types and shapes of what was there before went into the recording's choice
    return (
      this.#known.get(id) ?? { kind: 'input', key: this.#options.identify(id) ?? `tensor:${id}`, dtype: 0, shape: [] }
    );
  }

  #fits(recorded: Value, now: Known): boolean {
    switch (recorded.kind) {
      case 'output':
        return now.kind === 'output' && now.operation === recorded.operation && now.index === recorded.index;
      case 'input':
        return now.kind === 'input' && now.key === recorded.key;
      case 'constant':
        return now.kind === 'made' && this.#fitsConstant(recorded, now.value);
    }
  }

  #fitsConstant(recorded: Constant, value: ConstantValue): boolean {
    if (!this.#options.varying.has(recorded)) return sameConstant(recorded.value, value);
    if (recorded.value.dtype !== value.dtype || recorded.value.shape.join() !== value.shape.join()) return false;
    this.#values.set(recorded, value);
    return true;
  }
}
