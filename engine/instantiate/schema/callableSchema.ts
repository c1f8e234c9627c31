import type * as Oxc from 'oxc-parser';
import type { JsonSchema, TargetParameter, TargetSchema } from '../../config/index.ts';
import { docBefore, parameterDoc } from './docComment.ts';
import { type Evaluator, propertyName } from './evaluate.ts';
import { anyOf, type Members, mergedMembers } from './members.ts';
import { isClass, positionOf, type SourceModule } from './parseModule.ts';
import type { Signature, SignatureReader } from './signatures.ts';
import type { Found } from './sourceReader.ts';
import { type StaticValue, toJson } from './staticValue.ts';
import { allowsUndefined, type TypeReader } from './typeSchema.ts';

/** Options that one way of calling takes; undefined where that is not known. */
type Options = JsonSchema | 'none' | undefined;

const ANYTHING: JsonSchema = { type: 'object', additionalProperties: true };
const NOTHING: JsonSchema = { type: 'object', properties: {}, additionalProperties: false };

export interface CallableReaderParts {
  readonly evaluator: Evaluator;
  readonly types: TypeReader;
  readonly signatures: SignatureReader;
}

/** Reads what a class or function takes: a schema of its own, else the types of its parameters. */
export class CallableReader {
  readonly #parts: CallableReaderParts;

  constructor(parts: CallableReaderParts) {
    this.#parts = parts;
  }

