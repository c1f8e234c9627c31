import type * as Oxc from 'oxc-parser';
import { propertyName } from './evaluate.ts';
import { type Declaration, isClass, isFunction, type SourceModule } from './parseModule.ts';
import { type Found, foundMember, type SourceReader, type Space } from './sourceReader.ts';

/** One way to call a class or function. */
export interface Signature {
  readonly module: SourceModule;
  readonly parameters: readonly Oxc.ParamPattern[];
  readonly body: Oxc.FunctionBody | Oxc.Expression | null;
  /** Where its comment ends. */
  readonly start: number;
  readonly typeParameters: readonly Oxc.TSTypeParameter[];
}

const DEEPEST = 12;

/** Follows values through their types: members of modules, classes and objects, and how a value can be called. */
export class SignatureReader {
  readonly #reader: SourceReader;

  constructor(reader: SourceReader) {
    this.#reader = reader;
  }

  /** The static member, property or export of what was found. */
  member(found: Found, name: string, depth = 0): Found | undefined {
    if (depth > DEEPEST) return undefined;
    for (const declaration of found.all) {
      const member = this.#memberOf(declaration, found.module, name, depth);
      if (member) return member;
    }
    return undefined;
  }

  #memberOf(declaration: Declaration, module: SourceModule, name: string, depth: number): Found | undefined {
    if (declaration.type === 'Namespace') return this.#reader.exported(declaration.names, name);
    if (isClass(declaration)) {
      const own = declaration.body.body.filter(
        (member): member is Oxc.MethodDefinition | Oxc.PropertyDefinition =>
          (member.type === 'MethodDefinition' || member.type === 'PropertyDefinition') &&
          member.static &&
          propertyName(member.key, member.computed) === name,
      );
      const found = foundMember(module, own);
      const parent = found ? undefined : this.parent(declaration, module);
      return found ?? (parent && this.member(parent, name, depth + 1));
    }
    if (declaration.type === 'VariableDeclarator' && declaration.init?.type === 'ObjectExpression') {
      const own = declaration.init.properties.filter(
        (property) => property.type === 'Property' && propertyName(property.key, property.computed) === name,
      );
      return foundMember(module, own as Oxc.ObjectProperty[]);
    }
    if (declaration.type === 'VariableDeclarator' && declaration.init?.type === 'ClassExpression') {
      return this.#memberOf(declaration.init, module, name, depth);
    }
    const type = annotationOf(declaration);
    return type && this.#typeMember(type, module, name, depth + 1);
  }

  #typeMember(type: Oxc.TSType, module: SourceModule, name: string, depth: number): Found | undefined {
    if (depth > DEEPEST) return undefined;
    if (type.type === 'TSTypeLiteral') return foundMember(module, named(type.members, name));
    if (type.type === 'TSIntersectionType') {
      for (const part of type.types) {
        const found = this.#typeMember(part, module, name, depth + 1);
        if (found) return found;
      }
      return undefined;
    }
    if (type.type === 'TSTypeQuery') {
      const value = this.queried(type, module);
      return value && this.member(value, name, depth + 1);
    }
    const found = this.#referenced(type, module);
    for (const declaration of found?.all ?? []) {
      if (found === undefined) break;
      if (declaration.type === 'TSInterfaceDeclaration') {
        const own = foundMember(found.module, named(declaration.body.body, name));
        if (own) return own;
      }
      if (declaration.type === 'TSTypeAliasDeclaration') {
        return this.#typeMember(declaration.typeAnnotation, found.module, name, depth + 1);
      }
    }
    return undefined;
  }

  /** What a class extends, as far as it can be read. */
  parent(node: Oxc.Class, module: SourceModule): Found | undefined {
    return node.superClass === null ? undefined : this.#expression(node.superClass, module);
  }

  #expression(node: Oxc.Expression, module: SourceModule): Found | undefined {
    if (node.type === 'Identifier') return this.#reader.local(module, node.name);
    if (node.type !== 'MemberExpression' || node.computed || node.property.type !== 'Identifier') return undefined;
    const holder = this.#expression(node.object, module);
    return holder && this.member(holder, node.property.name);
  }

  /** The value that `typeof a.b` names. */
  queried({ exprName }: Oxc.TSTypeQuery, module: SourceModule): Found | undefined {
    if (exprName.type !== 'TSImportType') {
      return exprName.type === 'ThisExpression' ? undefined : this.qualified(exprName, module, 'value');
    }
    const names = this.#reader.names(module, exprName.source.value);
    if (exprName.qualifier === null || names === undefined) return names;
    return this.#below(names, exprName.qualifier, 'value');
  }

  /** What a name with dots means. */
  qualified(name: Oxc.TSTypeName, module: SourceModule, space: Space): Found | undefined {
    if (name.type === 'Identifier') return this.#reader.local(module, name.name, space);
    if (name.type !== 'TSQualifiedName') return undefined;
    const holder = this.qualified(name.left, module, 'value') ?? this.qualified(name.left, module, 'type');
    return holder && this.#inside(holder, name.right.name, space);
  }

  /** What `import('./file').a.b` means. */
  importedType({ source, qualifier }: Oxc.TSImportType, module: SourceModule): Found | undefined {
    const names = this.#reader.names(module, source.value);
    return qualifier === null || names === undefined ? undefined : this.#below(names, qualifier, 'type');
  }

  #below(holder: Found, name: Oxc.TSImportTypeQualifier, space: Space): Found | undefined {
    if (name.type === 'Identifier') return this.#inside(holder, name.name, space);
    const left = this.#below(holder, name.left, 'value') ?? this.#below(holder, name.left, 'type');
    return left && this.#inside(left, name.right.name, space);
  }

  #inside(holder: Found, name: string, space: Space): Found | undefined {
    for (const declaration of holder.all) {
      if (declaration.type === 'Namespace') return this.#reader.exported(declaration.names, name, space);
    }
    return space === 'value' ? this.member(holder, name) : undefined;
  }

  /** Every way to call what was found; empty when that is not known. A class without a constructor takes nothing. */
  signatures(found: Found, depth = 0): readonly Signature[] {
    if (depth > DEEPEST) return [];
    const all = found.all.flatMap((declaration) => this.#declared(declaration, found.module, depth));
    // The body behind overloads is not called by anybody.
    const overloads = all.filter(({ body }) => body === null);
    return overloads.length > 0 && overloads.length < all.length ? overloads : all;
  }

  #declared(declaration: Declaration, module: SourceModule, depth: number): readonly Signature[] {
    if (isClass(declaration)) return this.#constructors(declaration, module, depth);
    if (isFunction(declaration)) return [called(declaration, module, declaration.start)];
    switch (declaration.type) {
      case 'MethodDefinition':
        return [called(declaration.value, module, declaration.start)];
      case 'TSMethodSignature':
        return [typed(declaration, module)];
      case 'VariableDeclarator':
        return this.#valued(declaration.init, declaration, module, depth);
      case 'PropertyDefinition':
      case 'Property':
        return this.#valued(declaration.value, declaration, module, depth);
      case 'TSPropertySignature': {
        const type = annotationOf(declaration);
        return type ? this.#typeSignatures(type, module, depth + 1) : [];
      }
      default:
        return [];
    }
  }

  #valued(
    value: Oxc.Expression | null,
    declaration: Declaration,
    module: SourceModule,
    depth: number,
  ): readonly Signature[] {
    const type = annotationOf(declaration);
    if (type) return this.#typeSignatures(type, module, depth + 1);
    if (value === null) return [];
    if (isClass(value)) return this.#constructors(value, module, depth);
    if (value.type === 'ArrowFunctionExpression' || isFunction(value)) {
      return [called(value, module, declaration.start)];
    }
    const meant = this.#expression(value, module);
    return meant ? this.signatures(meant, depth + 1) : [];
  }

  #constructors(node: Oxc.Class, module: SourceModule, depth: number): readonly Signature[] {
    const own = node.body.body.flatMap((member) =>
      member.type === 'MethodDefinition' && member.kind === 'constructor'
        ? [called(member.value, module, member.start)]
        : [],
    );
    if (own.length > 0) {
      const overloads = own.filter(({ body }) => body === null);
      return overloads.length > 0 ? overloads : own;
    }
    if (node.superClass === null) {
      return [{ module, parameters: [], body: null, start: node.start, typeParameters: [] }];
    }
    const parent = this.parent(node, module);
    return parent ? this.signatures(parent, depth + 1) : [];
  }

  #typeSignatures(type: Oxc.TSType, module: SourceModule, depth: number): readonly Signature[] {
    if (depth > DEEPEST) return [];
    switch (type.type) {
      case 'TSFunctionType':
      case 'TSConstructorType':
        return [typed(type, module)];
      case 'TSParenthesizedType':
        return this.#typeSignatures(type.typeAnnotation, module, depth + 1);
      case 'TSIntersectionType':
        return type.types.flatMap((part) => this.#typeSignatures(part, module, depth + 1));
      case 'TSTypeLiteral':
        return callable(type.members, module);
      case 'TSTypeQuery': {
        const value = this.queried(type, module);
        return value ? this.signatures(value, depth + 1) : [];
      }
      default: {
        const found = this.#referenced(type, module);
        return (found?.all ?? []).flatMap((declaration) => {
          if (found === undefined) return [];
          if (declaration.type === 'TSInterfaceDeclaration') return callable(declaration.body.body, found.module);
          if (declaration.type !== 'TSTypeAliasDeclaration') return [];
          return this.#typeSignatures(declaration.typeAnnotation, found.module, depth + 1);
        });
      }
    }
  }

  #referenced(type: Oxc.TSType, module: SourceModule): Found | undefined {
    if (type.type === 'TSImportType') return this.importedType(type, module);
    return type.type === 'TSTypeReference' ? this.qualified(type.typeName, module, 'type') : undefined;
  }
}

