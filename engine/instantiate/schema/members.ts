import type { JsonSchema, JsonValue } from '../../config/index.ts';

/** Members of an object type. `isOpen` when there may be more than could be read. */
export interface Members {
  readonly properties: Readonly<Record<string, JsonSchema>>;
  readonly required: readonly string[];
  readonly isOpen: boolean;
}

export const OPEN: Members = { properties: {}, required: [], isOpen: true };

export function objectSchema({ properties }: Members): JsonSchema {
  return { type: 'object', properties };
}

/** `Pick` and `Omit`. */
export function chosen(members: Members, names: readonly string[], isPick: boolean): Members {
  const keeps = (name: string): boolean => names.includes(name) === isPick;
  return {
    properties: Object.fromEntries(Object.entries(members.properties).filter(([name]) => keeps(name))),
    required: members.required.filter(keeps),
    isOpen: members.isOpen,
  };
}

/** What may be given where any of several types is taken. */
export function mergedMembers(all: readonly Members[]): Members {
  const properties: Record<string, JsonSchema> = {};
  for (const name of new Set(all.flatMap((one) => Object.keys(one.properties)))) {
    properties[name] = anyOf(all.flatMap((one) => one.properties[name] ?? []));
  }
  const [first, ...others] = all;
  const required = (first?.required ?? []).filter((name) => others.every((one) => one.required.includes(name)));
  return { properties, required, isOpen: all.some((one) => one.isOpen) };
}

/** Any of several kinds of value; literals become one `enum`. */
export function anyOf(schemas: readonly JsonSchema[]): JsonSchema {
  const [only] = schemas;
  if (only && schemas.length === 1) return only;
  if (schemas.some((schema) => Object.keys(schema).length === 0)) return {};
  const literals = new Set<JsonValue>();
  const others = new Map<string, JsonSchema>();
  for (const schema of schemas) {
    if (schema.const !== undefined) literals.add(schema.const);
    else if (schema.enum) for (const value of schema.enum) literals.add(value);
    else for (const other of schema.anyOf ?? [schema]) others.set(JSON.stringify(other), other);
  }
  const all = [...(literals.size === 0 ? [] : [{ enum: [...literals] }]), ...others.values()];
  const [one] = all;
  return all.length === 1 && one ? one : { anyOf: all };
}

/** Members with those of a parent below them. */
export function joined(own: Members, parent: Members): Members {
  const redeclared = new Set(Object.keys(own.properties));
  return {
    properties: { ...parent.properties, ...own.properties },
    required: [...parent.required.filter((name) => !redeclared.has(name)), ...own.required],
    isOpen: own.isOpen || parent.isOpen,
  };
}
