import type * as Oxc from 'oxc-parser';
import type { JsonSchema, JsonValue } from '../../config/index.ts';
import type { SourceModule } from './parseModule.ts';

/** What an expression is known to give without running it. */
export type StaticValue =
  | { readonly kind: 'data'; readonly value: JsonValue | undefined }
  | { readonly kind: 'list'; readonly items: readonly StaticValue[] }
  | { readonly kind: 'object'; readonly entries: ReadonlyMap<string, StaticValue> }
  | { readonly kind: 'schema'; readonly schema: JsonSchema; readonly isOptional: boolean }
  | { readonly kind: 'function'; readonly node: FunctionNode; readonly module: SourceModule }
  /** The namespace that `import { z } from 'zod'` gives. */
  | { readonly kind: 'zod' }
  | { readonly kind: 'unknown' };

export type FunctionNode = Oxc.Function | Oxc.ArrowFunctionExpression;

export const UNKNOWN: StaticValue = { kind: 'unknown' };

export function data(value: JsonValue | undefined): StaticValue {
  return { kind: 'data', value };
}

/** The value as JSON; undefined where some of it is not known. */
export function toJson(value: StaticValue): JsonValue | undefined {
  switch (value.kind) {
    case 'data':
      return value.value;
    case 'list': {
      const items = value.items.map(toJson);
      return items.every((item) => item !== undefined) ? items : undefined;
    }
    case 'object': {
      const entries = [...value.entries].map(([key, item]) => [key, toJson(item)] as const);
      return entries.every(([, item]) => item !== undefined)
        ? Object.fromEntries(entries.flatMap(([key, item]) => (item === undefined ? [] : [[key, item]])))
        : undefined;
    }
    default:
      return undefined;
  }
}

export function toNumber(value: StaticValue | undefined): number | undefined {
  return value?.kind === 'data' && typeof value.value === 'number' ? value.value : undefined;
}

export function toText(value: StaticValue | undefined): string | undefined {
  return value?.kind === 'data' && typeof value.value === 'string' ? value.value : undefined;
}
