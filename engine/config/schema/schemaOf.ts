import { childFullKey, fullKeyOf, keyText } from '../container/fullKey.ts';
import type { ConfigNode } from '../node/node.ts';
import { own } from './checkValue.ts';
import type { JsonSchema, JsonValue, TargetParameter, TargetSchemas } from './jsonSchema.ts';
import type { GivenAtCall } from './problem.ts';
import type { ComposedTree } from './validate.ts';
import { CONTROL_KEYS, followWith, targetNodes } from './walkTargets.ts';

/** What is known of one option of a target in a config. */
export interface OptionInfo {
  /** Dotted path, also of options that the config does not set. */
  readonly path: string;
  readonly target: string;
  readonly schema: JsonSchema;
  readonly isRequired: boolean;
  /** Whether the config has a value for it. */
  readonly isSet: boolean;
  readonly default: JsonValue | undefined;
  readonly doc: string | undefined;
}

export interface SchemaOptions {
  /** What the program adds to the target at a path. */
  readonly givenAt?: (path: string) => GivenAtCall | undefined;
}

/** Type, default, range, doc and choices of every option that the targets of a config state, by dotted path. */
export function schemaOf(
  { config, context }: ComposedTree,
  targets: TargetSchemas,
  options: SchemaOptions = {},
): ReadonlyMap<string, OptionInfo> {
  const infos = new Map<string, OptionInfo>();
  for (const { node, target, args } of targetNodes([config], followWith(context))) {
    const before = argsAt(node, options);
    const found = args === undefined ? undefined : targets(target, args.length + before);
    for (const [index, argument] of (args ?? []).entries()) {
      const parameter = found?.parameters?.[before + index];
      if (parameter === undefined) continue;
      const { schema, isRequired } = parameter;
      const path = fullKeyOf(argument);
      const doc = schema.description ?? parameter.name;
      infos.set(path, { path, target, schema, isRequired, isSet: true, default: schema.default, doc });
    }
    for (const [name, schema] of Object.entries(found?.options.properties ?? {})) {
      const path = childFullKey(node, name);
      infos.set(path, {
        path,
        target,
        schema,
        isRequired: found?.options.required?.includes(name) ?? false,
        isSet: node.has(name),
        default: schema.default,
        doc: schema.description,
      });
    }
  }
  return infos;
}

/**
 * JSON Schema (2020-12) of the config's files, for editors: what targets state for their options, the shape of the rest.
 * Every value may also be an interpolation or `???`.
 */
export function jsonSchemaOf(
  composition: ComposedTree,
  targets: TargetSchemas,
  options: SchemaOptions = {},
): JsonSchema {
  const follow = followWith(composition.context);
  const byNode = new Map([...targetNodes([composition.config], follow)].map((found) => [found.node, found]));
  const schemaOfNode = (node: ConfigNode): JsonSchema => {
    if (node.kind === 'scalar') return {};
    if (node.kind === 'list') return { type: 'array' };
    const found = byNode.get(node);
    const stated =
      found?.args === undefined ? undefined : targets(found.target, found.args.length + argsAt(node, options));
    const properties: Record<string, JsonSchema> = {};
    for (const child of node.values()) {
      const key = keyText(child.key ?? '');
      if (!CONTROL_KEYS.has(key) && own(stated?.options.properties, key) === undefined) {
        define(properties, key, schemaOfNode(child));
      }
    }
    for (const [key, schema] of Object.entries(stated?.options.properties ?? {})) {
      const child = node.get(key);
      // A section that builds an object says more than the type of the object.
      define(properties, key, child?.kind === 'dict' ? schemaOfNode(child) : orText(schema));
    }
    if (!found) return { type: 'object', properties };
    define(properties, '_target_', { type: 'string', default: found.target });
    const positional = stated?.parameters?.slice(argsAt(node, options)) ?? [];
    if (positional.length > 0) define(properties, '_args_', argumentsSchema(positional));
    for (const key of CONTROL_KEYS) if (!Object.hasOwn(properties, key)) define(properties, key, {});
    return {
      type: 'object',
      ...(stated?.doc === undefined ? {} : { description: stated.doc }),
      properties,
      // A file of another group may choose another target: what is missing here may stand there.
      additionalProperties: stated === undefined || stated.options.additionalProperties !== false,
    };
  };
  const { properties, ...rest } = schemaOfNode(composition.config);
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    ...rest,
    properties: { defaults: { type: 'array', description: 'What this config is composed of.' }, ...properties },
  };
}

/** The list of arguments by position, for editors. */
function argumentsSchema(parameters: readonly TargetParameter[]): JsonSchema {
  const rest = parameters.at(-1)?.isRest ? parameters.at(-1) : undefined;
  const named = rest ? parameters.slice(0, -1) : parameters;
  return {
    anyOf: [
      {
        type: 'array',
        prefixItems: named.map(({ name, schema }) => ({ title: name, ...orText(schema) })),
        ...(rest ? { items: orText(rest.schema) } : { maxItems: named.length }),
      },
      UNRESOLVED,
    ],
  };
}

function argsAt(node: ConfigNode, { givenAt }: SchemaOptions): number {
  return givenAt?.(fullKeyOf(node))?.args ?? 0;
}

const UNRESOLVED: JsonSchema = { type: 'string', pattern: '\\$\\{|^\\?\\?\\?$' };

function orText(schema: JsonSchema): JsonSchema {
  const { description, default: preset, ...value } = schema;
  if (Object.keys(value).length === 0) return schema;
  return {
    anyOf: [...(value.anyOf ?? [value]), UNRESOLVED],
    ...(description === undefined ? {} : { description }),
    ...(preset === undefined ? {} : { default: preset }),
  };
}

/** Sets an own property, also one named `__proto__`. */
function define(target: Record<string, JsonSchema>, key: string, value: JsonSchema): void {
  Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true });
}
