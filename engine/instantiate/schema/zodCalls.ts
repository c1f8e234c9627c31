import type { JsonSchema, JsonType, JsonValue } from '../../config/index.ts';
import { type StaticValue, toJson, toNumber, toText, UNKNOWN } from './staticValue.ts';

type Schema = Extract<StaticValue, { kind: 'schema' }>;

function schema(json: JsonSchema, isOptional = false): Schema {
  return { kind: 'schema', schema: json, isOptional };
}

const simple: Readonly<Record<string, JsonType>> = {
  string: 'string',
  number: 'number',
  int: 'integer',
  boolean: 'boolean',
  null: 'null',
};

/** What `z.NAME(…)` describes. A kind that says nothing of use for a config allows anything. */
export function zodConstructor(name: string, args: readonly StaticValue[]): StaticValue {
  const [first, second] = args;
  const type = simple[name];
  if (type) return schema({ type });
  switch (name) {
    case 'literal':
      return literal(first);
    case 'enum':
      return enumeration(first);
    case 'array':
      return schema({ type: 'array', ...withItems(first) });
    case 'tuple':
      return tuple(first);
    case 'record':
      return schema({ type: 'object', ...(second?.kind === 'schema' ? { additionalProperties: second.schema } : {}) });
    case 'union':
      return union(first?.kind === 'list' ? first.items : []);
    case 'discriminatedUnion':
      return union(second?.kind === 'list' ? second.items : []);
    case 'object':
    case 'strictObject':
      return object(first, false);
    case 'looseObject':
      return object(first, true);
    case 'optional':
    case 'nullable':
    case 'nullish':
      return first?.kind === 'schema' ? zodMethod(first, name, []) : schema({});
    default:
      return schema({});
  }
}

function literal(value: StaticValue | undefined): StaticValue {
  if (value?.kind === 'list') return enumeration(value);
  const only = value && toJson(value);
  return schema(only === undefined ? {} : { const: only });
}

function enumeration(value: StaticValue | undefined): StaticValue {
  const members = value?.kind === 'object' ? [...value.entries.values()] : value?.kind === 'list' ? value.items : [];
  const values = members.map(toJson);
  const known = values.filter((one): one is JsonValue => one !== undefined);
  return schema(known.length > 0 && known.length === values.length ? { enum: known } : {});
}

function tuple(value: StaticValue | undefined): StaticValue {
  if (value?.kind !== 'list') return schema({ type: 'array' });
  const prefixItems = value.items.map((item) => (item.kind === 'schema' ? item.schema : {}));
  return schema({ type: 'array', prefixItems, minItems: prefixItems.length, maxItems: prefixItems.length });
}

function union(options: readonly StaticValue[]): StaticValue {
  const anyOf = options.map((option) => (option.kind === 'schema' ? option.schema : {}));
  const isOptional = options.some((option) => option.kind === 'schema' && option.isOptional);
  return schema(anyOf.length === 0 || anyOf.some(isAnything) ? {} : { anyOf }, isOptional);
}

function isAnything(json: JsonSchema): boolean {
  return Object.keys(json).length === 0;
}

function withItems(item: StaticValue | undefined): JsonSchema {
  return item?.kind === 'schema' ? { items: item.schema } : {};
}

/** The schema of an object literal of schemas. Keys that cannot be told leave it open. */
function object(shape: StaticValue | undefined, isOpen: boolean): StaticValue {
  if (shape?.kind !== 'object') return schema({ type: 'object', additionalProperties: true });
  const properties: Record<string, JsonSchema> = {};
  const required: string[] = [];
  for (const [key, value] of shape.entries) {
    properties[key] = value.kind === 'schema' ? value.schema : {};
    if (value.kind === 'schema' && !value.isOptional) required.push(key);
  }
  return schema({ type: 'object', properties, required, additionalProperties: isOpen });
}

