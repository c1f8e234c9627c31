export interface Member {
  readonly value: unknown;
  /** What the value was read from, so that static methods keep their `this`. */
  readonly owner: unknown;
}

/** Names that lead from any value to the means of running text as code, or nowhere a config has business. */
const FORBIDDEN = new Set(['constructor', 'prototype', '__proto__', 'call', 'apply', 'bind', 'caller', 'arguments']);

/** The names that a module, class or object offers to a target. */
export function memberNames(value: unknown): string[] {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return [];
  const names = new Set<string>();
  for (let holder: unknown = value; isHolder(holder); holder = Object.getPrototypeOf(holder)) {
    for (const name of Object.getOwnPropertyNames(holder)) {
      if (!FORBIDDEN.has(name) && !(typeof holder === 'function' && (name === 'length' || name === 'name'))) {
        names.add(name);
      }
    }
  }
  return [...names];
}

/** Own members and, for classes, inherited static ones; never what every object or function has. */
function isHolder(value: unknown): value is object {
  if (value === null || value === Object.prototype || value === Function.prototype) return false;
  return typeof value === 'object' || typeof value === 'function';
}

/** The first part of a path that does not exist. */
export interface MissingMember {
  readonly missing: string;
  /** The dotted name of what should have had it, and the names that are there. */
  readonly holder: string;
  readonly names: readonly string[];
}

/** Follows `path` from a module, class or object called `startName`. */
export function followMembers(start: unknown, path: readonly string[], startName: string): Member | MissingMember {
  let member: Member = { value: start, owner: undefined };
  let holder = startName;
  for (const part of path) {
    const names = memberNames(member.value);
    if (!names.includes(part)) return { missing: part, holder, names };
    member = { value: Reflect.get(Object(member.value), part), owner: member.value };
    holder = `${holder}.${part}`;
  }
  return member;
}

/** `models/cnn.ts has no 'DigitCNM' (it has DigitCNN)`. */
export function describeMissing(miss: MissingMember, place: string): string {
  const listed = miss.names.length === 0 ? 'it exports nothing' : `it has ${miss.names.slice(0, 20).join(', ')}`;
  return `${place} has no '${miss.missing}' (${listed})`;
}
