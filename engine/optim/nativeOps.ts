import * as tf from '@tensorflow/tfjs';
import { type NativeAttribute, type NativeBackend, nativeBackendOf } from '../backend/index.ts';

export type { NativeBackend };

/** The native TensorFlow backend when it is the current one, otherwise undefined. */
export function nativeBackend(): NativeBackend | undefined {
  return nativeBackendOf(tf);
}

let variables = 0;

/** A float32 variable inside TensorFlow, which fused optimizer operations update in place. */
export class ResourceVariable {
  readonly handle: tf.Tensor;
  readonly #native: NativeBackend;
  readonly #dtype: NativeAttribute;

  constructor(native: NativeBackend, shape: readonly number[]) {
    const { binding } = native;
    this.#native = native;
    this.#dtype = { name: 'dtype', type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT };
    // The name must be unique within the process: TensorFlow would otherwise hand out the same memory twice.
    const attributes: NativeAttribute[] = [
      this.#dtype,
      { name: 'shape', type: binding.TF_ATTR_SHAPE, value: shape },
      { name: 'shared_name', type: binding.TF_ATTR_STRING, value: `accelhydra/optimizer/${++variables}` },
      { name: 'container', type: binding.TF_ATTR_STRING, value: '' },
    ];
    this.handle = tf.keep(native.executeSingleOutput('VarHandleOp', attributes, []));
  }

  assign(value: tf.Tensor): void {
    this.#native.executeMultipleOutputs('AssignVariableOp', [this.#dtype], [this.handle, value], 0);
  }

  /** A snapshot: it shares memory until the variable is next written, then keeps the old value. */
  read(): tf.Tensor {
    return this.#native.executeSingleOutput('ReadVariableOp', [this.#dtype], [this.handle]);
  }

  dispose(): void {
    const { TF_ATTR_BOOL } = this.#native.binding;
    const attributes = [{ name: 'ignore_lookup_error', type: TF_ATTR_BOOL, value: true }];
    this.#native.executeMultipleOutputs('DestroyResourceOp', attributes, [this.handle], 0);
    this.handle.dispose();
  }
}
