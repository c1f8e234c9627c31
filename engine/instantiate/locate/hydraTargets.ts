import { EngineError } from '../../api/errors.ts';
import { isCallable } from '../invoke.ts';
import { isBlocked } from '../whitelist.ts';
import type { LocatedTarget } from './locatedTarget.ts';

type Locate = (target: string, check: (name: string) => void) => Promise<LocatedTarget>;

interface PathArgument {
  readonly path?: unknown;
}

/** `hydra.utils.get_class` and its kin: a config's way to pass a class or function itself instead of calling it. */
export function createHydraTargets(locate: Locate): Readonly<Record<string, unknown>> {
  const find = async (name: string, argument: unknown): Promise<LocatedTarget> => {
    const path = pathOf(argument);
    if (path === undefined) {
      throw new EngineError('instantiate.invalid-name', `${name} needs 'path', the dotted name of what it returns.`);
    }
    return locate(path, (canonical) => {
      if (!isBlocked(canonical)) return;
      throw new EngineError('instantiate.target-not-allowed', `'${canonical}' is blocklisted`);
    });
  };
  const callable = (name: string) => async (argument: unknown) => {
    const { value, owner, name: path } = await find(name, argument);
    if (!isCallable(value)) throw wrongKind('callable', value, path);
    return owner === undefined || isConstructor(value) ? value : value.bind(owner);
  };
  return {
    'hydra.utils.get_object': async (argument: unknown) => (await find('hydra.utils.get_object', argument)).value,
    'hydra.utils.get_class': async (argument: unknown) => {
      const { value, name } = await find('hydra.utils.get_class', argument);
      if (!isCallable(value) || !isConstructor(value)) throw wrongKind('class', value, name);
      return value;
    },
    'hydra.utils.get_method': callable('hydra.utils.get_method'),
    'hydra.utils.get_static_method': callable('hydra.utils.get_static_method'),
  };
}

function pathOf(argument: unknown): string | undefined {
  const path = typeof argument === 'object' && argument !== null ? (argument as PathArgument).path : argument;
  return typeof path === 'string' ? path : undefined;
}

function isConstructor(value: (...args: unknown[]) => unknown): boolean {
  return Object.getOwnPropertyDescriptor(value, 'prototype')?.writable === false;
}

function wrongKind(wanted: string, value: unknown, path: string): EngineError {
  return new EngineError(
    'instantiate.wrong-kind',
    `Located non-${wanted} of type '${typeof value}' while loading '${path}'`,
  );
}