  /** `args` positional arguments come before the object of options. Undefined when nothing is known. */
  read(target: string, found: Found, args: number): TargetSchema | undefined {
    const { module, declaration } = found;
    const signatures = this.#parts.signatures.signatures(found);
    const parameters = mergedParameters(signatures.map((signature) => this.#parameters(signature)));
    const stated = this.#stated(found, 0);
    const options = stated ?? mergedOptions(signatures.map((signature) => this.#options(signature, args)));
    const isKnown = options !== undefined || parameters.some(({ schema }) => Object.keys(schema).length > 0);
    if (!isKnown) return undefined;
    const [signature] = signatures;
    const doc = docBefore(module, declaration.start) ?? (signature && docBefore(signature.module, signature.start));
    return {
      target,
      options: options === 'none' ? NOTHING : (options ?? ANYTHING),
      ...(options === 'none' ? { isPositional: true } : {}),
      ...(signatures.length === 0 ? {} : { parameters }),
      doc: doc?.text,
      source: { file: module.file, ...positionOf(module, declaration.start) },
    };
  }

  /** `static optionsSchema`, also an inherited one, or `factory.optionsSchema = …` beside a function. */
  #stated({ module, declaration }: Found, depth: number): JsonSchema | undefined {
    if (depth > 10) return undefined;
    if (isClass(declaration)) return this.#statedByClass(declaration, module, depth);
    if (declaration.type === 'VariableDeclarator' && declaration.init && isClass(declaration.init)) {
      return this.#statedByClass(declaration.init, module, depth);
    }
    const id =
      declaration.type === 'FunctionDeclaration' || declaration.type === 'VariableDeclarator' ? declaration.id : null;
    return id?.type === 'Identifier' ? this.#assigned(id.name, module) : undefined;
  }

  #statedByClass(node: Oxc.Class, module: SourceModule, depth: number): JsonSchema | undefined {
    let hasConstructor = false;
    for (const member of node.body.body) {
      if (member.type === 'MethodDefinition' && member.kind === 'constructor') hasConstructor = true;
      const isSchema =
        member.type === 'PropertyDefinition' &&
        member.static &&
        propertyName(member.key, member.computed) === 'optionsSchema';
      if (isSchema && member.value) return asOptions(this.#parts.evaluator.evaluate(member.value, module));
    }
    if (hasConstructor) return undefined;
    const parent = this.#parts.signatures.parent(node, module);
    return parent && this.#stated(parent, depth + 1);
  }

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
      if (isSchema) return asOptions(this.#parts.evaluator.evaluate(right, module));
    }
    return undefined;
  }

  #parameters(signature: Signature): TargetParameter[] {
    const { module, parameters, start } = signature;
    const doc = docBefore(module, start);
    return parameters.map((parameter): TargetParameter => {
      const { pattern, type, isRest, isOptional } = parameterParts(parameter);
      const name = pattern?.type === 'Identifier' ? pattern.name : 'options';
      const schema = type && !mentions(type, signature) ? this.#parts.types.schema(type, module) : {};
      const itemsOnly = isRest ? (schema.items ?? {}) : schema;
      const description = parameterDoc(doc, name);
      return {
        name,
        schema: description === undefined ? itemsOnly : { ...itemsOnly, description },
        // Without a type it is plain JavaScript, where any argument may be left out.
        isRequired: type !== undefined && !isOptional && !isRest && !allowsUndefined(type),
        isRest,
      };
    });
  }

  #options(signature: Signature, index: number): Options {
    const { module, parameters, body } = signature;
    const given = parameters[index];
    if (given === undefined) {
      const takesMore = parameters.at(-1)?.type === 'RestElement' || usesArguments(signature);
      return takesMore ? undefined : 'none';
    }
    const { pattern, type, isRest } = parameterParts(given);
    if (pattern === undefined || isRest) return undefined;
    if (type && mentions(type, signature)) return undefined;
    if (type && this.#parts.types.isNeverMapping(type, module)) return 'none';
    const members = type ? this.#parts.types.members(type, module) : untyped(pattern);
    if (members === undefined) return undefined;
    const defaults = new Map([
      ...this.#destructured(pattern, module),
      ...(pattern.type === 'Identifier' ? this.#destructuredInside(pattern.name, body, module) : []),
    ]);
    return withDefaults(members, defaults);
  }

  /** `const { width = 64 } = options;` at the start of a body. */
  #destructuredInside(name: string, body: Signature['body'], module: SourceModule): [string, StaticValue][] {
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
      return name === undefined ? [] : [[name, this.#parts.evaluator.evaluate(property.value.right, module)]];
    });
  }
}

/** Old JavaScript takes arguments that it does not name. */
function usesArguments({ module, body }: Signature): boolean {
  return body !== null && /\barguments\b/.test(module.text.slice(body.start, body.end));
}

interface ParameterParts {
  readonly pattern?: Oxc.BindingPattern | undefined;
  readonly type?: Oxc.TSType | undefined;
  readonly isRest: boolean;
  readonly isOptional: boolean;
}

function parameterParts(parameter: Oxc.ParamPattern): ParameterParts {
  if (parameter.type === 'RestElement') {
    const { argument, typeAnnotation } = parameter;
    return { pattern: argument, type: typeAnnotation?.typeAnnotation, isRest: true, isOptional: true };
  }
  const inner = parameter.type === 'TSParameterProperty' ? parameter.parameter : parameter;
  const pattern = inner.type === 'AssignmentPattern' ? inner.left : inner;
  const type = pattern.typeAnnotation?.typeAnnotation ?? inner.typeAnnotation?.typeAnnotation;
  const isOptional = inner.type === 'AssignmentPattern' || ('optional' in pattern && Boolean(pattern.optional));
  return { pattern, type, isRest: false, isOptional };
}

/** Whether a type is one of the function's own type parameters: then it may be anything. */
function mentions(type: Oxc.TSType, { typeParameters }: Signature): boolean {
  if (type.type === 'TSUnionType') return type.types.some((part) => mentions(part, { typeParameters } as Signature));
  if (type.type !== 'TSTypeReference' || type.typeName.type !== 'Identifier') return false;
  const { name } = type.typeName;
  return typeParameters.some((parameter) => parameter.name.name === name);
}

/** Plain JavaScript says the names that it takes out of its argument. */
function untyped(pattern: Oxc.BindingPattern): Members | undefined {
  if (pattern.type !== 'ObjectPattern') return undefined;
  const properties: Record<string, JsonSchema> = {};
  let isOpen = false;
  for (const property of pattern.properties) {
    const name = property.type === 'Property' ? propertyName(property.key, property.computed) : undefined;
    if (name === undefined) isOpen = true;
    else properties[name] = {};
  }
  return { properties, required: [], isOpen };
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

/** What any of several ways to call takes. */
function mergedOptions(ways: readonly Options[]): Options {
  const [first, ...others] = ways;
  if (others.length === 0) return first;
  if (ways.includes(undefined)) return undefined;
  const schemas = ways.filter((way): way is JsonSchema => way !== 'none' && way !== undefined);
  if (schemas.length === 0) return 'none';
  const { properties, required, isOpen } = mergedMembers(
    schemas.map((schema) => ({
      properties: schema.properties ?? {},
      required: schema.required ?? [],
      isOpen: schema.additionalProperties !== false,
    })),
  );
  // One that takes no options at all needs none.
  return {
    type: 'object',
    properties,
    required: schemas.length < ways.length ? [] : required,
    additionalProperties: isOpen,
  };
}

function mergedParameters(ways: readonly (readonly TargetParameter[])[]): readonly TargetParameter[] {
  const [first = [], ...others] = ways;
  if (others.length === 0) return first;
  const longest = ways.reduce((all, way) => (way.length > all.length ? way : all), first);
  return longest.map((parameter, index) => {
    const same = ways.flatMap((way) => way[index] ?? []);
    return {
      ...parameter,
      schema: anyOf(same.map(({ schema }) => schema)),
      isRequired: same.length === ways.length && same.every(({ isRequired }) => isRequired),
      isRest: same.some(({ isRest }) => isRest),
    };
  });
}

/** A zod schema, or JSON Schema written as a literal. */
function asOptions(value: StaticValue): JsonSchema | undefined {
  if (value.kind === 'schema') return value.schema.properties ? value.schema : undefined;
  const json = toJson(value);
  const isObject = typeof json === 'object' && json !== null && 'properties' in json;
  return isObject ? (json as JsonSchema) : undefined;
}
