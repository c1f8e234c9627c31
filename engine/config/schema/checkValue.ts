import { nearest } from '../../base/nearest.ts';
import type { ConfigNode } from '../node/node.ts';
import { describeRange, describeSchema, type JsonSchema, type JsonType, type JsonValue } from './jsonSchema.ts';

/** Gives the node that another one stands for; undefined when it cannot be known here. */
export type Follow = (node: ConfigNode) => ConfigNode | undefined;

/** A value that a schema does not allow. */
export interface Mismatch {
  readonly node: ConfigNode;
  /** 'must be a number ≥ 0, not -1' */
  readonly reason: string;
  /** A sentence with what was probably meant. */
  readonly hint?: string;
}

/**
 * The first place where a value is not what its schema allows. What cannot be known (an object built by a target, an
 * interpolation that cannot be followed here, `???`) passes.
 */
export function checkValue(given: ConfigNode, schema: JsonSchema, follow: Follow): Mismatch | undefined {
  const node = follow(given);
  if (node === undefined || node.isMissing || (node.kind === 'dict' && node.has('_target_'))) return undefined;
  if (schema.anyOf) {
    const mismatches = schema.anyOf.map((option) => checkValue(node, option, follow));
    if (mismatches.includes(undefined)) return undefined;
    // Of several kinds the one that the value has says best what is wrong.
    const sameKind = schema.anyOf.findIndex((option) => hasType(node, option));
    return mismatches[sameKind] ?? wrong(given, node, describeSchema(schema));
  }
  const allowed = schema.const === undefined ? schema.enum : [schema.const];
  if (allowed) {
    const isAllowed = node.kind === 'scalar' && allowed.some((value) => value === scalarOf(node));
    return isAllowed ? undefined : wrong(given, node, describeSchema(schema), didYouMeanOne(node, allowed));
  }
  if (!hasType(node, schema)) return wrong(given, node, describeSchema(schema));
  if (node.kind === 'scalar') return checkNumber(given, node, schema);
  return node.kind === 'list' ? checkList(node, schema, follow) : checkDict(node, schema, follow);
}

function checkNumber(given: ConfigNode, node: ConfigNode, schema: JsonSchema): Mismatch | undefined {
  const value = node.kind === 'scalar' ? node.value : undefined;
  if (typeof value !== 'number' && typeof value !== 'bigint') return undefined;
  const isInRange =
    (schema.minimum === undefined || value >= schema.minimum) &&
    (schema.maximum === undefined || value <= schema.maximum) &&
    (schema.exclusiveMinimum === undefined || value > schema.exclusiveMinimum) &&
    (schema.exclusiveMaximum === undefined || value < schema.exclusiveMaximum);
  return isInRange ? undefined : wrong(given, node, describeRange(schema));
}

function checkList(node: ConfigNode, schema: JsonSchema, follow: Follow): Mismatch | undefined {
  if (node.kind !== 'list') return undefined;
  const { minItems = 0, maxItems = Number.POSITIVE_INFINITY } = schema;
  const count = node.items.length;
  if (count < minItems || count > maxItems) {
    const wanted =
      minItems === maxItems ? `${minItems}` : count < minItems ? `at least ${minItems}` : `at most ${maxItems}`;
    return { node, reason: `must have ${wanted} items, not ${count}` };
  }
  for (const [index, item] of node.items.entries()) {
    const itemSchema = schema.prefixItems?.[index] ?? schema.items;
    const mismatch = itemSchema && checkValue(item, itemSchema, follow);
    if (mismatch) return mismatch;
  }
  return undefined;
}

/** Keys beside the known ones pass: a mapping is often data rather than options. */
function checkDict(node: ConfigNode, schema: JsonSchema, follow: Follow): Mismatch | undefined {
  if (node.kind !== 'dict') return undefined;
  for (const child of node.values()) {
    const known = typeof child.key === 'string' ? own(schema.properties, child.key) : undefined;
    const rest = typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined;
    const childSchema = known ?? rest;
    const mismatch = childSchema && checkValue(child, childSchema, follow);
    if (mismatch) return mismatch;
  }
  return undefined;
}

export function own<T>(record: Readonly<Record<string, T>> | undefined, key: string): T | undefined {
  return record !== undefined && Object.hasOwn(record, key) ? record[key] : undefined;
}

function hasType(node: ConfigNode, { type, const: only, enum: values }: JsonSchema): boolean {
  if (only !== undefined || values) return node.kind === 'scalar' && typeof node.value === typeof (only ?? values?.[0]);
  if (type === undefined) return true;
  const types: readonly JsonType[] = typeof type === 'string' ? [type] : type;
  return types.some((one) => isOfType(node, one));
}

function isOfType(node: ConfigNode, type: JsonType): boolean {
  if (type === 'array') return node.kind === 'list';
  if (type === 'object') return node.kind === 'dict';
  if (node.kind !== 'scalar') return false;
  const { value } = node;
  if (type === 'null') return value === null;
  if (type === 'number') return typeof value === 'number' || typeof value === 'bigint';
  if (type === 'integer') return typeof value === 'bigint' || Number.isInteger(value);
  // Bytes have no type of their own here.
  return typeof value === type || (type === 'string' && value instanceof Uint8Array);
}

function scalarOf(node: ConfigNode): unknown {
  return node.kind === 'scalar' ? node.value : undefined;
}

function wrong(given: ConfigNode, node: ConfigNode, wanted: string, hint?: string): Mismatch {
  const reason = `must be ${wanted}, not ${shown(node)}${through(given, node)}`;
  return hint === undefined ? { node: given, reason } : { node: given, reason, hint };
}

export function hintOf({ hint }: Mismatch): string {
  return hint === undefined ? '' : ` ${hint}`;
}

function didYouMeanOne(node: ConfigNode, allowed: readonly JsonValue[]): string | undefined {
  const value = scalarOf(node);
  if (typeof value !== 'string') return undefined;
  const meant = nearest(
    value,
    allowed.filter((one) => typeof one === 'string'),
  );
  return meant === undefined ? undefined : `Did you mean '${meant}'?`;
}

function shown(node: ConfigNode): string {
  if (node.kind !== 'scalar') return node.kind === 'list' ? 'a list' : 'a mapping';
  return typeof node.value === 'string' ? `the text '${node.value}'` : String(node.value);
}

function through(given: ConfigNode, node: ConfigNode): string {
  return given !== node && given.kind === 'scalar' && given.isInterpolation ? ` (from ${String(given.value)})` : '';
}
