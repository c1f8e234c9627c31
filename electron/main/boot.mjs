// Electron's own Node may be built without type stripping: then this hook strips the engine's TypeScript as it loads, so
// that the app runs from the same sources as the command line, with no build of the engine in between.
import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';

if (!process.features.typescript) {
  const { transformSync } = await import('esbuild');
  registerHooks({
    load(url, context, nextLoad) {
      if (!url.startsWith('file:') || !url.endsWith('.ts')) return nextLoad(url, context);
      const path = fileURLToPath(url);
      const { code } = transformSync(readFileSync(path, 'utf8'), {
        loader: 'ts',
        format: 'esm',
        target: 'node22',
        sourcefile: path,
        sourcemap: 'inline',
      });
      return { format: 'module', source: code, shortCircuit: true };
    },
  });
}

await import('./main.ts');
