import * as tf from '@tensorflow/tfjs';
import type { AnyModule } from '../model/module.ts';

/** A value that the step read from the host while it was recorded: a graph is only right as long as it is the same. */
export interface HostRead {
  readonly owner: object;
  readonly key: string;
  readonly value: unknown;
}

export interface HostRoot {
  readonly owner: object;
  /** How a person writes it: `this`, `this.model`. */
  readonly label: string;
}

/** A model and the modules below it. */
export function rootsOf(model: Pick<AnyModule, 'namedModules'>, label: string): HostRoot[] {
  return model
    .namedModules()
    .map(({ name, module }) => ({ owner: module, label: name === '' ? label : `${label}.${name}` }));
}

export interface HostChange {
  /** The first field that changed, as a person writes it. */
  readonly label: string;
  /** Whether a tensor was put there. */
  readonly holdsTensor: boolean;
}

interface Field {
  readonly descriptor: PropertyDescriptor;
  readonly label: string;
  value: unknown;
}

/** Objects that are looked into, and elements of lists that are compared, at most. */
const mostObjects = 5000;
const longestList = 10_000;
const longestGuardedList = 100;

/**
 * Watches what a step does with fields while it is recorded: which it reads, so that a graph is used only while they
 * are the same, and which it changes, so that the recording changes nothing. Fields become accessors until `stop`;
 * objects are looked into when they are first read.
 */
export class HostWatch {
  readonly #fields = new Map<object, Map<string, Field>>();
  readonly #lists = new Map<object, { readonly label: string; readonly copy: readonly unknown[] }>();
  readonly #opaque: ReadonlySet<unknown>;
  readonly #reads = new Map<object, Map<string, unknown>>();

  /** `opaque` objects are not looked into. */
  constructor(roots: readonly HostRoot[], opaque: ReadonlySet<unknown> = new Set()) {
    this.#opaque = opaque;
    for (const { owner, label } of roots) this.#enter(owner, label);
  }