/** What `schema.NAME(…)` makes of a schema; checks that are code change nothing. */
export function zodMethod(self: Schema, name: string, args: readonly StaticValue[]): StaticValue {
  const [first] = args;
  const json = self.schema;
  const limit = toNumber(first);
  const also = (more: JsonSchema): Schema => schema({ ...json, ...more }, self.isOptional);
  switch (name) {
    case 'optional':
    case 'catch':
      return schema(json, true);
    case 'nullable':
      return schema(orNull(json), self.isOptional);
    case 'nullish':
      return schema(orNull(json), true);
    case 'default':
    case 'prefault': {
      const preset = first && toJson(first);
      return schema(preset === undefined ? json : { ...json, default: preset }, true);
    }
    case 'describe':
      return withText(self, first);
    case 'meta':
      return withText(self, first?.kind === 'object' ? first.entries.get('description') : undefined);
    case 'int':
      return also({ type: 'integer' });
    case 'positive':
      return also({ exclusiveMinimum: 0 });
    case 'nonnegative':
      return also({ minimum: 0 });
    case 'negative':
      return also({ exclusiveMaximum: 0 });
    case 'nonpositive':
      return also({ maximum: 0 });
    case 'min':
    case 'gte':
      return limit === undefined ? self : also(bound(json, 'least', limit));
    case 'max':
    case 'lte':
      return limit === undefined ? self : also(bound(json, 'most', limit));
    case 'gt':
      return limit === undefined ? self : also({ exclusiveMinimum: limit });
    case 'lt':
      return limit === undefined ? self : also({ exclusiveMaximum: limit });
    case 'length':
      return limit === undefined ? self : also({ ...bound(json, 'least', limit), ...bound(json, 'most', limit) });
    case 'nonempty':
      return also(bound(json, 'least', 1));
    case 'or':
      return union([self, ...args]);
    case 'array':
      return schema({ type: 'array', items: json });
    case 'loose':
    case 'passthrough':
    case 'catchall':
      return also({ additionalProperties: true });
    case 'partial':
      return also({ required: [] });
    case 'extend':
    case 'safeExtend':
    case 'merge':
      return extended(self, first);
    case 'omit':
    case 'pick':
      return chosen(self, first, name === 'pick');
    default:
      return self;
  }
}

function withText(self: Schema, value: StaticValue | undefined): Schema {
  const description = toText(value);
  return description === undefined ? self : schema({ ...self.schema, description }, self.isOptional);
}

function orNull(json: JsonSchema): JsonSchema {
  const { description, default: preset, ...value } = json;
  if (isAnything(value)) return json;
  return {
    anyOf: [...(value.anyOf ?? [value]), { type: 'null' }],
    ...(description === undefined ? {} : { description }),
    ...(preset === undefined ? {} : { default: preset }),
  };
}

function bound({ type }: JsonSchema, which: 'least' | 'most', limit: number): JsonSchema {
  if (type === 'array') return which === 'least' ? { minItems: limit } : { maxItems: limit };
  if (type === 'string') return which === 'least' ? { minLength: limit } : { maxLength: limit };
  return which === 'least' ? { minimum: limit } : { maximum: limit };
}

function extended(self: Schema, more: StaticValue | undefined): StaticValue {
  const other = more?.kind === 'schema' ? more : object(more, false);
  if (other.kind !== 'schema') return UNKNOWN;
  const keys = new Set(Object.keys(other.schema.properties ?? {}));
  const isOpen = self.schema.additionalProperties === true || other.schema.additionalProperties === true;
  return schema({
    ...self.schema,
    properties: { ...self.schema.properties, ...other.schema.properties },
    required: [...(self.schema.required ?? []).filter((key) => !keys.has(key)), ...(other.schema.required ?? [])],
    additionalProperties: isOpen,
  });
}

function chosen(self: Schema, names: StaticValue | undefined, isPick: boolean): StaticValue {
  if (names?.kind !== 'object') return schema({ type: 'object', additionalProperties: true });
  const keeps = (key: string): boolean => names.entries.has(key) === isPick;
  const properties = Object.entries(self.schema.properties ?? {}).filter(([key]) => keeps(key));
  const required = (self.schema.required ?? []).filter(keeps);
  return schema({ ...self.schema, properties: Object.fromEntries(properties), required });
}
