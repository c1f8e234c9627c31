/** What a value may be, in the part of JSON Schema (2020-12) that options of classes and factories need. */
export interface JsonSchema {
  readonly type?: JsonType | readonly JsonType[];
  readonly const?: JsonValue;
  readonly enum?: readonly JsonValue[];
  readonly anyOf?: readonly JsonSchema[];
  readonly items?: JsonSchema;
  readonly prefixItems?: readonly JsonSchema[];
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly multipleOf?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly default?: JsonValue;
  readonly description?: string;
  readonly title?: string;
  readonly $schema?: string;
}

export type JsonType = 'null' | 'boolean' | 'integer' | 'number' | 'string' | 'array' | 'object';
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/** A parameter of a target, given by position: an item of `_args_`. */
export interface TargetParameter {
  readonly name: string;
  /** Of a rest parameter, what each further argument may be. */
  readonly schema: JsonSchema;
  readonly isRequired: boolean;
  readonly isRest: boolean;
}

/** What a target takes as its arguments. */
export interface TargetSchema {
  /** As the config names it. */
  readonly target: string;
  /** An object; its `additionalProperties: true` means that more options than these are welcome or not known. */
  readonly options: JsonSchema;
  /** True when it takes no object of options where they would come: all of its arguments go by position. */
  readonly isPositional?: boolean;
  /** All parameters in order; undefined where they are not known. */
  readonly parameters?: readonly TargetParameter[];
  /** What its author says of it. */
  readonly doc?: string | undefined;
  /** The file, line and column (from 1) where it is written. */
  readonly source?: { readonly file: string; readonly line: number; readonly column: number } | undefined;
}

/** Looks a target's options up without running it; undefined where nothing is known. `args` is how many come before them. */
export type TargetSchemas = (target: string, args: number) => TargetSchema | undefined;

/** `number ≥ 0`, `'min' or 'max'`, `list of integer`: what a person needs to know of a schema. */
export function describeSchema(schema: JsonSchema): string {
  if (schema.anyOf) return [...new Set(schema.anyOf.map(describeSchema))].join(' or ');
  if (schema.const !== undefined) return quoted(schema.const);
  if (schema.enum) return schema.enum.map(quoted).join(' or ');
  if (typeof schema.type === 'string') return describeType(schema.type, schema);
  if (schema.type) return schema.type.map((type) => describeType(type, schema)).join(' or ');
  return 'anything';
}

function describeType(type: JsonType, schema: JsonSchema): string {
  if (type === 'array') {
    const count = schema.minItems !== undefined && schema.minItems === schema.maxItems ? ` of ${schema.minItems}` : '';
    const [first] = schema.prefixItems ?? [];
    const item = schema.items ?? first;
    if (item) return `a list${count === '' ? ' of' : `${count}, each`} ${describeSchema(item)}`;
    return `a list${count && `${count} items`}`;
  }
  if (type === 'object') return schema.title === undefined ? 'a mapping' : `an object (${schema.title})`;
  if (type === 'null') return 'null';
  const name =
    type === 'string'
      ? 'a text'
      : type === 'boolean'
        ? 'true or false'
        : type === 'integer'
          ? 'a whole number'
          : 'a number';
  const bounds = type === 'integer' || type === 'number' ? describeRange(schema) : '';
  return `${name}${bounds && ` ${bounds}`}`;
}

/** `≥ 0 and < 1`; empty without limits. */
export function describeRange(schema: JsonSchema): string {
  const limits = [
    [schema.minimum, '≥'],
    [schema.exclusiveMinimum, '>'],
    [schema.maximum, '≤'],
    [schema.exclusiveMaximum, '<'],
  ] as const;
  return limits.flatMap(([limit, sign]) => (limit === undefined ? [] : [`${sign} ${limit}`])).join(' and ');
}

function quoted(value: JsonValue): string {
  return typeof value === 'string' ? `'${value}'` : JSON.stringify(value);
}
