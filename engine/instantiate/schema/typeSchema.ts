import type * as Oxc from 'oxc-parser';
import type { JsonSchema } from '../../config/index.ts';
import { docBefore, withDoc } from './docComment.ts';
import { type Evaluator, propertyName } from './evaluate.ts';
import { anyOf, chosen, joined, type Members, mergedMembers, OPEN, objectSchema } from './members.ts';
import { isClass, type SourceModule } from './parseModule.ts';
import type { SignatureReader } from './signatures.ts';
import type { Found } from './sourceReader.ts';
import { toJson } from './staticValue.ts';

const DEEPEST = 8;
/** Turns TypeScript types into schemas by reading them; what it cannot tell allows anything. */
export class TypeReader {
  readonly #evaluator: Evaluator;
  readonly #signatures: SignatureReader;

  constructor(evaluator: Evaluator, signatures: SignatureReader) {
    this.#evaluator = evaluator;
    this.#signatures = signatures;
  }

  /** The members of an options type; undefined when the type is no object type at all. */
  members(type: Oxc.TSType, module: SourceModule, depth = 0): Members | undefined {
    if (depth > DEEPEST) return OPEN;
    switch (type.type) {
      case 'TSTypeLiteral':
        return this.#listed(type.members, module, depth);
      case 'TSParenthesizedType':
        return this.members(type.typeAnnotation, module, depth);
      case 'TSIntersectionType':
        return type.types
          .map((part) => this.members(part, module, depth + 1) ?? OPEN)
          .reduce((all, part) => joined(all, part));
      case 'TSUnionType': {
        const parts = type.types.filter((part) => !this.isNeverMapping(part, module, depth + 1));
        const members = parts.map((part) => this.members(part, module, depth + 1));
        const known = members.filter((one) => one !== undefined);
        if (known.length === 0) return undefined;
        return known.length < parts.length ? mergedMembers([...known, OPEN]) : mergedMembers(known);
      }
      case 'TSImportType':
      case 'TSTypeReference':
        return this.#referenced(type, module, depth);
      default:
        return undefined;
    }
  }

  /** Whether a mapping can never be a value of the type; false where that is not known. */
  isNeverMapping(type: Oxc.TSType, module: SourceModule, depth = 0): boolean {
    if (depth > DEEPEST) return false;
    switch (type.type) {
      case 'TSNumberKeyword':
      case 'TSBigIntKeyword':
      case 'TSStringKeyword':
      case 'TSBooleanKeyword':
      case 'TSNullKeyword':
      case 'TSUndefinedKeyword':
      case 'TSLiteralType':
      case 'TSTemplateLiteralType':
      case 'TSArrayType':
      case 'TSTupleType':
      case 'TSFunctionType':
      case 'TSConstructorType':
        return true;
      case 'TSUnionType':
        return type.types.every((part) => this.isNeverMapping(part, module, depth + 1));
      case 'TSParenthesizedType':
        return this.isNeverMapping(type.typeAnnotation, module, depth + 1);
      case 'TSTypeOperator':
        return type.operator === 'readonly' && this.isNeverMapping(type.typeAnnotation, module, depth + 1);
      case 'TSImportType':
      case 'TSTypeReference': {
        const name = referenceName(type);
        if (name === 'Array' || name === 'ReadonlyArray') return true;
        const found = this.#found(type, module);
        const declaration = found?.declaration;
        if (found === undefined || declaration === undefined) return false;
        if (declaration.type === 'TSTypeAliasDeclaration' && declaration.typeParameters == null) {
          return this.isNeverMapping(declaration.typeAnnotation, found.module, depth + 1);
        }
        return declaration.type === 'TSEnumDeclaration';
      }
      default:
        return false;
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
        if (type.operator === 'keyof') return this.#keys(type.typeAnnotation, module, depth);
        return type.operator === 'readonly' ? this.schema(type.typeAnnotation, module, depth) : {};
      case 'TSTypeLiteral':
        return objectSchema(this.#listed(type.members, module, depth));
      case 'TSImportType':
      case 'TSTypeReference':
        return this.#reference(type, module, depth);
      case 'TSIndexedAccessType':
        return this.#indexed(type, module, depth);
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

  #union(types: readonly Oxc.TSType[], module: SourceModule, depth: number): JsonSchema {
    const given = types.filter((type) => type.type !== 'TSUndefinedKeyword');
    return anyOf(given.map((type) => this.schema(type, module, depth + 1)));
  }

  /** `keyof Interface` and `keyof typeof CONSTANT`. */
  #keys(type: Oxc.TSType, module: SourceModule, depth: number): JsonSchema {
    if (type.type === 'TSTypeQuery') {
      const declaration = this.#signatures.queried(type, module);
      const init = declaration?.declaration.type === 'VariableDeclarator' ? declaration.declaration.init : null;
      const value = init && declaration ? this.#evaluator.evaluate(init, declaration.module) : undefined;
      return value?.kind === 'object' ? { enum: [...value.entries.keys()] } : {};
    }
    const members = this.members(type, module, depth + 1);
    return members && !members.isOpen ? { enum: Object.keys(members.properties) } : {};
  }

  /** `(typeof NAMES)[number]`, and the type of a member. */
  #indexed({ objectType, indexType }: Oxc.TSIndexedAccessType, module: SourceModule, depth: number): JsonSchema {
    const object = objectType.type === 'TSParenthesizedType' ? objectType.typeAnnotation : objectType;
    if (object.type === 'TSTypeQuery' && indexType.type === 'TSNumberKeyword') {
      const found = this.#signatures.queried(object, module);
      if (found?.declaration.type !== 'VariableDeclarator') return {};
      const { id, init } = found.declaration;
      const list = init && toJson(this.#evaluator.evaluate(init, found.module));
      if (Array.isArray(list)) return { enum: list };
      const type = id.typeAnnotation?.typeAnnotation;
      return type ? (this.schema(type, found.module, depth + 1).items ?? {}) : {};
    }
    const names = literalNames(this.schema(indexType, module, depth + 1));
    const [name] = names ?? [];
    if (name === undefined || names?.length !== 1) return {};
    return this.members(object, module, depth + 1)?.properties[name] ?? {};
  }

  #found(type: Reference, module: SourceModule): Found | undefined {
    if (type.type === 'TSImportType') return this.#signatures.importedType(type, module);
    return this.#signatures.qualified(type.typeName, module, 'type');
  }

