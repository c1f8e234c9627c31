import { statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isInPackage, resolvePackageTypes, resolveTypes } from './moduleResolution.ts';
import { type Declaration, type ImportedName, parseModule, type SourceModule } from './parseModule.ts';

/** A declaration and the module that it stands in. */
export interface Found {
  readonly module: SourceModule;
  readonly declaration: Declaration;
  /** All declarations of that name, for overloads and merged interfaces. */
  readonly all: readonly Declaration[];
}

/** TypeScript has two spaces of names: one may be a type and a value of different declarations. */
export type Space = 'type' | 'value';

const ENGINE_FOLDER = fileURLToPath(new URL('../../', import.meta.url));
const ENGINE_ENTRY = fileURLToPath(new URL('../../index.ts', import.meta.url));
const DEEPEST = 20;

/** Reads source files and follows names through their imports and exports; a file is parsed again when it changes. */
export class SourceReader {
  readonly #modules = new Map<string, { readonly stamp: string; readonly module: SourceModule | undefined }>();
  /** Imports inside packages, which change only with an installation. */
  readonly #resolved = new Map<string, string>();
  #watched: Map<string, string> | undefined;

  /** Undefined for a file that is not there or has a syntax error. */
  module(file: string): SourceModule | undefined {
    const stamp = stampOf(file);
    this.#watched?.set(file, stamp);
    if (stamp === NO_FILE) return undefined;
    const known = this.#modules.get(file);
    if (known?.stamp === stamp) return known.module;
    const module = parseModule(file);
    this.#modules.set(file, { stamp, module });
    return module;
  }

  /** Runs a question and tells which files its answer depends on, each with its state. */
  watching<T>(ask: () => T): { readonly answer: T; readonly files: ReadonlyMap<string, string> } {
    const files = new Map<string, string>();
    this.#watched = files;
    try {
      return { answer: ask(), files };
    } finally {
      this.#watched = undefined;
    }
  }

  /** What a module exports under a name, wherever it is declared. */
  exported(module: SourceModule, name: string, space: Space = 'value', depth = 0): Found | undefined {
    if (depth > DEEPEST) return undefined;
    const direct = module.exported.get(name);
    if (direct !== undefined) {
      return 'local' in direct
        ? this.local(module, direct.local, space, depth + 1)
        : this.#imported(module, direct, space, depth);
    }
    if (module.assigned !== undefined) return this.#assigned(module, module.assigned, name, space, depth);
    const others = module.starExports.flatMap((specifier) => this.#module(module, specifier) ?? []);
    // First those that have it themselves: a package's entry leads to hundreds of files otherwise.
    const holder = others.find((other) => other.exported.has(name));
    if (holder) return this.exported(holder, name, space, depth + 1);
    for (const other of others) {
      const found = this.exported(other, name, space, depth + 1);
      if (found) return found;
    }
    return undefined;
  }

  /** What a name at the top level of a module means. */
  local(module: SourceModule, name: string, space: Space = 'value', depth = 0): Found | undefined {
    if (depth > DEEPEST) return undefined;
    const all = (module.declared.get(name) ?? []).filter((one) => isIn(one, space));
    const [declaration] = all;
    if (declaration) return { module, declaration, all };
    const imported = module.imported.get(name);
    if (imported) return this.#imported(module, imported, space, depth);
    return module.outer && this.local(module.outer, name, space, depth + 1);
  }

  /** All names of the module that a specifier means in another one. */
  names(module: SourceModule, specifier: string): Found | undefined {
    const names = this.#module(module, specifier);
    return names && namespace(names);
  }

  /** A package's entry, seen from a folder. */
  packageModule(specifier: string, folder: string): SourceModule | undefined {
    const file = resolvePackageTypes(specifier, folder);
    return file === undefined ? undefined : this.module(file);
  }

  /** The engine's own entry: what `accelhydra-studio` means in project code. */
  get engine(): SourceModule | undefined {
    return this.module(ENGINE_ENTRY);
  }

  /** What `tf` is: TensorFlow.js as the engine has it. */
  get tensorflow(): SourceModule | undefined {
    return this.packageModule('@tensorflow/tfjs', ENGINE_FOLDER);
  }

  #imported(module: SourceModule, { specifier, name }: ImportedName, space: Space, depth: number): Found | undefined {
    const other = this.#module(module, specifier);
    if (other === undefined) return undefined;
    if (name !== '*') return this.exported(other, name, space, depth + 1);
    // `import x = require()` gives what was assigned, if anything was.
    return (
      (other.assigned === undefined ? undefined : this.local(other, other.assigned, space, depth + 1)) ??
      namespace(other)
    );
  }

  /** `export = name`: the name is the default export, the members of its namespace are the other ones. */
  #assigned(module: SourceModule, local: string, name: string, space: Space, depth: number): Found | undefined {
    if (name === 'default') return this.local(module, local, space, depth + 1);
    for (const declaration of module.declared.get(local) ?? []) {
      const found =
        declaration.type === 'Namespace' ? this.exported(declaration.names, name, space, depth + 1) : undefined;
      if (found) return found;
    }
    return undefined;
  }

  #module(module: SourceModule, specifier: string): SourceModule | undefined {
    if (specifier === 'accelhydra-studio') return this.engine;
    const key = `${module.file}\n${specifier}`;
    const file = this.#resolved.get(key) ?? resolveTypes(specifier, module.file);
    if (file === undefined) {
      // A file that somebody may write yet.
      if (specifier.startsWith('.')) this.#watched?.set(`${resolve(dirname(module.file), specifier)}.ts`, NO_FILE);
      return undefined;
    }
    if (isInPackage(module.file)) this.#resolved.set(key, file);
    return this.module(file);
  }
}

const NO_FILE = 'none';

/** What tells whether a file is as it was. */
export function stampOf(file: string): string {
  const stat = statSync(file, { throwIfNoEntry: false });
  return stat?.isFile() ? `${stat.mtimeMs}:${stat.size}` : NO_FILE;
}

export function foundMember(module: SourceModule, all: readonly Declaration[]): Found | undefined {
  const [declaration] = all;
  return declaration && { module, declaration, all };
}

function namespace(names: SourceModule): Found {
  const declaration = { type: 'Namespace', start: 0, names } as const;
  return { module: names, declaration, all: [declaration] };
}

function isIn(declaration: Declaration, space: Space): boolean {
  switch (declaration.type) {
    case 'TSInterfaceDeclaration':
    case 'TSTypeAliasDeclaration':
      return space === 'type';
    case 'ClassDeclaration':
    case 'ClassExpression':
    case 'TSEnumDeclaration':
    case 'Namespace':
      return true;
    default:
      return space === 'value';
  }
}
