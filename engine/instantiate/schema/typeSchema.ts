import type * as Oxc from 'oxc-parser';
import type { JsonSchema, JsonValue } from '../../config/index.ts';
import { type Evaluator, propertyName } from './evaluate.ts';
import { docBefore, type SourceModule, type SourceReader } from './sourceModule.ts';

/** Members of an object type. `isOpen` when there may be more than could be read. */
export interface Members {
  readonly properties: Readonly<Record<string, JsonSchema>>;
  readonly required: readonly string[];
  readonly isOpen: boolean;
}

const DEEPEST = 8;
const OPEN: Members = { properties: {}, required: [], isOpen: true };

/** Turns TypeScript types into schemas by reading them; what it cannot tell allows anything. */
export class TypeReader {
  readonly #reader: SourceReader;
  readonly #evaluator: Evaluator;

  constructor(reader: SourceReader, evaluator: Evaluator) {
    this.#reader = reader;
    this.#evaluator = evaluator;
  }

  /** The members of an options type; undefined when the type is no object type at all. */
  members(type: Oxc.TSType, module: SourceModule, depth = 0): Members | undefined {
    if (depth > DEEPEST) return OPEN;
    switch (type.type) {
      case 'TSTypeLiteral':
        return this.#signatures(type.members, module, depth);
      case 'TSParenthesizedType':
        return this.members(type.typeAnnotation, module, depth);
      case 'TSIntersectionType':
        return type.types
          .map((part) => this.members(part, module, depth + 1) ?? OPEN)
          .reduce((all, part) => joined(all, part));
      case 'TSTypeReference':
        return this.#referenced(type, module, depth);
      default:
        return undefined;
    }
  }

  /** What a value of the type may be. */
  schema(type: Oxc.TSType, module: SourceModule, depth = 0): JsonSchema {
    if (depth > DEEPEST) return {};
    switch (type.type) {
      case 'TSNumberKeyword':
      case 'TSBigIntKeyword':
        return { type: 'number' };
      case 'TSStringKeyword':
      case 'TSTemplateLiteralType':
        return { type: 'string' };
      case 'TSBooleanKeyword':
        return { type: 'boolean' };
      case 'TSNullKeyword':
        return { type: 'null' };
      case 'TSLiteralType':
        return literalSchema(type.literal);
      case 'TSUnionType':
        return this.#union(type.types, module, depth);
      case 'TSArrayType':
        return { type: 'array', ...this.#items(type.elementType, module, depth) };
      case 'TSTupleType':
        return this.#tuple(type, module, depth);
      case 'TSParenthesizedType':
        return this.schema(type.typeAnnotation, module, depth);
      case 'TSTypeOperator':
        return type.operator === 'readonly' ? this.schema(type.typeAnnotation, module, depth) : {};
      case 'TSTypeLiteral':
        return objectSchema(this.#signatures(type.members, module, depth));
      case 'TSTypeReference':
        return this.#reference(type, module, depth);
      default:
        return {};
    }
  }

  #items(type: Oxc.TSType | undefined, module: SourceModule, depth: number): JsonSchema {
    const items = type === undefined ? {} : this.schema(type, module, depth + 1);
    return Object.keys(items).length === 0 ? {} : { items };
  }

  #tuple(type: Oxc.TSTupleType, module: SourceModule, depth: number): JsonSchema {
    const isPlain = type.elementTypes.every((one) => one.type !== 'TSRestType' && one.type !== 'TSOptionalType');
    if (!isPlain) return { type: 'array' };
    const prefixItems = type.elementTypes.map((one): JsonSchema => {
      if (one.type === 'TSRestType' || one.type === 'TSOptionalType') return {};
      return this.schema(one.type === 'TSNamedTupleMember' ? labelled(one) : one, module, depth + 1);
    });
    return { type: 'array', prefixItems, minItems: prefixItems.length, maxItems: prefixItems.length };
  }

