import type { Attempt, BuiltinOptions, NameCheck, TargetKind } from './locatedTarget.ts';
import { describeMissing, followMembers } from './members.ts';

/** Built-in names, longest first: `accelhydra.Trainer` before a member of `accelhydra`; then the members of `tf`. */
export function locateBuiltin(target: string, options: BuiltinOptions, check: NameCheck): Attempt {
  const builtins = options.builtins ?? {};
  const parts = target.split('.');
  for (let length = parts.length; length > 0; length--) {
    const name = parts.slice(0, length).join('.');
    if (Object.hasOwn(builtins, name))
      return member(target, 'builtin', builtins[name], parts.slice(length), name, check);
  }
  if (parts[0] === 'tf' && parts.length > 1 && options.tensorflow !== undefined) {
    return member(target, 'tensorflow', options.tensorflow, parts.slice(1), 'tf', check);
  }
  return { misses: [{ place: `built-ins (${prefixes(options)})`, near: [] }] };
}

function member(
  target: string,
  kind: TargetKind,
  start: unknown,
  path: readonly string[],
  startName: string,
  check: NameCheck,
): Attempt {
  const found = followMembers(start, path, startName);
  if ('missing' in found) {
    const near = found.names.map((name) => `${found.holder}.${name}`);
    return { misses: [{ place: describeMissing(found, found.holder), near }] };
  }
  check(target);
  return { found: { name: target, kind, value: found.value, owner: found.owner } };
}

function prefixes(options: BuiltinOptions): string {
  const first = new Set(Object.keys(options.builtins ?? {}).map((name) => `${name.split('.')[0]}.*`));
  if (options.tensorflow !== undefined) first.add('tf.*');
  return [...first].join(', ');
}

/** The names that a 'did you mean' picks from. */
export function builtinCandidates(options: BuiltinOptions): string[] {
  return Object.keys(options.builtins ?? {});
}
