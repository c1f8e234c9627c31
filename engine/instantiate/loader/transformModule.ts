import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type * as Esbuild from 'esbuild';
import { InstantiateError } from '../errors.ts';

export interface TransformedModule {
  readonly source: string;
  readonly format: 'module' | 'commonjs';
}

const require = createRequire(import.meta.url);
let esbuild: typeof Esbuild | undefined;

/** True for a file that Node cannot run before its types are taken out. */
export function isTypeScript(path: string): boolean {
  return /\.[cm]?ts$/.test(path);
}

/**
 * A TypeScript file as JavaScript, with its source map inside so that stacks show the person's own lines. Enums and
 * unmarked type imports are welcome. Throws 'instantiate.module-failed' with file:line:column for a syntax error.
 */
export function transformModule(path: string): TransformedModule {
  // Loaded with the first TypeScript file: projects in JavaScript never pay for it.
  esbuild ??= require('esbuild') as typeof Esbuild;
  const format = path.endsWith('.cts') ? 'cjs' : 'esm';
  try {
    const result = esbuild.transformSync(readFileSync(path, 'utf8'), {
      loader: 'ts',
      format,
      target: 'node22',
      sourcefile: path,
      sourcemap: 'inline',
      sourcesContent: false,
      // A project's own tsconfig could only change what is not about types: we decide that here, the same for everyone.
      tsconfigRaw: { compilerOptions: { useDefineForClassFields: true } },
    });
    return { source: result.code, format: format === 'esm' ? 'module' : 'commonjs' };
  } catch (error) {
    throw syntaxError(path, error);
  }
}

function syntaxError(path: string, error: unknown): InstantiateError {
  const messages = buildMessages(error).map(({ text, location }) =>
    location === null
      ? text
      : `${path}:${location.line}:${location.column + 1}: ${text}\n    ${location.lineText.trim()}`,
  );
  const text = messages.length > 0 ? messages.join('\n') : String(error);
  return new InstantiateError('module-failed', `Cannot read ${path}:\n${text}`, {
    cause: error,
    details: { file: path },
  });
}

function buildMessages(error: unknown): readonly Esbuild.Message[] {
  return error instanceof Error && 'errors' in error && Array.isArray(error.errors)
    ? (error.errors as Esbuild.Message[])
    : [];
}
