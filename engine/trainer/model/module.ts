import * as tf from '@tensorflow/tfjs';
import { type LoadOptions, type LoadReport, loadTensors } from './loadState.ts';

export interface NamedVariable {
  readonly name: string;
  readonly variable: tf.Variable;
}

export interface ParameterCount {
  readonly total: number;
  readonly trainable: number;
}

const buffers = new WeakMap<tf.Variable, { readonly persistent: boolean }>();

/**
 * Base of models, after torch.nn.Module. Parameters are the fields that hold a `tf.Variable`, children the fields that
 * hold a Module (or a list or plain object of Modules); both are found by field name, in the order they were set, and
 * named by dotted path (`blocks.0.attention.in_proj_weight`). Fields with `#` cannot be seen from here: use ordinary ones.
 */
export abstract class Module<Inputs extends readonly unknown[] = readonly [tf.Tensor], Output = tf.Tensor> {
  /** Whether layers such as dropout behave as in training. */
  training = true;

  /** Computes the output. Runs inside the caller's tidy. */
  abstract call(...inputs: Inputs): Output;

  /** Marks a variable that is saved but not trained, as PyTorch's register_buffer. */
  protected buffer(initial: tf.Tensor, options: { readonly persistent?: boolean } = {}): tf.Variable {
    const variable = tf.variable(initial, false);
    buffers.set(variable, { persistent: options.persistent ?? true });
    initial.dispose();
    return variable;
  }

  /** Every parameter once, frozen ones too. A variable shared by two places has the name of the first. */
  namedParameters(): NamedVariable[] {
    return this.#variables().filter(({ variable }) => !buffers.has(variable));
  }

  namedBuffers(options: { readonly persistentOnly?: boolean } = {}): NamedVariable[] {
    return this.#variables().filter(({ variable }) => {
      const buffer = buffers.get(variable);
      return buffer !== undefined && (buffer.persistent || options.persistentOnly !== true);
    });
  }

  /** This module and all below it, by dotted path; its own path is empty. */
  namedModules(): { readonly name: string; readonly module: AnyModule }[] {
    const found: { name: string; module: AnyModule }[] = [];
    const seen = new Set<AnyModule>();
    const visit = (name: string, module: AnyModule): void => {
      if (seen.has(module)) return;
      seen.add(module);
      found.push({ name, module });
      for (const child of childrenOf(module)) visit(join(name, child.name), child.module);
    };
    visit('', this);
    return found;
  }

  #variables(): NamedVariable[] {
    const seen = new Set<tf.Variable>();
    const found: NamedVariable[] = [];
    for (const { name, module } of this.namedModules()) {
      for (const [field, value] of Object.entries(module)) {
        for (const [path, variable] of variablesIn(field, value)) {
          if (seen.has(variable)) continue;
          seen.add(variable);
          found.push({ name: join(name, path), variable });
        }
      }
    }
    return found;
  }

  train(mode = true): this {
    for (const { module } of this.namedModules()) module.training = mode;
    return this;
  }

  eval(): this {
    return this.train(false);
  }

  /** Freezes (false) or frees all parameters of this module, as PyTorch's requires_grad_. */
  requiresGrad(flag = true): this {
    for (const { variable } of this.namedParameters()) variable.trainable = flag;
    return this;
  }

  countParams(): ParameterCount {
    let total = 0;
    let trainable = 0;
    for (const { variable } of this.namedParameters()) {
      total += variable.size;
      if (variable.trainable) trainable += variable.size;
    }
    return { total, trainable };
  }

  /** The live variables that make up the model's state: parameters and persistent buffers. Copy what you keep. */
  stateDict(): Map<string, tf.Tensor> {
    return new Map(
      [...this.namedParameters(), ...this.namedBuffers({ persistentOnly: true })].map((item) => [
        item.name,
        item.variable,
      ]),
    );
  }

  /**
   * Copies values into the variables. Strict (the default) refuses missing, unexpected and differently shaped tensors,
   * naming them (`model.state`), and changes nothing then; otherwise the report lists them.
   */
  loadStateDict(state: ReadonlyMap<string, tf.Tensor>, options: LoadOptions = {}): LoadReport {
    const own = new Map(
      [...this.namedParameters(), ...this.namedBuffers({ persistentOnly: true })].map((item) => [
        item.name,
        item.variable,
      ]),
    );
    return loadTensors(own, state, options);
  }

  dispose(): void {
    for (const { variable } of this.#variables()) variable.dispose();
  }
}

export type AnyModule = Pick<Module<never[], unknown>, 'training' | 'namedModules' | 'namedParameters'>;

function childrenOf(module: AnyModule): { readonly name: string; readonly module: AnyModule }[] {
  return Object.entries(module).flatMap(([field, value]) => modulesIn(field, value));
}

function modulesIn(path: string, value: unknown): { readonly name: string; readonly module: AnyModule }[] {
  if (value instanceof Module) return [{ name: path, module: value }];
  return holders(value).flatMap(([key, item]) => modulesIn(join(path, key), item));
}

function variablesIn(path: string, value: unknown): [string, tf.Variable][] {
  if (value instanceof tf.Variable) return [[path, value]];
  return holders(value).flatMap(([key, item]) => variablesIn(join(path, key), item));
}

/** Lists and plain objects may hold modules and variables; numbers' lists are passed over quickly. */
function holders(value: unknown): [string, unknown][] {
  if (typeof value !== 'object' || value === null) return [];
  const prototype: unknown = Object.getPrototypeOf(value);
  if (!Array.isArray(value) && prototype !== Object.prototype && prototype !== null) return [];
  const items = Object.entries(value);
  return items.some(([, item]) => typeof item === 'object' && item !== null) && items.length < 10_000 ? items : [];
}

function join(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}
