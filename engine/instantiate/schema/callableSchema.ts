import type * as Oxc from 'oxc-parser';
import type { JsonSchema, TargetSchema } from '../../config/index.ts';
import { type Evaluator, propertyName } from './evaluate.ts';
import { docBefore, type Found, positionOf, type SourceModule, type SourceReader } from './sourceModule.ts';
import { type StaticValue, toJson } from './staticValue.ts';
import type { Members, TypeReader } from './typeSchema.ts';

type Parameter = Oxc.ParamPattern;

/** Reads what a class or factory states of its options: a schema of its own, else the type of its parameter. */
export class CallableReader {
  readonly #reader: SourceReader;
  readonly #evaluator: Evaluator;
  readonly #types: TypeReader;

  constructor(reader: SourceReader, evaluator: Evaluator, types: TypeReader) {
    this.#reader = reader;
    this.#evaluator = evaluator;
    this.#types = types;
  }

  /** `args` positional arguments come before the object of options. Undefined when nothing is known. */
  read(target: string, found: Found, args: number): TargetSchema | undefined {
    const options = this.#options(found, args, 0);
    if (options === undefined) return undefined;
    const { module, declaration } = found;
    const start = declaration.start;
    return {
      target,
      options,
      doc: docBefore(module, start),
      source: { file: module.file, ...positionOf(module, start) },
    };
  }

  #options(found: Found, args: number, depth: number): JsonSchema | undefined {
    const { module, declaration } = found;
    if (depth > 10) return undefined;
    switch (declaration.type) {
      case 'ClassDeclaration':
      case 'ClassExpression':
        return this.#classOptions(declaration, module, args, depth);
      case 'FunctionDeclaration': {
        const stated = declaration.id ? this.#assigned(declaration.id.name, module) : undefined;
        return stated ?? this.#parameter(declaration.params, module, args, declaration.body);
      }
      case 'VariableDeclarator': {
        const { init, id } = declaration;
        const stated = id.type === 'Identifier' ? this.#assigned(id.name, module) : undefined;
        if (stated) return stated;
        if (init?.type === 'ArrowFunctionExpression' || init?.type === 'FunctionExpression') {
          return this.#parameter(init.params, module, args, init.body);
        }
        return init?.type === 'ClassExpression' ? this.#classOptions(init, module, args, depth) : undefined;
      }
      default:
        return undefined;
    }
  }

  #classOptions(node: Oxc.Class, module: SourceModule, args: number, depth: number): JsonSchema | undefined {
    for (const member of node.body.body) {
      const isSchema =
        member.type === 'PropertyDefinition' &&
        member.static &&
        propertyName(member.key, member.computed) === 'optionsSchema';
      if (isSchema && member.value) return asOptions(this.#evaluator.evaluate(member.value, module));
    }
    const construct = node.body.body.find(
      (member) => member.type === 'MethodDefinition' && member.kind === 'constructor' && member.value.body !== null,
    );
    if (construct?.type === 'MethodDefinition') {
      const { params, body } = construct.value;
      return this.#parameter(params, module, args, body);
    }
    if (node.superClass?.type !== 'Identifier') {
      return node.superClass === null && args === 0 ? { type: 'object', additionalProperties: true } : undefined;
    }
    const parent = this.#reader.local(module, node.superClass.name);
    return parent && this.#options(parent, args, depth + 1);
  }

  /** `factory.optionsSchema = schema;` beside the function. */
  #assigned(name: string, module: SourceModule): JsonSchema | undefined {
    for (const statement of module.program.body) {
      if (statement.type !== 'ExpressionStatement' || statement.expression.type !== 'AssignmentExpression') continue;
      const { left, right } = statement.expression;
      const isSchema =
        left.type === 'MemberExpression' &&
        left.object.type === 'Identifier' &&
        left.object.name === name &&
        left.property.type === 'Identifier' &&
        left.property.name === 'optionsSchema';
      if (isSchema) return asOptions(this.#evaluator.evaluate(right, module));
    }
    return undefined;
  }

  #parameter(
    params: readonly Parameter[],
    module: SourceModule,
    index: number,
    body: Oxc.FunctionBody | Oxc.Expression | null,
  ): JsonSchema | undefined {
    const given = params[index];
    const { pattern, type } = parameterParts(given);
    const members = type && this.#types.members(type, module);
    if (pattern === undefined || members === undefined) return undefined;
    const defaults = new Map([
      ...this.#destructured(pattern, module),
      ...(pattern.type === 'Identifier' ? this.#destructuredInside(pattern.name, body, module) : []),
    ]);
    return withDefaults(members, defaults);
  }

  /** `const { width = 64 } = options;` at the start of a body. */
  #destructuredInside(
    name: string,
    body: Oxc.FunctionBody | Oxc.Expression | null,
    module: SourceModule,
  ): [string, StaticValue][] {
    if (body?.type !== 'BlockStatement') return [];
    return body.body.flatMap((statement) => {
      if (statement.type !== 'VariableDeclaration') return [];
      return statement.declarations.flatMap(({ id, init }) =>
        init?.type === 'Identifier' && init.name === name ? this.#destructured(id, module) : [],
      );
    });
  }

  #destructured(pattern: Oxc.BindingPattern, module: SourceModule): [string, StaticValue][] {
    if (pattern.type !== 'ObjectPattern') return [];
    return pattern.properties.flatMap((property): [string, StaticValue][] => {
      if (property.type !== 'Property' || property.value.type !== 'AssignmentPattern') return [];
      const name = propertyName(property.key, property.computed);
      return name === undefined ? [] : [[name, this.#evaluator.evaluate(property.value.right, module)]];
    });
  }
}

function parameterParts(parameter: Parameter | undefined): {
  readonly pattern?: Oxc.BindingPattern | undefined;
  readonly type?: Oxc.TSType | undefined;
} {
  if (parameter === undefined || parameter.type === 'RestElement') return {};
  const inner = parameter.type === 'TSParameterProperty' ? parameter.parameter : parameter;
  const pattern = inner.type === 'AssignmentPattern' ? inner.left : inner;
  const type = pattern.typeAnnotation?.typeAnnotation ?? inner.typeAnnotation?.typeAnnotation;
  return { pattern, type };
}

function withDefaults(
  { properties, required, isOpen }: Members,
  defaults: ReadonlyMap<string, StaticValue>,
): JsonSchema {
  const entries = Object.entries(properties).map(([name, schema]): [string, JsonSchema] => {
    const value = defaults.get(name);
    const preset = value && toJson(value);
    return [name, preset === undefined ? schema : { ...schema, default: preset }];
  });
  return {
    type: 'object',
    properties: Object.fromEntries(entries),
    required: required.filter((name) => !defaults.has(name)),
    additionalProperties: isOpen,
  };
}

/** A zod schema, or JSON Schema written as a literal. */
function asOptions(value: StaticValue): JsonSchema | undefined {
  if (value.kind === 'schema') return value.schema.properties ? value.schema : undefined;
  const json = toJson(value);
  const isObject = typeof json === 'object' && json !== null && 'properties' in json;
  return isObject ? (json as JsonSchema) : undefined;
}
