import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type * as Oxc from 'oxc-parser';

/** A parsed source file, or a namespace inside one. Nothing of it is ever run. */
export interface SourceModule {
  readonly file: string;
  readonly text: string;
  readonly program: { readonly body: readonly Oxc.Program['body'][number][] };
  readonly comments: readonly Oxc.Comment[];
  /** Declarations at the top level by local name; several for overloads and for a type and a value of one name. */
  readonly declared: ReadonlyMap<string, readonly Declaration[]>;
  readonly imported: ReadonlyMap<string, ImportedName>;
  readonly exported: ReadonlyMap<string, ExportedName>;
  /** Specifiers of `export * from`. */
  readonly starExports: readonly string[];
  /** The local name behind `export =`. */
  readonly assigned: string | undefined;
  /** What a namespace stands in. */
  readonly outer: SourceModule | undefined;
}

/** What a name can mean: a declaration, a member of one, or the names of a whole module. */
export type Declaration =
  | Oxc.Class
  | Oxc.Function
  | Oxc.TSInterfaceDeclaration
  | Oxc.TSTypeAliasDeclaration
  | Oxc.TSEnumDeclaration
  | Oxc.VariableDeclarator
  | Oxc.MethodDefinition
  | Oxc.PropertyDefinition
  | Oxc.ObjectProperty
  | Oxc.TSPropertySignature
  | Oxc.TSMethodSignature
  | Namespace;

export interface Namespace {
  readonly type: 'Namespace';
  readonly start: number;
  readonly names: SourceModule;
}

export interface ImportedName {
  readonly specifier: string;
  /** `*` for the whole module. */
  readonly name: string;
}

export type ExportedName = { readonly local: string } | ImportedName;

const require = createRequire(import.meta.url);
let parser: typeof Oxc | undefined;

/** Undefined for a file with a syntax error, and where the parser, which is native code, cannot be loaded. */
export function parseModule(file: string): SourceModule | undefined {
  // Loaded with the first question: most commands never ask one.
  parser ??= loadParser();
  if (parser === undefined) return undefined;
  const text = readFileSync(file, 'utf8');
  const { program, comments, errors } = parser.parseSync(file, text);
  if (errors.some((error) => error.severity === 'Error')) return undefined;
  return moduleOf(program.body, { file, text, comments, outer: undefined });
}

/** The statements of a text; undefined for one with a syntax error, and where the parser cannot be loaded. */
export function parseText(text: string): Oxc.Program['body'] | undefined {
  parser ??= loadParser();
  const parsed = parser?.parseSync('text.js', text);
  return parsed?.errors.length === 0 ? parsed.program.body : undefined;
}

/** Where the parser cannot be loaded nothing is known of sources, and nothing else suffers. */
function loadParser(): typeof Oxc | undefined {
  try {
    return require('oxc-parser') as typeof Oxc;
  } catch {
    return undefined;
  }
}

type Surroundings = Pick<SourceModule, 'file' | 'text' | 'comments' | 'outer'>;

function moduleOf(body: SourceModule['program']['body'], around: Surroundings): SourceModule {
  const declared = new Map<string, Declaration[]>();
  const imported = new Map<string, ImportedName>();
  const exported = new Map<string, ExportedName>();
  const starExports: string[] = [];
  let assigned: string | undefined;
  const module: SourceModule = {
    ...around,
    program: { body },
    declared,
    imported,
    exported,
    starExports,
    get assigned() {
      return assigned;
    },
  };
  const declare = (statement: Oxc.Statement | Oxc.Declaration | null): string[] =>
    declarations(statement, module).map(([name, declaration]) => {
      declared.set(name, [...(declared.get(name) ?? []), declaration]);
      return name;
    });
  for (const statement of body) {
    switch (statement.type) {
      case 'ImportDeclaration':
        for (const one of statement.specifiers) {
          const name = one.type === 'ImportSpecifier' ? nameOf(one.imported) : '*';
          imported.set(one.local.name, {
            specifier: statement.source.value,
            name: one.type === 'ImportDefaultSpecifier' ? 'default' : name,
          });
        }
        break;
      case 'TSImportEqualsDeclaration': {
        const { moduleReference, id } = statement;
        if (moduleReference.type !== 'TSExternalModuleReference') break;
        imported.set(id.name, { specifier: moduleReference.expression.value, name: '*' });
        break;
      }
      case 'ExportNamedDeclaration': {
        for (const name of declare(statement.declaration)) exported.set(name, { local: name });
        const specifier = statement.source?.value;
        for (const one of statement.specifiers) {
          const local = nameOf(one.local);
          exported.set(nameOf(one.exported), specifier === undefined ? { local } : { specifier, name: local });
        }
        break;
      }
      case 'ExportAllDeclaration':
        if (statement.exported === null) starExports.push(statement.source.value);
        else exported.set(nameOf(statement.exported), { specifier: statement.source.value, name: '*' });
        break;
      case 'ExportDefaultDeclaration': {
        const { declaration } = statement;
        if (declaration.type === 'Identifier') exported.set('default', { local: declaration.name });
        if (isClass(declaration) || isFunction(declaration)) {
          declared.set('default', [...(declared.get('default') ?? []), declaration]);
          exported.set('default', { local: 'default' });
        }
        break;
      }
      case 'TSExportAssignment':
        if (statement.expression.type === 'Identifier') assigned = statement.expression.name;
        break;
      default: {
        const names = declare(statement);
        // All of a namespace in a declaration file is seen from outside.
        if (around.outer) for (const name of names) exported.set(name, { local: name });
      }
    }
  }
  return module;
}

function declarations(
  statement: Oxc.Statement | Oxc.Declaration | null,
  module: SourceModule,
): [string, Declaration][] {
  switch (statement?.type) {
    case 'ClassDeclaration':
    case 'FunctionDeclaration':
    case 'TSDeclareFunction':
      return statement.id ? [[statement.id.name, statement]] : [];
    case 'TSInterfaceDeclaration':
    case 'TSTypeAliasDeclaration':
    case 'TSEnumDeclaration':
      return [[statement.id.name, statement]];
    case 'VariableDeclaration':
      return statement.declarations.flatMap((one): [string, Declaration][] =>
        one.id.type === 'Identifier' ? [[one.id.name, one]] : [],
      );
    case 'TSModuleDeclaration': {
      if (statement.id.type !== 'Identifier' || statement.body?.type !== 'TSModuleBlock') return [];
      const names = moduleOf(statement.body.body, { ...module, outer: module });
      return [[statement.id.name, { type: 'Namespace', start: statement.start, names }]];
    }
    default:
      return [];
  }
}

export function isClass(node: { readonly type: string }): node is Oxc.Class {
  return node.type === 'ClassDeclaration' || node.type === 'ClassExpression';
}

/** A function with or without a body. */
export function isFunction(node: { readonly type: string }): node is Oxc.Function {
  return (
    node.type === 'FunctionDeclaration' ||
    node.type === 'FunctionExpression' ||
    node.type === 'TSDeclareFunction' ||
    node.type === 'TSEmptyBodyFunctionExpression'
  );
}

function nameOf(name: Oxc.ModuleExportName): string {
  return name.type === 'Literal' ? name.value : name.name;
}

/** Line and column of an offset, both from 1. */
export function positionOf(module: SourceModule, offset: number): { readonly line: number; readonly column: number } {
  const before = module.text.slice(0, offset);
  return { line: before.split('\n').length, column: offset - before.lastIndexOf('\n') };
}
