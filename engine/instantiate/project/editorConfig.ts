import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PACKAGE_ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const GENERATED = '.accelhydra/tsconfig.json';

/** The file that editors and `tsc` look for, and what a new project has in it. */
export const TSCONFIG = 'tsconfig.json';
export const tsconfigText = `{
  // written anew by accelhydra on each machine: where accelhydra-studio and its types lie
  "extends": "./${GENERATED}",
  "exclude": ["node_modules", "experiments", "multirun"]
}
`;

/**
 * Lets editors and `tsc` find what the loader finds when it runs a project: this package, its copy of TensorFlow.js, and
 * packages that the project itself lacks. Paths of this machine stay out of Git. Does nothing for a project whose
 * tsconfig.json does not ask for it, or that may not be written to.
 */
export function writeEditorConfig(root: string): void {
  const own = join(root, TSCONFIG);
  if (!existsSync(own) || !readFileSync(own, 'utf8').includes(GENERATED)) return;
  const file = join(root, GENERATED);
  const text = `${JSON.stringify({ compilerOptions }, undefined, 2)}\n`;
  if (existsSync(file) && readFileSync(file, 'utf8') === text) return;
  try {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  } catch {
    // types in editors are no reason not to open a project that cannot be written to
    return;
  }
}

const ours = (path: string) => join(PACKAGE_ROOT, path);

const compilerOptions = {
  target: 'es2024',
  lib: ['es2024', 'esnext.disposable', 'dom'],
  module: 'preserve',
  moduleResolution: 'bundler',
  strict: true,
  noImplicitOverride: true,
  // as this package compiles itself, because its sources are compiled along
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  erasableSyntaxOnly: true,
  allowImportingTsExtensions: true,
  skipLibCheck: true,
  noEmit: true,
  typeRoots: [ours('node_modules/@types')],
  types: ['node'],
  paths: {
    'accelhydra-studio': [ours('engine/index.ts')],
    'accelhydra-studio/config': [ours('engine/instantiate/configApi.ts')],
    '@tensorflow/*': [ours('node_modules/@tensorflow/*')],
    '*': ['../node_modules/*', '../node_modules/@types/*', ours('node_modules/*'), ours('node_modules/@types/*')],
  },
};