  /** `undefined` beside others only says that the key may be left out. Literals of a union become one `enum`. */
  #union(types: readonly Oxc.TSType[], module: SourceModule, depth: number): JsonSchema {
    const given = types.filter((type) => type.type !== 'TSUndefinedKeyword');
    const schemas = given.map((type) => this.schema(type, module, depth + 1));
    if (schemas.some((schema) => Object.keys(schema).length === 0)) return {};
    const literals: JsonValue[] = [];
    const others: JsonSchema[] = [];
    for (const schema of schemas) {
      if (schema.const !== undefined) literals.push(schema.const);
      else if (schema.enum) literals.push(...schema.enum);
      else if (schema.anyOf) others.push(...schema.anyOf);
      else others.push(schema);
    }
    const all = literals.length === 0 ? others : [{ enum: literals }, ...others];
    const [only] = all;
    return all.length === 1 && only ? only : { anyOf: all };
  }

  #reference(type: Oxc.TSTypeReference, module: SourceModule, depth: number): JsonSchema {
    const name = referenceName(type);
    const first = type.typeArguments?.params[0];
    switch (name) {
      case 'Array':
      case 'ReadonlyArray':
        return { type: 'array', ...this.#items(first, module, depth) };
      case 'Record': {
        const value = type.typeArguments?.params[1];
        return { type: 'object', ...(value ? { additionalProperties: this.schema(value, module, depth + 1) } : {}) };
      }
      case 'Readonly':
      case 'NonNullable':
        return first ? this.schema(first, module, depth + 1) : {};
      default: {
        const zod = this.#zodType(type, module);
        if (zod) return zod;
        const found = name === undefined ? undefined : this.#reader.local(module, name);
        if (found?.declaration.type === 'TSTypeAliasDeclaration' && found.declaration.typeParameters == null) {
          return this.schema(found.declaration.typeAnnotation, found.module, depth + 1);
        }
        if (found?.declaration.type === 'TSInterfaceDeclaration') {
          const members = this.members(type, module, depth + 1);
          // An interface with methods is some object's, not a mapping of values.
          return members && !hasMethods(found.declaration) ? objectSchema(members) : {};
        }
        return {};
      }
    }
  }

  #referenced(type: Oxc.TSTypeReference, module: SourceModule, depth: number): Members | undefined {
    const name = referenceName(type);
    const [first, second] = type.typeArguments?.params ?? [];
    const inner = (): Members | undefined => (first ? this.members(first, module, depth + 1) : undefined);
    switch (name) {
      case 'Readonly':
        return inner();
      case 'Partial': {
        const members = inner();
        return members && { ...members, required: [] };
      }
      case 'Required': {
        const members = inner();
        return members && { ...members, required: Object.keys(members.properties) };
      }
      case 'Pick':
      case 'Omit': {
        const members = inner();
        const names = second && literalNames(this.schema(second, module, depth + 1));
        return members && (names === undefined ? OPEN : chosen(members, names, name === 'Pick'));
      }
      default: {
        const zod = this.#zodType(type, module);
        if (zod?.properties) {
          const { properties, required = [], additionalProperties } = zod;
          return { properties, required, isOpen: additionalProperties === true };
        }
        const found = name === undefined ? undefined : this.#reader.local(module, name);
        if (found?.declaration.type === 'TSTypeAliasDeclaration') {
          return this.members(found.declaration.typeAnnotation, found.module, depth + 1);
        }
        if (found?.declaration.type !== 'TSInterfaceDeclaration') return undefined;
        const own = this.#signatures(found.declaration.body.body, found.module, depth);
        return found.declaration.extends.reduce(
          (all, parent) => joined(all, this.#parent(parent, found.module, depth)),
          own,
        );
      }
    }
  }

  #parent(parent: Oxc.TSInterfaceHeritage, module: SourceModule, depth: number): Members {
    if (parent.expression.type !== 'Identifier') return OPEN;
    const reference = {
      type: 'TSTypeReference',
      typeName: parent.expression,
      typeArguments: parent.typeArguments,
      start: parent.start,
      end: parent.end,
    } as const;
    return this.#referenced(reference, module, depth + 1) ?? OPEN;
  }

  /** `z.input<typeof schema>` and `z.infer<typeof schema>`. */
  #zodType(type: Oxc.TSTypeReference, module: SourceModule): JsonSchema | undefined {
    const { typeName } = type;
    if (typeName.type !== 'TSQualifiedName' || typeName.left.type !== 'Identifier') return undefined;
    const [query] = type.typeArguments?.params ?? [];
    const isZod = module.imported.get(typeName.left.name)?.specifier === 'zod';
    if (!isZod || query?.type !== 'TSTypeQuery' || query.exprName.type !== 'Identifier') return undefined;
    const value = this.#evaluator.evaluate(query.exprName, module);
    return value.kind === 'schema' ? value.schema : undefined;
  }

  #signatures(signatures: readonly Oxc.TSSignature[], module: SourceModule, depth: number): Members {
    const properties: Record<string, JsonSchema> = {};
    const required: string[] = [];
    let isOpen = false;
    for (const signature of signatures) {
      if (signature.type === 'TSIndexSignature') isOpen = true;
      if (signature.type !== 'TSPropertySignature' && signature.type !== 'TSMethodSignature') continue;
      const name = propertyName(signature.key, signature.computed);
      if (name === undefined) {
        isOpen = true;
        continue;
      }
      const type = signature.type === 'TSPropertySignature' ? signature.typeAnnotation?.typeAnnotation : undefined;
      const schema = type ? this.schema(type, module, depth + 1) : {};
      const description = docBefore(module, signature.start);
      properties[name] = description === undefined ? schema : { ...schema, description };
      if (!signature.optional && !(type && allowsUndefined(type))) required.push(name);
    }
    return { properties, required, isOpen };
  }
}