function called(node: Oxc.Function | Oxc.ArrowFunctionExpression, module: SourceModule, start: number): Signature {
  const { params, body, typeParameters } = node;
  return { module, parameters: withoutThis(params), body, start, typeParameters: typeParameters?.params ?? [] };
}

type TypeWithParameters =
  | Oxc.TSFunctionType
  | Oxc.TSConstructorType
  | Oxc.TSMethodSignature
  | Oxc.TSCallSignatureDeclaration
  | Oxc.TSConstructSignatureDeclaration;

function typed(type: TypeWithParameters, module: SourceModule): Signature {
  const { params, start, typeParameters } = type;
  return { module, parameters: withoutThis(params), body: null, start, typeParameters: typeParameters?.params ?? [] };
}

/** A first parameter called `this` only states a type. */
function withoutThis(params: readonly Oxc.ParamPattern[]): readonly Oxc.ParamPattern[] {
  const [first] = params;
  return first?.type === 'Identifier' && first.name === 'this' ? params.slice(1) : params;
}

/** What can be constructed is constructed. */
function callable(members: readonly Oxc.TSSignature[], module: SourceModule): Signature[] {
  const constructs = members.flatMap((one) =>
    one.type === 'TSConstructSignatureDeclaration' ? [typed(one, module)] : [],
  );
  if (constructs.length > 0) return constructs;
  return members.flatMap((one) => (one.type === 'TSCallSignatureDeclaration' ? [typed(one, module)] : []));
}

function named(members: readonly Oxc.TSSignature[], name: string): (Oxc.TSPropertySignature | Oxc.TSMethodSignature)[] {
  return members.filter(
    (one): one is Oxc.TSPropertySignature | Oxc.TSMethodSignature =>
      (one.type === 'TSPropertySignature' || one.type === 'TSMethodSignature') &&
      propertyName(one.key, one.computed) === name,
  );
}

function annotationOf(declaration: Declaration): Oxc.TSType | undefined {
  switch (declaration.type) {
    case 'VariableDeclarator':
      return declaration.id.typeAnnotation?.typeAnnotation;
    case 'PropertyDefinition':
    case 'TSPropertySignature':
      return declaration.typeAnnotation?.typeAnnotation;
    default:
      return undefined;
  }
}
