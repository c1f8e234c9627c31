// TEST ONLY: `node --import` this file, and `import … from 'electron'` gives the stand-in beside it. Where Electron's
// binary exists the same tests run on the real one (see test/process/electron.test.ts).
import { registerHooks } from 'node:module';

registerHooks({
  resolve(specifier, context, nextResolve) {
    if (specifier !== 'electron') return nextResolve(specifier, context);
    return { url: new URL('./standIn.ts', import.meta.url).href, shortCircuit: true };
  },
});