function labelled(member: Oxc.TSNamedTupleMember): Oxc.TSType {
  const { elementType } = member;
  return elementType.type === 'TSOptionalType' || elementType.type === 'TSRestType'
    ? { type: 'TSUnknownKeyword', start: member.start, end: member.end }
    : elementType;
}

function allowsUndefined(type: Oxc.TSType): boolean {
  return type.type === 'TSUnionType' && type.types.some((one) => one.type === 'TSUndefinedKeyword');
}

function referenceName({ typeName }: Oxc.TSTypeReference): string | undefined {
  return typeName.type === 'Identifier' ? typeName.name : undefined;
}

function hasMethods({ body }: Oxc.TSInterfaceDeclaration): boolean {
  return body.body.some(
    (member) => member.type === 'TSMethodSignature' || member.type === 'TSCallSignatureDeclaration',
  );
}

function literalSchema(literal: Oxc.TSLiteral): JsonSchema {
  if (literal.type === 'UnaryExpression') {
    const { argument } = literal;
    return argument.type === 'Literal' && typeof argument.value === 'number' ? { const: -argument.value } : {};
  }
  if (literal.type !== 'Literal') return { type: 'string' };
  const { value } = literal;
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? { const: value } : {};
}

function objectSchema({ properties }: Members): JsonSchema {
  return { type: 'object', properties };
}

function literalNames(schema: JsonSchema): readonly string[] | undefined {
  const values = schema.const === undefined ? schema.enum : [schema.const];
  return values?.map(String);
}

function chosen(members: Members, names: readonly string[], isPick: boolean): Members {
  const keeps = (name: string): boolean => names.includes(name) === isPick;
  return {
    properties: Object.fromEntries(Object.entries(members.properties).filter(([name]) => keeps(name))),
    required: members.required.filter(keeps),
    isOpen: members.isOpen,
  };
}

function joined(own: Members, parent: Members): Members {
  const redeclared = new Set(Object.keys(own.properties));
  return {
    properties: { ...parent.properties, ...own.properties },
    required: [...parent.required.filter((name) => !redeclared.has(name)), ...own.required],
    isOpen: own.isOpen || parent.isOpen,
  };
}
