import { readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type * as Oxc from 'oxc-parser';
import { resolveModuleFile } from '../loader/moduleFiles.ts';

/** A parsed source file. Nothing of it is ever run. */
export interface SourceModule {
  readonly file: string;
  readonly text: string;
  readonly program: Oxc.Program;
  readonly comments: readonly Oxc.Comment[];
  /** Declarations at the top level by local name. */
  readonly declared: ReadonlyMap<string, Declaration>;
  readonly imported: ReadonlyMap<string, ImportedName>;
  readonly exported: ReadonlyMap<string, ExportedName>;
  /** Specifiers of `export * from`. */
  readonly starExports: readonly string[];
}

export type Declaration =
  | Oxc.Class
  | Oxc.Function
  | Oxc.TSInterfaceDeclaration
  | Oxc.TSTypeAliasDeclaration
  | Oxc.TSEnumDeclaration
  | Oxc.VariableDeclarator;

interface ImportedName {
  readonly specifier: string;
  /** `*` for the whole module. */
  readonly name: string;
}

type ExportedName = { readonly local: string } | ImportedName;

/** A declaration and the module that it stands in. */
export interface Found {
  readonly module: SourceModule;
  readonly declaration: Declaration;
}

const ENGINE_ENTRY = fileURLToPath(new URL('../../index.ts', import.meta.url));
const require = createRequire(import.meta.url);
let parser: typeof Oxc | undefined;

/** Reads source files and follows names through their imports and exports; a file is parsed again when it changes. */
export class SourceReader {
  readonly #modules = new Map<string, { readonly stamp: string; readonly module: SourceModule | undefined }>();

  /** Undefined for a file that is not there or has a syntax error. */
  module(file: string): SourceModule | undefined {
    const stat = statSync(file, { throwIfNoEntry: false });
    if (!stat?.isFile()) return undefined;
    const stamp = `${stat.mtimeMs}:${stat.size}`;
    const known = this.#modules.get(file);
    if (known?.stamp === stamp) return known.module;
    const module = parseModule(file);
    this.#modules.set(file, { stamp, module });
    return module;
  }

  /** What a module exports under a name, wherever it is declared. */
  exported(module: SourceModule, name: string, depth = 0): Found | undefined {
    if (depth > 20) return undefined;
    const direct = module.exported.get(name);
    if (direct !== undefined) {
      if ('local' in direct) return this.local(module, direct.local, depth + 1);
      const other = this.#imported(module, direct.specifier);
      return other && this.exported(other, direct.name, depth + 1);
    }
    for (const specifier of module.starExports) {
      const other = this.#imported(module, specifier);
      const found = other && this.exported(other, name, depth + 1);
      if (found) return found;
    }
    return undefined;
  }

  /** What a name at the top level of a module means. */
  local(module: SourceModule, name: string, depth = 0): Found | undefined {
    const declaration = module.declared.get(name);
    if (declaration) return { module, declaration };
    const imported = module.imported.get(name);
    const other = imported && this.#imported(module, imported.specifier);
    return imported && other && this.exported(other, imported.name, depth + 1);
  }

  /** The engine's own entry: what `accelhydra-studio` means in project code. */
  get engine(): SourceModule | undefined {
    return this.module(ENGINE_ENTRY);
  }

  #imported(module: SourceModule, specifier: string): SourceModule | undefined {
    if (specifier === 'accelhydra-studio') return this.engine;
    if (!/^\.{1,2}(?:\/|$)/.test(specifier)) return undefined;
    const file = resolveModuleFile(resolve(dirname(module.file), specifier));
    return file === undefined ? undefined : this.module(join(file));
  }
}

function parseModule(file: string): SourceModule | undefined {
  // Loaded with the first question: most commands never ask one.
  parser ??= loadParser();
  if (parser === undefined) return undefined;
  const text = readFileSync(file, 'utf8');
  const { program, comments, errors } = parser.parseSync(file, text);
  if (errors.some((error) => error.severity === 'Error')) return undefined;
  const declared = new Map<string, Declaration>();
  const imported = new Map<string, ImportedName>();
  const exported = new Map<string, ExportedName>();
  const starExports: string[] = [];
  for (const statement of program.body) {
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
      case 'ExportNamedDeclaration': {
        for (const [name, declaration] of declarations(statement.declaration)) {
          declared.set(name, declaration);
          exported.set(name, { local: name });
        }
        const specifier = statement.source?.value;
        for (const one of statement.specifiers) {
          const local = nameOf(one.local);
          exported.set(nameOf(one.exported), specifier === undefined ? { local } : { specifier, name: local });
        }
        break;
      }
      case 'ExportAllDeclaration':
        if (statement.exported === null) starExports.push(statement.source.value);
        break;
      case 'ExportDefaultDeclaration': {
        const { declaration } = statement;
        if (declaration.type === 'Identifier') exported.set('default', { local: declaration.name });
        if (declaration.type === 'ClassDeclaration' || declaration.type === 'FunctionDeclaration') {
          declared.set('default', declaration);
          exported.set('default', { local: 'default' });
        }
        break;
      }
      default:
        for (const [name, declaration] of declarations(statement)) declared.set(name, declaration);
    }
  }
  return { file, text, program, comments, declared, imported, exported, starExports };
}

/** The parser is native code: where it cannot be loaded nothing is known of sources, and nothing else suffers. */
function loadParser(): typeof Oxc | undefined {
  try {
    return require('oxc-parser') as typeof Oxc;
  } catch {
    return undefined;
  }
}

function declarations(statement: Oxc.Statement | Oxc.Declaration | null): [string, Declaration][] {
  switch (statement?.type) {
    case 'ClassDeclaration':
    case 'FunctionDeclaration':
      return statement.id ? [[statement.id.name, statement]] : [];
    case 'TSInterfaceDeclaration':
    case 'TSTypeAliasDeclaration':
    case 'TSEnumDeclaration':
      return [[statement.id.name, statement]];
    case 'VariableDeclaration':
      return statement.declarations.flatMap((one): [string, Declaration][] =>
        one.id.type === 'Identifier' ? [[one.id.name, one]] : [],
      );
    default:
      return [];
  }
}

function nameOf(name: Oxc.ModuleExportName): string {
  return name.type === 'Literal' ? name.value : name.name;
}

/** The text of the JSDoc comment right before an offset, on one line, tags left out. */
export function docBefore(module: SourceModule, offset: number): string | undefined {
  const comment = module.comments.findLast((one) => one.end <= offset);
  if (comment?.type !== 'Block' || !comment.value.startsWith('*')) return undefined;
  const between = module.text.slice(comment.end, offset);
  if (!/^(?:\s|export|default|abstract|async|declare|readonly|static)*$/.test(between)) return undefined;
  const lines = comment.value.split('\n').map((line) => line.replace(/^[\s*]+/, '').trim());
  const end = lines.findIndex((line) => line.startsWith('@'));
  const text = lines
    .slice(0, end < 0 ? undefined : end)
    .join(' ')
    .trim();
  return text === '' ? undefined : text;
}

/** Line and column of an offset, both from 1. */
export function positionOf(module: SourceModule, offset: number): { readonly line: number; readonly column: number } {
  const before = module.text.slice(0, offset);
  return { line: before.split('\n').length, column: offset - before.lastIndexOf('\n') };
}