  #reference(type: Reference, module: SourceModule, depth: number): JsonSchema {
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
        const found = this.#found(type, module);
        if (found?.declaration.type === 'TSEnumDeclaration') return this.#enumeration(found);
        if (found?.declaration.type === 'TSTypeAliasDeclaration' && found.declaration.typeParameters == null) {
          return this.schema(found.declaration.typeAnnotation, found.module, depth + 1);
        }
        if (found?.declaration.type === 'TSInterfaceDeclaration') {
          const members = this.members(type, module, depth + 1);
          // An interface with methods is some object's, not a mapping of values.
          return members && !hasMethods(found.declaration) ? objectSchema(members) : {};
        }
        // Only an object can have a class's methods: what another target builds.
        if (found && isClass(found.declaration) && hasOwnMethods(found.declaration)) {
          return { type: 'object', title: found.declaration.id?.name ?? 'object' };
        }
        return {};
      }
    }
  }

  /** The values of an enum whose members have literals. */
  #enumeration({ declaration, module }: Found): JsonSchema {
    if (declaration.type !== 'TSEnumDeclaration') return {};
    let next = 0;
    const values = declaration.body.members.map(({ initializer }) => {
      const value = initializer ? toJson(this.#evaluator.evaluate(initializer, module)) : next;
      if (typeof value === 'number') next = value + 1;
      return value;
    });
    const known = values.filter((value) => value !== undefined);
    return known.length > 0 && known.length === values.length ? { enum: known } : {};
  }

  #referenced(type: Reference, module: SourceModule, depth: number): Members | undefined {
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
        const found = this.#found(type, module);
        if (found?.declaration.type === 'TSTypeAliasDeclaration') {
          return this.members(found.declaration.typeAnnotation, found.module, depth + 1);
        }
        if (found?.declaration.type !== 'TSInterfaceDeclaration') return undefined;
        const interfaces = found.all.filter((one) => one.type === 'TSInterfaceDeclaration');
        return interfaces
          .map((one) =>
            one.extends.reduce(
              (all, parent) => joined(all, this.#parent(parent, found.module, depth)),
              this.#listed(one.body.body, found.module, depth),
            ),
          )
          .reduce((all, one) => joined(one, all));
      }
    }
  }

  #parent(parent: Oxc.TSInterfaceHeritage, module: SourceModule, depth: number): Members {
    const typeName = asTypeName(parent.expression);
    if (typeName === undefined) return OPEN;
    const { typeArguments, start, end } = parent;
    const reference = { type: 'TSTypeReference', typeName, typeArguments, start, end } as const;
    return this.#referenced(reference, module, depth + 1) ?? OPEN;
  }

  /** `z.input<typeof schema>` and `z.infer<typeof schema>`. */
  #zodType(type: Reference, module: SourceModule): JsonSchema | undefined {
    if (type.type === 'TSImportType') return undefined;
    const { typeName } = type;
    if (typeName.type !== 'TSQualifiedName' || typeName.left.type !== 'Identifier') return undefined;
    const [query] = type.typeArguments?.params ?? [];
    const isZod = module.imported.get(typeName.left.name)?.specifier === 'zod';
    if (!isZod || query?.type !== 'TSTypeQuery' || query.exprName.type !== 'Identifier') return undefined;
    const value = this.#evaluator.evaluate(query.exprName, module);
    return value.kind === 'schema' ? value.schema : undefined;
  }

  #listed(signatures: readonly Oxc.TSSignature[], module: SourceModule, depth: number): Members {
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
      properties[name] = withDoc(schema, docBefore(module, signature.start));
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

export function allowsUndefined(type: Oxc.TSType): boolean {
  return type.type === 'TSUnionType' && type.types.some((one) => one.type === 'TSUndefinedKeyword');
}

type Reference = Oxc.TSTypeReference | Oxc.TSImportType;

function referenceName(type: Reference): string | undefined {
  return type.type === 'TSTypeReference' && type.typeName.type === 'Identifier' ? type.typeName.name : undefined;
}

/** The name behind `extends a.B`. */
function asTypeName(node: Oxc.Expression): Oxc.TSTypeName | undefined {
  if (node.type === 'Identifier') return node;
  if (node.type !== 'MemberExpression' || node.computed || node.property.type !== 'Identifier') return undefined;
  const left = asTypeName(node.object);
  const { property, start, end } = node;
  return left && { type: 'TSQualifiedName', left, right: property, start, end };
}

function hasOwnMethods({ body }: Oxc.Class): boolean {
  return body.body.some((member) => member.type === 'MethodDefinition' && !member.static && member.kind === 'method');
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

function literalNames(schema: JsonSchema): readonly string[] | undefined {
  const values = schema.const === undefined ? schema.enum : [schema.const];
  return values?.map(String);
}
