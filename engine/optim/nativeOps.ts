import * as tf from '@tensorflow/tfjs';
import { type NativeAttribute, type NativeBackend, nativeBackendOf } from '../backend/index.ts';

export type { NativeBackend };

/** The native TensorFlow backend when it is the current one, otherwise undefined. */
export function nativeBackend(): NativeBackend | undefined {
  return nativeBackendOf(tf);
}

let variables = 0;

/** Who has a variable's current value while the variable itself does not. */
export interface ResourceHolder {
  /** Puts the values back into the variables that it holds. */
  giveBack(): void;
}

/**
 * A float32 variable inside TensorFlow, which fused optimizer operations update in place. A compiled step may hold its
 * value for a while; whoever reads, writes or uses it makes the step give it back first.
 */
export class ResourceVariable {
  readonly shape: readonly number[];
  readonly #handle: tf.Tensor;
  #holder: ResourceHolder | undefined;
  readonly #native: NativeBackend;
  readonly #dtype: NativeAttribute;

  constructor(native: NativeBackend, shape: readonly number[]) {
    const { binding } = native;
    this.#native = native;
    this.shape = shape;
    this.#dtype = { name: 'dtype', type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT };
    // The name must be unique within the process: TensorFlow would otherwise hand out the same memory twice.
    const attributes: NativeAttribute[] = [
      this.#dtype,
      { name: 'shape', type: binding.TF_ATTR_SHAPE, value: shape },
      { name: 'shared_name', type: binding.TF_ATTR_STRING, value: `accelhydra/optimizer/${++variables}` },
      { name: 'container', type: binding.TF_ATTR_STRING, value: '' },
    ];
    this.#handle = tf.keep(native.executeSingleOutput('VarHandleOp', attributes, []));
  }

  /** The handle, with the value behind it. */
  get handle(): tf.Tensor {
    this.#holder?.giveBack();
    return this.#handle;
  }

  /** Lets go of the value, which `holder` has from here on, and of its memory. */
  lend(holder: ResourceHolder): void {
    const nothing = tf.zeros([0]);
    this.assign(nothing);
    nothing.dispose();
    this.#holder = holder;
  }

  /** Ends the lending. */
  takeBack(value: tf.Tensor | undefined): void {
    this.#holder = undefined;
    if (value !== undefined) this.assign(value);
  }

  assign(value: tf.Tensor): void {
    this.#native.executeMultipleOutputs('AssignVariableOp', [this.#dtype], [this.handle, value], 0);
  }

  /** A snapshot: it shares memory until the variable is next written, then keeps the old value. */
  read(): tf.Tensor {
    return this.#native.executeSingleOutput('ReadVariableOp', [this.#dtype], [this.handle]);
  }

  dispose(): void {
    this.#holder = undefined;
    const { TF_ATTR_BOOL } = this.#native.binding;
    const attributes = [{ name: 'ignore_lookup_error', type: TF_ATTR_BOOL, value: true }];
    this.#native.executeMultipleOutputs('DestroyResourceOp', attributes, [this.handle], 0);
    this.handle.dispose();
  }
}
