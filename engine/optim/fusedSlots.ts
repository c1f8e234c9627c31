import * as tf from '@tensorflow/tfjs';
import { type NativeBackend, ResourceVariable } from './nativeOps.ts';
import type { NamedParameter } from './parameter.ts';
import { type SlotStore, slotKey } from './slotStore.ts';
import type { FusedOperation, StateSlot } from './updateRule.ts';

interface Mirror {
  readonly resource: ResourceVariable;
  /** Identity of the value that the tf.Variable had when both were last equal. */
  value: object | undefined;
}

/** A variable inside TensorFlow that the optimizer works with; `mirrors` names the tf.Variable that it copies. */
export interface OptimizerResource {
  readonly resource: ResourceVariable;
  readonly mirrors: tf.Variable | undefined;
}

/**
 * State in TensorFlow's own variables, updated by its fused operations. The parameter is mirrored there too; whoever
 * assigns the tf.Variable (a loaded checkpoint, a hook) is noticed before the next update.
 */
export class FusedSlots implements SlotStore {
  readonly #native: NativeBackend;
  readonly #slots = new Map<string, ResourceVariable>();
  readonly #mirrors = new Map<string, Mirror>();

  constructor(native: NativeBackend) {
    this.#native = native;
  }

  ensure(parameter: NamedParameter, slots: readonly StateSlot[]): void {
    for (const slot of slots) {
      if (this.#slots.has(slotKey(parameter.name, slot.name))) continue;
      tf.tidy(() => this.write(parameter, slot.name, tf.fill(parameter.variable.shape, slot.fill, 'float32')));
    }
  }

  read(parameter: string, slot: string): tf.Tensor | undefined {
    return this.#slots.get(slotKey(parameter, slot))?.read();
  }

  write(parameter: NamedParameter, slot: string, value: tf.Tensor): void {
    const key = slotKey(parameter.name, slot);
    const resource = this.#slots.get(key) ?? new ResourceVariable(this.#native, parameter.variable.shape);
    this.#slots.set(key, resource);
    resource.assign(value);
  }

  /** All that TensorFlow holds for a parameter: the mirror of its value, and its slots. */
  resources({ name, variable }: NamedParameter, slots: readonly StateSlot[]): readonly OptimizerResource[] {
    const kept = slots.flatMap((slot) => this.#slots.get(slotKey(name, slot.name)) ?? []);
    return [
      { resource: this.#mirrorOf({ name, variable }).resource, mirrors: variable },
      ...kept.map((resource) => ({ resource, mirrors: undefined })),
    ];
  }

  /** Runs the operations on the parameter and its slots, then shows the new value in the tf.Variable. */
  update(
    parameter: NamedParameter,
    operations: readonly FusedOperation[],
    gradient: tf.Tensor,
    scalars: Readonly<Record<string, tf.Scalar>>,
  ): void {
    const { variable, name } = parameter;
    const mirror = this.#mirror(parameter);
    const named: Record<string, tf.Tensor> = {
      ...scalars,
      parameter: mirror.resource.handle,
      gradient,
      value: variable,
    };
    for (const operation of operations) {
      const inputs = operation.inputs.map((input) => {
        const tensor = named[input] ?? this.#slots.get(slotKey(name, input))?.handle;
        if (tensor === undefined) throw new Error(`Internal error: ${operation.name} has no input '${input}'`);
        return tensor;
      });
      this.#native.executeMultipleOutputs(operation.name, this.#attributes(operation), inputs, 0);
    }
    const value = mirror.resource.read();
    variable.assign(value);
    value.dispose();
    mirror.value = variable.dataId;
  }

  #mirror(parameter: NamedParameter): Mirror {
    const mirror = this.#mirrorOf(parameter);
    if (mirror.value !== parameter.variable.dataId) mirror.resource.assign(parameter.variable);
    return mirror;
  }

  #mirrorOf(parameter: NamedParameter): Mirror {
    let mirror = this.#mirrors.get(parameter.name);
    if (mirror === undefined) {
      mirror = { resource: new ResourceVariable(this.#native, parameter.variable.shape), value: undefined };
      this.#mirrors.set(parameter.name, mirror);
    }
    return mirror;
  }

  #attributes(operation: FusedOperation): { name: string; type: number; value: number | boolean }[] {
    const { TF_ATTR_BOOL, TF_ATTR_TYPE, TF_FLOAT } = this.#native.binding;
    const flags = Object.entries({ use_locking: false, ...operation.flags });
    return [
      { name: 'T', type: TF_ATTR_TYPE, value: TF_FLOAT },
      ...flags.map(([name, value]) => ({ name, type: TF_ATTR_BOOL, value })),
    ];
  }

  dispose(): void {
    for (const resource of this.#slots.values()) resource.dispose();
    for (const mirror of this.#mirrors.values()) mirror.resource.dispose();
    this.#slots.clear();
    this.#mirrors.clear();
  }
}
