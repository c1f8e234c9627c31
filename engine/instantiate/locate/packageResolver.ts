import { createRequire } from 'node:module';
import type * as OxcResolver from 'oxc-resolver';

type Resolve = (folder: string, specifier: string) => string | undefined;

const require = createRequire(import.meta.url);

/** What `import` of a specifier means in a folder: a package's `exports` with their conditions, or its main file. */
export const resolveForImport: Resolve = lazily({
  conditionNames: ['node', 'import', 'module-sync', 'default'],
  mainFields: ['main'],
  extensions: ['.js', '.mjs', '.cjs', '.json'],
});

/** The file with the types of what a specifier means in a folder, declarations before sources. */
export const resolveForTypes: Resolve = lazily({
  conditionNames: ['types', 'import', 'node', 'default'],
  mainFields: ['types', 'typings', 'module', 'main'],
  extensions: ['.d.ts', '.d.mts', '.d.cts', '.ts', '.mts', '.cts', '.js', '.mjs', '.cjs'],
  extensionAlias: {
    '.js': ['.d.ts', '.ts', '.js'],
    '.mjs': ['.d.mts', '.mts', '.mjs'],
    '.cjs': ['.d.cts', '.cts', '.cjs'],
  },
});

/** The resolver is native code, loaded with the first question; where it cannot be loaded nothing is resolved. */
function lazily(options: OxcResolver.NapiResolveOptions): Resolve {
  let resolver: OxcResolver.ResolverFactory | null | undefined;
  return (folder, specifier) => {
    if (resolver === undefined) resolver = create(options);
    return resolver?.sync(folder, specifier).path;
  };
}

function create(options: OxcResolver.NapiResolveOptions): OxcResolver.ResolverFactory | null {
  try {
    const { ResolverFactory } = require('oxc-resolver') as typeof OxcResolver;
    return new ResolverFactory(options);
  } catch {
    return null;
  }
}
