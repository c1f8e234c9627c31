import type { ConfigKey } from '../../../../engine/config/index.ts';
import { Built } from '../../../../engine/instantiate/index.ts';

/** A call that a target recorded, or one that a partial will make. */
export class RecordedCall {
  readonly target: string;
  readonly args: readonly Built[];
  readonly kwargs: readonly (readonly [string, Built])[];
  readonly partial: boolean;

  constructor(target: string, args: readonly Built[], kwargs: readonly (readonly [string, Built])[], partial: boolean) {
    this.target = target;
    this.args = args;
    this.kwargs = kwargs;
    this.partial = partial;
  }
}

export type Bound = ReadonlyMap<string, Built>;

/** What is recorded of a Python callable: its signature (`a, b=, *args, **kwargs`) and what it gives. */
export interface PythonTarget {
  readonly pythonName: string;
  readonly signature: readonly string[];
  readonly body: ((bound: Bound) => unknown) | undefined;
}

/**
 * A callable that records its call, or runs `body` with the arguments bound the way Python binds them. It is a class
 * where the last part of the name begins like one.
 */
export function pythonTarget(pythonName: string, signature: string, body?: (bound: Bound) => unknown): PythonTarget {
  const callable = /^[A-Z]/.test(pythonName.split('.').at(-1) ?? '') ? class {} : (): undefined => undefined;
  const parameters = signature.split(',').flatMap((part) => (part.trim() === '' ? [] : [part.trim()]));
  return Object.assign(callable, { pythonName, signature: parameters, body });
}

export function isPythonTarget(value: unknown): value is PythonTarget {
  return typeof value === 'function' && 'pythonName' in value;
}

export function callPython(
  target: PythonTarget,
  args: readonly Built[],
  kwargs: readonly (readonly [ConfigKey, Built])[],
  partial: boolean,
): unknown {
  const named = kwargs.map(([key, built]): readonly [string, Built] => {
    if (typeof key !== 'string') throw new TypeError('keywords must be strings');
    return [key, built];
  });
  if (partial) return new RecordedCall(target.pythonName, args, named, true);
  const bound = bind(target, args, named);
  return target.body === undefined ? new RecordedCall(target.pythonName, args, named, false) : target.body(bound);
}

function bind(target: PythonTarget, args: readonly Built[], kwargs: readonly (readonly [string, Built])[]): Bound {
  const plain = target.signature.filter((parameter) => !parameter.startsWith('*'));
  const names = plain.map((parameter) => parameter.replace('=', ''));
  const bound = new Map<string, Built>();
  for (const [index, arg] of args.entries()) {
    const name = names[index];
    if (name !== undefined) bound.set(name, arg);
    else if (!target.signature.includes('*args')) throw new TypeError(`takes ${names.length} positional arguments`);
  }
  for (const [key, value] of kwargs) {
    // Python's own `self` is bound by then.
    if (bound.has(key) || key === 'self') throw new TypeError(`got multiple values for argument '${key}'`);
    if (!names.includes(key) && !target.signature.includes('**kwargs')) {
      throw new TypeError(`got an unexpected keyword argument '${key}'`);
    }
    bound.set(key, value);
  }
  const missing = plain.filter((parameter) => !parameter.includes('=') && !bound.has(parameter));
  if (missing.length > 0) throw new TypeError(`missing required positional arguments: ${missing.join(', ')}`);
  return bound;
}

/** The bound value as a number; Python's `+` refuses what is not one. */
export function numberOf(bound: Bound, name: string): number {
  const value = bound.get(name)?.value;
  if (typeof value !== 'number') throw new TypeError('unsupported operand type(s)');
  return value;
}

export function nothing(): Built {
  return new Built(null);
}
