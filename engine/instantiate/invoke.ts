import type { ConfigKey } from '../config/index.ts';
import { type Built, defineEntry } from './containers.ts';
import type { LocatedTarget } from './locate/locatedTarget.ts';

/** A target and what it is to be called with; nested objects are built already. */
export interface TargetCall {
  readonly target: LocatedTarget;
  readonly args: readonly Built[];
  readonly kwargs: readonly (readonly [ConfigKey, Built])[];
  /** True when a function that calls later is wanted (`_partial_`). */
  readonly partial: boolean;
}

/** How a target is called. What it returns is awaited, except for a partial. */
export type Invoke = (call: TargetCall) => unknown;

type AnyFunction = (...args: unknown[]) => unknown;

/** What `_partial_: true` gives: call it with further arguments, and an object of keyword arguments as the last one. */
export interface PartialTarget {
  (...more: unknown[]): unknown;
  readonly target: unknown;
  readonly args: readonly unknown[];
  readonly kwargs: Readonly<Record<string, unknown>>;
}

/**
 * JavaScript's convention: positional arguments first, then all keyword arguments as one object. Classes are constructed,
 * functions and static methods are called. A target without any argument gets an empty object, so that
 * `constructor({ size = 3 })` needs no default for the object; TensorFlow.js's own factories get nothing.
 */
export const invokeJavaScript: Invoke = (call) => {
  const kwargs = keywordObject(call.kwargs);
  const args = call.args.map((arg) => arg.value);
  if (!call.partial) return callTarget(call.target, args, kwargs);
  return createPartial(call.target, args, kwargs);
};

function keywordObject(kwargs: TargetCall['kwargs']): Record<string, unknown> {
  const object: Record<string, unknown> = {};
  for (const [key, built] of kwargs) {
    if (typeof key !== 'string') throw new TypeError('keywords must be strings');
    defineEntry(object, key, built.value);
  }
  return object;
}

function callTarget(target: LocatedTarget, args: readonly unknown[], kwargs: Record<string, unknown>): unknown {
  const hasKwargs = Object.keys(kwargs).length > 0;
  const all = hasKwargs || (args.length === 0 && target.kind !== 'tensorflow') ? [...args, kwargs] : args;
  const callable = target.value;
  if (!isCallable(callable)) throw new TypeError(`${target.name} is not callable`);
  return isClass(callable) ? Reflect.construct(callable, all) : Reflect.apply(callable, target.owner, all);
}

function createPartial(target: LocatedTarget, args: unknown[], kwargs: Record<string, unknown>): PartialTarget {
  const later = (...more: unknown[]): unknown => {
    const last = more.at(-1);
    if (!isPlainObject(last)) return callTarget(target, [...args, ...more], { ...kwargs });
    return callTarget(target, [...args, ...more.slice(0, -1)], { ...kwargs, ...last });
  };
  return Object.assign(later, { target: target.value, args, kwargs });
}

export function isCallable(value: unknown): value is AnyFunction {
  return typeof value === 'function';
}

/** A class, also one compiled to ES5: its prototype is fixed, or has methods of its own. */
function isClass(value: AnyFunction): boolean {
  const prototype = Object.getOwnPropertyDescriptor(value, 'prototype');
  if (prototype === undefined) return false;
  if (prototype.writable === false) return true;
  const members: unknown = prototype.value;
  return typeof members === 'object' && members !== null && isPrototypeOfClass(value, members);
}

function isPrototypeOfClass(value: AnyFunction, prototype: object): boolean {
  // A generator function's prototype has no `constructor`; a plain function's has nothing else.
  if (!Object.hasOwn(prototype, 'constructor')) return false;
  return Object.getOwnPropertyNames(prototype).length > 1 || Object.getPrototypeOf(value) !== Function.prototype;
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}
