import { statSync } from 'node:fs';
import { extname, join } from 'node:path';
import { MODULE_EXTENSIONS } from '../locate/projectTargets.ts';

/** What a JavaScript ending in an import stands for when only the TypeScript file exists. */
const WRITTEN_AS: Readonly<Record<string, readonly string[]>> = {
  '.js': ['.ts', '.tsx'],
  '.mjs': ['.mts'],
  '.cjs': ['.cts'],
};

/**
 * The file that a path in an `import` means, in TypeScript's manner: the file itself, with an ending added, `.ts` for a
 * written `.js`, or the index of a folder. `undefined` when none exists.
 */
export function resolveModuleFile(path: string): string | undefined {
  if (isFile(path)) return path;
  const written = extname(path);
  const base = path.slice(0, path.length - written.length);
  const candidates = [
    ...(WRITTEN_AS[written] ?? []).map((extension) => `${base}${extension}`),
    ...[...MODULE_EXTENSIONS, '.json'].map((extension) => `${path}${extension}`),
    ...MODULE_EXTENSIONS.map((extension) => join(path, `index${extension}`)),
  ];
  return candidates.find(isFile);
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}
