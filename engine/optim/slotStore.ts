import * as tf from '@tensorflow/tfjs';
import type { NamedParameter } from './parameter.ts';
import type { StateSlot } from './updateRule.ts';

/** Keeps an optimizer's state tensors between steps, one per parameter and slot. */
export interface SlotStore {
  /** Makes the slots that do not exist yet. */
  ensure(parameter: NamedParameter, slots: readonly StateSlot[]): void;
  /** A tensor with the slot's value as it is now, the caller's to dispose; undefined before the first update. */
  read(parameter: string, slot: string): tf.Tensor | undefined;
  write(parameter: NamedParameter, slot: string, value: tf.Tensor): void;
  dispose(): void;
}

/** State in tf.Variables: works on every backend. */
export class VariableSlots implements SlotStore {
  readonly #variables = new Map<string, tf.Variable>();

  ensure(parameter: NamedParameter, slots: readonly StateSlot[]): void {
    for (const slot of slots) {
      if (this.#variables.has(slotKey(parameter.name, slot.name))) continue;
      tf.tidy(() => this.write(parameter, slot.name, tf.fill(parameter.variable.shape, slot.fill, 'float32')));
    }
  }

  /** The slot itself, for updates in place. */
  variable(parameter: string, slot: string): tf.Variable {
    const found = this.#variables.get(slotKey(parameter, slot));
    if (found === undefined) throw new Error(`Internal error: optimizer state ${slot} of '${parameter}' is missing`);
    return found;
  }

  read(parameter: string, slot: string): tf.Tensor | undefined {
    return this.#variables.get(slotKey(parameter, slot))?.clone();
  }

  write(parameter: NamedParameter, slot: string, value: tf.Tensor): void {
    const key = slotKey(parameter.name, slot);
    const existing = this.#variables.get(key);
    if (existing) existing.assign(value);
    else this.#variables.set(key, tf.variable(value, false));
  }

  dispose(): void {
    for (const variable of this.#variables.values()) variable.dispose();
    this.#variables.clear();
  }
}

/** Slot and parameter in one name, as state dictionaries write it: `exp_avg.conv1.weight`. */
export function slotKey(parameter: string, slot: string): string {
  return `${slot}.${parameter}`;
}