  get reads(): readonly HostRead[] {
    const reads: HostRead[] = [];
    for (const [owner, keys] of this.#reads) for (const [key, value] of keys) reads.push({ owner, key, value });
    for (const [list, { copy }] of this.#lists)
      if (Array.isArray(list) && copy.length <= longestGuardedList) reads.push({ owner: list, key: '', value: copy });
    return reads;
  }

  /** What the step has changed so far. */
  changed(): HostChange | undefined {
    const labels: string[] = [];
    let keeps = false;
    const note = (label: string, values: readonly unknown[]): void => {
      labels.push(label);
      keeps ||= values.some(holdsTensor);
    };
    for (const [owner, fields] of this.#fields) {
      for (const key of addedTo(owner, fields)) note(`${this.#labels.get(owner)}.${key}`, [Reflect.get(owner, key)]);
      for (const { descriptor, label, value } of fields.values())
        if (!Object.is(value, descriptor.value)) note(label, [value]);
    }
    for (const [list, { label, copy }] of this.#lists) if (!sameContent(list, copy)) note(label, contentOf(list));
    const [label] = labels;
    return label === undefined ? undefined : { label, holdsTensor: keeps };
  }

  /** Ends the watch. What was changed is put back, or stays. */
  stop(puts: 'back' | 'nothing'): void {
    for (const [owner, fields] of this.#fields) {
      if (puts === 'back') for (const key of addedTo(owner, fields)) Reflect.deleteProperty(owner, key);
      for (const [key, { descriptor, value }] of fields)
        Object.defineProperty(owner, key, puts === 'back' ? descriptor : { ...descriptor, value });
    }
    if (puts === 'back') for (const [list, { copy }] of this.#lists) if (!sameContent(list, copy)) putBack(list, copy);
    this.#fields.clear();
    this.#lists.clear();
  }

  readonly #labels = new Map<object, string>();

  #enter(target: object, label: string): void {
    if (this.#labels.has(target) || this.#labels.size >= mostObjects || this.#opaque.has(target)) return;
    this.#labels.set(target, label);
    if (isList(target)) {
      const copy = contentOf(target);
      if (copy.length > longestList) return;
      this.#lists.set(target, { label, copy });
      copy.forEach((item, i) => {
        if (canEnter(item)) this.#enter(item, `${label}[${i}]`);
      });
      return;
    }
    const fields = new Map<string, Field>();
    this.#fields.set(target, fields);
    for (const [key, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(target))) {
      if (!('value' in descriptor) || typeof descriptor.value === 'function') continue;
      const path = `${label}.${key}`;
      if (descriptor.configurable === true && descriptor.enumerable === true)
        fields.set(key, this.#watchField(target, key, { descriptor, label: path, value: descriptor.value }));
      else if (canEnter(descriptor.value)) this.#enter(descriptor.value, path);
    }
  }

  #watchField(owner: object, key: string, field: Field): Field {
    Object.defineProperty(owner, key, {
      configurable: true,
      enumerable: true,
      get: () => {
        const { value } = field;
        if (Object.is(value, field.descriptor.value)) this.#note(owner, key, value);
        if (canEnter(value)) this.#enter(value, field.label);
        return value;
      },
      ...(field.descriptor.writable === true
        ? {
            set: (value: unknown) => {
              field.value = value;
            },
          }
        : {}),
    });
    return field;
  }

  #note(owner: object, key: string, value: unknown): void {
    let keys = this.#reads.get(owner);
    if (keys === undefined) {
      keys = new Map();
      this.#reads.set(owner, keys);
    }
    keys.set(key, value);
  }
}

/** Whether what a step read is still the same. */
export function sameReads(reads: readonly HostRead[]): boolean {
  for (const { owner, key, value } of reads) {
    if (key !== '') {
      if (!Object.is(Reflect.get(owner, key), value)) return false;
    } else if (Array.isArray(owner) && Array.isArray(value)) {
      if (owner.length !== value.length) return false;
      for (let i = 0; i < value.length; i++) if (!Object.is(owner[i], value[i])) return false;
    }
  }
  return true;
}

function canEnter(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  return !(
    value instanceof tf.Tensor ||
    ArrayBuffer.isView(value) ||
    value instanceof Promise ||
    value instanceof Date ||
    value instanceof RegExp ||
    value instanceof WeakMap ||
    value instanceof Error
  );
}

type List = unknown[] | Map<unknown, unknown> | Set<unknown>;

function isList(value: object): value is List {
  return Array.isArray(value) || value instanceof Map || value instanceof Set;
}

/** Keys and values of a map as pairs. */
function contentOf(list: object): readonly unknown[] {
  return isList(list) ? [...list] : [];
}

function sameItem(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b) && a.length === 2 && b.length === 2)
    return Object.is(a[0], b[0]) && Object.is(a[1], b[1]);
  return Object.is(a, b);
}

function putBack(list: object, copy: readonly unknown[]): void {
  if (Array.isArray(list)) list.splice(0, list.length, ...copy);
  else if (list instanceof Map) {
    list.clear();
    for (const pair of copy) if (Array.isArray(pair)) list.set(pair[0], pair[1]);
  } else if (list instanceof Set) {
    list.clear();
    for (const item of copy) list.add(item);
  }
}

function sameContent(list: object, copy: readonly unknown[]): boolean {
  const now = contentOf(list);
  return now.length === copy.length && now.every((item, i) => sameItem(item, copy[i]));
}

/** Fields that an object did not have before. */
function addedTo(owner: object, fields: ReadonlyMap<string, unknown>): string[] {
  return Object.keys(owner).filter((key) => {
    if (fields.has(key)) return false;
    const descriptor = Object.getOwnPropertyDescriptor(owner, key);
    return descriptor?.configurable === true && 'value' in descriptor && typeof descriptor.value !== 'function';
  });
}

function holdsTensor(value: unknown): boolean {
  if (value instanceof tf.Tensor) return true;
  if (Array.isArray(value)) return value.slice(-20).some((item) => item instanceof tf.Tensor);
  if (typeof value !== 'object' || value === null) return false;
  return Object.values(value).some((item) => item instanceof tf.Tensor);
}
